// A resource's state as glyph and word: the third voice beside fill and shape.

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
  if (state.usable === "yes")
    return say({ safety: "ready", door: "door_ok" }[resource.kind] ?? (resource.key === "appliance:water" ? "usable" : "free"));
  if (state.usable === "unknown") return say(resource.kind === "safety" ? "unsure" : "unknown");
  if (resource.kind === "safety" && state.why === "blocked") return say("not_ready");
  return say(state.why ?? "occupied");
}

// "3" of "seat-03"; "" when the id ends otherwise.
export const numberOf = (id) => /(\d+)$/.exec(id)?.[1].replace(/^0+(?=\d)/, "") ?? "";

const LONE = ["room", "appliance", "safety", "door"]; // the first of these is mostly the only one

// A thing's own name, else its room's when it is the room, else its kind and number.
export function titleOf(resource, place, lang, say) {
  const own = nameIn(resource.name ?? place.names?.[resource.id], lang);
  if (own) return own;
  if (resource.kind === "room" && nameIn(resource.areaName, lang)) return nameIn(resource.areaName, lang);
  const number = numberOf(resource.id);
  return kindWord(say, resource.key, ".one") + (number && !(number === "1" && LONE.includes(resource.kind)) ? ` ${number}` : "");
}
