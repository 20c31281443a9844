// A resource's state as glyph and word: the third voice beside fill and shape.

import { KINDS } from "./kinds.js";
import { nameIn, kindWord } from "./words.js";

const GLYPH = {
  fault: "fault",
  maintenance: "maintenance",
  closed: "closed",
  staff_only: "closed",
  stale: "stale",
  offline: "offline",
  never: "stale",
};
export const glyphOf = (state) => GLYPH[state.why] ?? state.usable;

// What a window draws besides its light: a triangle, a nut, a shutter.
export const becauseOf = (state) => (["fault", "maintenance", "closed"].includes(glyphOf(state)) ? glyphOf(state) : null);

export function wordOf(resource, state, say) {
  const own = (form) => [`${resource.key}.${form}`, `${resource.kind}.${form}`].filter(say.has).map((key) => say(key))[0];
  if (state.usable === "yes") return own("usable") ?? say("free");
  if (state.usable === "unknown") return own("unknown") ?? say("unknown");
  return (state.why === "blocked" ? own("blocked") : null) ?? say(state.why ?? "occupied");
}

// A group by the name that its owner gave to all of it, else by its kind.
export function groupTitle(group, place, say) {
  const names = new Set(group.resources.map((r) => nameIn(r.name ?? place.names?.[r.id], say.lang)));
  const [own] = names;
  return names.size === 1 && own ? own : kindWord(say, group.key);
}

// "3" of "seat-03"; "" when the id ends otherwise.
export const numberOf = (id) => /(\d+)$/.exec(id)?.[1].replace(/^0+(?=\d)/, "") ?? "";

// What staff call it: its own name, else its room's, else "4 号充电桩". The messages say the same (config/called.py).
export function thingOf(resource, say) {
  const own = nameIn(resource.name, say.lang);
  if (own) return own;
  const key = [`${resource.key}.thing`, `${resource.kind}.thing`, `${resource.kind}.one`, resource.key, resource.kind].find((one) => say.has(one));
  const word = key ? say(key) : resource.id;
  const number = numberOf(resource.id);
  if (!number || (number === "1" && !KINDS[resource.kind]?.groups)) return word;
  return say.lang === "en" ? `${word} ${number}` : `${number} ${say.lang === "zh-Hant" ? "號" : "号"}${word}`;
}

// A thing's own name, else its room's when it is the room, else its kind and number.
export function titleOf(resource, place, lang, say) {
  const own = nameIn(resource.name ?? place.names?.[resource.id], lang);
  if (own) return own;
  if (resource.kind === "room" && nameIn(resource.areaName, lang)) return nameIn(resource.areaName, lang);
  const number = numberOf(resource.id); // the first of what is no group is mostly the only one
  return kindWord(say, resource.key, ".one") + (number && !(number === "1" && !KINDS[resource.kind]?.groups) ? ` ${number}` : "");
}
