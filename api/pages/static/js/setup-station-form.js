// A new station in one form, and the name, place and hours of one that is there.

import { el, setText } from "./draw.js";
import { KINDS } from "./kinds.js";
import { hoursControl, placeControl } from "./setup-hours.js";
import { entry, field, form, isOutdoors, kindName, nextIds, section } from "./setup-parts.js";
import { at } from "./setup-store.js";

const FIRST = ["seat", "charger:phone", "charger:ebike", "door", "safety:aed", "appliance:microwave", "appliance:water", "room", "locker", "parking"];
const MOST = 200;

export const keysOfAll = () => Object.values(KINDS).flatMap((kind) => Object.keys(kind.keys));

// A resource as the configuration has it.
export function resource(id, key) {
  const [kind, type] = key.split(":");
  return type ? { id, kind, type } : { id, kind };
}

function freeId(wanted, stations) {
  const taken = new Set(stations.map((one) => one.id));
  for (let n = 1; ; n++) {
    const id = wanted && n === 1 ? wanted : `${wanted || "station"}-${n}`;
    if (!taken.has(id)) return id;
  }
}

const slug = (text) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);

// Areas with the places that were counted: indoors in the lounge, the others outside.
function areasOf(counts, say) {
  const taken = new Set();
  /** @type {Record<string, any[]>} */
  const areas = { lounge: [], yard: [] };
  for (const [key, count] of counts) {
    for (const id of nextIds(key, count, taken)) {
      taken.add(id);
      areas[isOutdoors(key) ? "yard" : "lounge"].push(resource(id, key));
    }
  }
  const named = (id) => ({ id, name: { zh: say.chinese(`area.${id}`), en: say.english(`area.${id}`) }, resources: areas[id] });
  return Object.keys(areas)
    .filter((id) => id === "lounge" || areas[id].length)
    .map(named);
}

export function newStation(store, { say, save }) {
  const name = entry({ name: "name", required: "", maxlength: "100" });
  const english = entry({ name: "name_en", maxlength: "100" });
  const id = entry({ name: "id", pattern: "[a-z0-9\\-]{1,64}", maxlength: "64", value: freeId("", store.stations) });
  let own = false;
  id.addEventListener("input", () => {
    own = true;
  });
  english.addEventListener("input", () => {
    if (!own) id.value = freeId(slug(english.value), store.stations);
  });
  const place = placeControl(null, say);
  const hours = hoursControl("24/7", null, say);
  /** @type {[string, HTMLInputElement][]} */
  const counts = FIRST.map((key) => [key, entry({ type: "number", min: "0", max: String(MOST), value: "0", inputmode: "numeric", name: key })]);
  for (const [, control] of counts) control.addEventListener("focus", () => control.select());
  const act = async () => {
    const names = english.value.trim() ? { zh: name.value.trim(), en: english.value.trim() } : { zh: name.value.trim() };
    const spot = place.value();
    const wanted = counts.map(([key, control]) => [key, Math.min(MOST, Math.max(0, Number(control.value) || 0))]);
    const value = { id: id.value, name: names, ...(spot ? { location: spot } : {}), hours: hours.value(), areas: areasOf(wanted, say) };
    await save([{ op: "add", path: at("stations", id.value), value }], `${say("s.new")}: ${names.zh}`, null, `/setup/stations/${encodeURIComponent(id.value)}`);
  };
  const first = store.stations.length === 0;
  return section(
    say(first ? "first.title" : "another"),
    first ? el("p", { text: say("first.lead") }) : null,
    form(
      "add-station",
      say("save"),
      act,
      field(say("s.name"), name, say("s.name_hint")),
      field(say("s.name_en"), english),
      place.node,
      hours.node,
      el("fieldset", { cls: "counts" }, el("legend", { text: say("p.title") }), el("small", { text: say("p.lead") }), ...counts.map(([key, control]) => field(kindName(key, say), control))),
      field(say("s.id"), id, say("s.id_hint")),
    ),
  );
}

// Only what was changed is sent.
export function basics(station, { say, save }) {
  const name = entry({ required: "", value: station.name?.zh ?? "", maxlength: "100" });
  const english = entry({ value: station.name?.en ?? "", maxlength: "100" });
  const place = placeControl(station.location, say);
  const hours = hoursControl(station.hours ?? "24/7", station, say);
  const result = el("p", { cls: "result", role: "status" });
  const act = async () => {
    const here = (...steps) => at("stations", station.id, ...steps);
    const changes = [];
    const put = (key, old, value) => {
      if (JSON.stringify(old ?? null) === JSON.stringify(value ?? null)) return;
      changes.push(value === null ? { op: "remove", path: here(key) } : { op: old == null ? "add" : "replace", path: here(key), value });
    };
    const names = { ...station.name, zh: name.value.trim(), en: english.value.trim() };
    if (!names.en) delete names.en;
    put("name", station.name, names);
    put("location", plain(station.location), place.value());
    put("hours", station.hours, hours.value());
    setText(result, "");
    if (changes.length) await save(changes, `${say("st.basic")}: ${names.zh}`);
  };
  return section(
    say("st.basic"),
    form("save-station", say("save"), act, field(say("s.name"), name), field(say("s.name_en"), english), place.node, hours.node, result),
  );
}

const plain = (spot) => (spot ? { lat: spot.lat, lon: spot.lon, ...(spot.address ? { address: spot.address } : {}) } : null);
