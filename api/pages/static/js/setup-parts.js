// The small parts of the pages below /setup: labelled fields, buttons that tell what they do, how values are said.

import { el, glyph } from "./draw.js";

/** @typedef {import("./words.js").Say} Say */

// A control with its name before it and a hint below.
/** @type {(text: string, control: Node, hint?: Node | string | null) => HTMLLabelElement} */
export const field = (text, control, hint = null) =>
  el("label", { cls: "field" }, el("span", { text }), control, hint === null ? null : hint instanceof Node ? hint : el("small", { text: hint }));

export const entry = (attributes = {}) => el("input", { type: "text", autocomplete: "off", ...attributes });

/** @type {(options: string[][], chosen?: string | null, attributes?: Record<string, any>) => HTMLSelectElement} */
export function choice(options, chosen = null, attributes = {}) {
  const node = el("select", attributes, ...options.map(([value, text]) => el("option", { value, text })));
  if (chosen !== null) node.value = chosen;
  return node;
}

// A button that can't be pressed twice while it works.
export function press(text, deed, act, cls = "") {
  const node = el("button", { type: "button", text, cls, data: { deed } });
  node.addEventListener("click", async () => {
    node.disabled = true;
    try {
      await act();
    } finally {
      node.disabled = false;
    }
  });
  return node;
}

// A form whose submit button tells what it does; `act` runs once at a time.
export function form(deed, text, act, ...children) {
  const send = el("button", { cls: "main", text, data: { deed } });
  const node = el("form", { cls: "fields" }, ...children, el("p", { cls: "send" }, send));
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    try {
      await act();
    } finally {
      send.disabled = false;
    }
  });
  return node;
}

// A line of a list: what it is on the left, what can be done with it on the right.
export const line = (data, about, deed) => el("li", { data }, el("div", { cls: "what" }, ...about), deed);

export const section = (title, ...children) => el("section", {}, el("h2", { text: title }), ...children);

// A line of a checklist: done or not, in shape and word.
export function checked(done, text, ...more) {
  return el("li", { cls: done ? "done" : "open" }, glyph(done ? "yes" : "unknown"), el("span", { text }), ...more);
}

export function span(seconds, say) {
  if (seconds < 90) return say("sec", { n: Math.round(seconds) });
  return seconds < 5400 ? say("min", { n: Math.round(seconds / 60) }) : say("hr", { n: Math.round(seconds / 3600) });
}

// One signal as a person says it: `occupied` true → 有人.
export function told(signal, value, say) {
  const whole = `v.${signal}.${value}`;
  if (say.has(whole)) return say(whole);
  const known = `v.${signal}`;
  const n = typeof value === "number" ? Math.round(value * 10) / 10 : value;
  return say.has(known) ? say(known, { n }) : `${signal} ${n}`;
}

export const allTold = (says, say) =>
  Object.entries(says)
    .map(([signal, value]) => told(signal, value, say))
    .join(say.lang === "en" ? ", " : "，");

// `seat`, `charger:ebike` → its name as one thing.
export function kindName(key, say) {
  const kind = key.split(":")[0];
  const found = [`${key}.one`, `${key}.thing`, key, `${kind}.one`, kind].find((one) => say.has(one));
  return found ? say(found) : key;
}

export const keyOf = (resource) => (resource.type ? `${resource.kind}:${resource.type}` : resource.kind);

// The next free ids of a sort: seat-01, seat-02; the only door is `door`.
const PREFIX = { "charger:phone": "phone", "charger:ebike": "ebike", "charger:ev": "ev", "safety:first_aid": "first-aid" };
const SINGLES = ["door", "safety", "appliance", "locker", "parking", "hazard", "climate", "counter", "supply"];
export function nextIds(key, count, taken) {
  const [kind, type] = key.split(":");
  const prefix = PREFIX[key] ?? (type && type !== "other" ? type.replaceAll("_", "-") : kind);
  if (count === 1 && SINGLES.includes(kind) && !taken.has(prefix)) return [prefix];
  const found = [];
  for (let n = 1; found.length < count && n < 10_000; n++) {
    const id = `${prefix}-${String(n).padStart(2, "0")}`;
    if (!taken.has(id)) found.push(id);
  }
  return found;
}

export const resourcesOf = (station) => (station?.areas ?? []).flatMap((area) => (area.resources ?? []).map((item) => ({ ...item, area: area.id })));

export const takenIn = (station) => new Set(resourcesOf(station).map((item) => item.id));

// "seat-03" → 座位 3; its own name where it has one.
export function placeName(resource, say) {
  const own = say.of(resource.name);
  const number = /(\d+)$/.exec(resource.id)?.[1].replace(/^0+(?=\d)/, "") ?? "";
  return own || `${kindName(keyOf(resource), say)}${number ? ` ${number}` : ""}`;
}

export const isOutdoors = (key) => ["charger:ebike", "charger:ev", "parking"].includes(key);
