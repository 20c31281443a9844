// One device made the sensor of one place: what it is, where it belongs, and a live test before anything is saved.

import { el, glyph, setText } from "./draw.js";
import { allTold, choice, field, keyOf, kindName, nextIds, placeName, press, resourcesOf, takenIn, told } from "./setup-parts.js";
import { resource } from "./setup-station-form.js";
import { at } from "./setup-store.js";

// The signal that a test watches, and its two faces where it has two.
const WATCHED = ["occupied", "open", "alarm", "cabinet_open", "ready", "locked", "status", "people", "free", "power_w", "temperature_c", "in"];
const TWO_FACED = ["occupied", "open", "alarm", "cabinet_open", "ready", "locked"];

// The places that this kind of device could speak for, those without one first; and a new place.
function targetsOf(offer, station, say) {
  const items = resourcesOf(station).filter((item) => item.kind === offer.kind);
  const free = items.filter((item) => !item.source && !item.device);
  const full = items.filter((item) => item.source || item.device);
  const [fresh] = nextIds(keyOf(offer.resource), 1, takenIn(station));
  return [
    ...free.map((item) => [item.id, `${placeName(item, say)} (${item.id})`]),
    [`+${fresh}`, say("u.new", { id: fresh })],
    ...full.map((item) => [item.id, say("u.replace", { id: placeName(item, say) })]),
  ];
}

// What is changed in the configuration.
export function changesOf(offer, target, station) {
  const { source, device, power } = offer.resource;
  const speaks = source ? { source } : { device: device ?? offer.resource.id };
  if (power) Object.assign(speaks, { power });
  if (target.startsWith("+")) {
    const id = target.slice(1);
    const value = { ...resource(id, keyOf(offer.resource)), ...speaks };
    if (value.device === id) delete value.device;
    const area = station.areas?.[0];
    if (!area) return [{ op: "add", path: at("stations", station.id, "areas", "lounge"), value: { id: "lounge", resources: [value] } }];
    return [{ op: "add", path: at("stations", station.id, "areas", area.id, "resources", id), value }];
  }
  const item = resourcesOf(station).find((one) => one.id === target);
  const here = (...steps) => at("stations", station.id, "areas", item.area, "resources", target, ...steps);
  /** @type {{ op: string, path: string, value?: any }[]} */
  const changes = Object.entries(speaks)
    .filter(([key, value]) => !(key === "device" && value === target))
    .map(([key, value]) => ({ op: item[key] == null || (key === "power" && item.power === "mains") ? "add" : "replace", path: here(key), value }));
  const other = source ? "device" : "source";
  if (item[other] != null) changes.push({ op: "remove", path: here(other) });
  return changes;
}

// Opens the dialog; `hear(devices)` is called with each look at what is heard.
export function useDevice(device, kind, { say, save, station }, closed) {
  const shown = el("p", { cls: "now", "aria-live": "polite" });
  const seen = el("p", { cls: "seen" });
  const faces = new Map();
  let present = device;
  const kinds = choice(
    device.offers.map((offer) => [offer.kind, kindName(keyOf(offer.resource), say)]),
    kind,
    { name: "use_kind" },
  );
  const target = choice([], null, { name: "use_target" });
  const line = el("code");
  const offerOf = () => present.offers.find((offer) => offer.kind === kinds.value) ?? present.offers[0] ?? device.offers[0];
  const result = el("p", { cls: "result bad", role: "alert" });

  const watch = () => {
    const { says } = offerOf();
    setText(shown, allTold(says, say) || say("u.quiet"));
    const signal = WATCHED.find((one) => one in says);
    if (signal && TWO_FACED.includes(signal)) faces.set(`${signal}.${says[signal]}`, true);
    const both = signal && TWO_FACED.includes(signal) ? [true, false] : [];
    seen.replaceChildren(...both.map((value) => face(signal, value, faces.has(`${signal}.${value}`), say)));
  };
  const arrange = () => {
    const options = targetsOf(offerOf(), station, say);
    target.replaceChildren(...options.map(([value, text]) => el("option", { value, text })));
    setText(line, offerOf().line);
    faces.clear();
    watch();
  };
  kinds.addEventListener("change", arrange);

  const dialog = el("dialog", { cls: "use", "aria-labelledby": "use-title" });
  const done = async () => {
    const offer = offerOf();
    const why = `${say("u.title")}: ${device.topic} → ${target.value.replace("+", "")}`;
    if (await save(changesOf(offer, target.value, station), why, result)) dialog.close();
  };
  dialog.append(
    el("h2", { id: "use-title", text: say("u.title") }),
    el("p", { cls: "who" }, el("code", { text: device.topic })),
    device.offers.length > 1 ? field(say("u.kind"), kinds) : el("p", { text: kindName(keyOf(device.offers[0].resource), say) }),
    field(say("u.target"), target),
    el("div", { cls: "test" }, el("b", { text: say("u.now") }), shown, el("p", { text: say("u.try") }), seen),
    el("details", {}, el("summary", { text: say("u.line") }), line),
    result,
    el("p", { cls: "send" }, press(say("u.save"), "save-device", done, "main"), press(say("cancel"), "cancel", () => dialog.close())),
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    closed();
  });
  arrange();
  document.body.append(dialog);
  dialog.showModal();
  return {
    hear(devices) {
      present = devices.find((one) => one.topic === device.topic && one.dialect === device.dialect) ?? present;
      watch();
    },
  };
}

const face = (signal, value, was, say) =>
  el("span", { cls: was ? "done" : "open" }, glyph(was ? "yes" : "unknown"), `${was ? `${say("u.seen")} ` : ""}${told(signal, value, say)}`);
