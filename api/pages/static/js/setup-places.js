// The places of a station, by area: what each is, which device speaks for it, whether it was heard; and more of them, numbered.

import { el, glyph, setText } from "./draw.js";
import { choice, entry, field, form, kindName, line, nextIds, placeName, press, section, takenIn } from "./setup-parts.js";
import { keysOfAll, resource } from "./setup-station-form.js";
import { at } from "./setup-store.js";

const NEW = "+";

// `evidence(id)` → live, stale, offline, suspect, never, or null while nobody knows.
export function places(station, { say, save, evidence }) {
  const rows = [];
  const list = (station.areas ?? []).map((area) =>
    el(
      "div",
      { cls: "area" },
      el("h3", { text: say.of(area.name) || area.id }),
      el("ul", { cls: "rows" }, ...(area.resources ?? []).map((item) => row(station, area, item, { say, save, rows }))),
    ),
  );
  const paint = () => {
    for (const [id, node] of rows) paintRow(node, evidence(id), say);
  };
  paint();
  return { node: section(say("p.title"), ...(takenIn(station).size ? list : [el("p", { text: say("p.none") })]), more(station, { say, save })), paint };
}

function row(station, area, item, { say, save, rows }) {
  const where = el("span", { cls: "state" });
  const source = item.source ? say("p.source", { topic: item.source.topic }) : item.device ? say("p.own_device", { device: item.device }) : "";
  const name = placeName(item, say);
  const away = async () => {
    if (!confirm(say("sure_remove", { what: name }))) return;
    await save([{ op: "remove", path: at("stations", station.id, "areas", area.id, "resources", item.id) }], `${say("remove")}: ${item.id}`);
  };
  const button = press(say("remove"), "remove-place", away, "quiet");
  button.setAttribute("aria-label", `${say("remove")} ${name}`);
  rows.push([item.id, where]);
  return line({ place: item.id }, [el("b", { text: name }), el("code", { text: item.id }), where, source ? el("small", { text: source }) : null], button);
}

function paintRow(node, evidence, say) {
  const word = evidence === null ? "" : say(evidence === "live" ? "p.live" : evidence === "never" ? "p.never" : "p.silent");
  if (node.dataset.evidence === String(evidence)) return;
  node.dataset.evidence = String(evidence);
  node.replaceChildren(...(evidence === null ? [] : [glyph(evidence === "live" ? "yes" : "stale"), ` ${word}`]));
}

function more(station, { say, save }) {
  const kind = choice(
    keysOfAll().map((key) => [key, kindName(key, say)]),
    "seat",
    { name: "kind" },
  );
  const count = entry({ type: "number", min: "1", max: "200", value: "1", inputmode: "numeric", name: "count" });
  const areas = [...(station.areas ?? []).map((area) => [area.id, say.of(area.name) || area.id]), [NEW, say("p.new_area")]];
  const area = choice(areas, areas[0][0], { name: "area" });
  const named = entry({ name: "area_name", maxlength: "60" });
  const nameField = field(say("p.area_name"), named);
  const will = el("p", { cls: "preview", "aria-live": "polite" });
  const ids = () => nextIds(kind.value, Math.min(200, Math.max(1, Number(count.value) || 1)), takenIn(station));
  const look = () => {
    const wanted = ids();
    const shown = wanted.length > 4 ? [wanted[0], wanted[1], "…", wanted[wanted.length - 1]] : wanted;
    setText(will, say("p.will", { ids: shown.join(say.lang === "en" ? ", " : "、") }));
    nameField.hidden = area.value !== NEW;
    named.required = area.value === NEW;
  };
  const act = async () => {
    const items = ids().map((id) => resource(id, kind.value));
    const why = `${say("p.add")}: ${kindName(kind.value, say)} × ${items.length}`;
    await save(area.value === NEW ? [newArea(station, named.value.trim(), items)] : additions(station, area.value, items), why);
  };
  const node = form("add-places", say("p.add"), act, field(say("p.kind"), kind), field(say("p.count"), count), field(say("p.area"), area), nameField, will);
  node.addEventListener("input", look);
  look();
  return el("details", {}, el("summary", { text: say("p.add") }), node);
}

function newArea(station, name, items) {
  const taken = new Set((station.areas ?? []).map((one) => one.id));
  let n = 1;
  while (taken.has(`area-${n}`)) n++;
  return { op: "add", path: at("stations", station.id, "areas", `area-${n}`), value: { id: `area-${n}`, name: { zh: name }, resources: items } };
}

const additions = (station, area, items) =>
  items.map((item) => ({ op: "add", path: at("stations", station.id, "areas", area, "resources", item.id), value: item }));
