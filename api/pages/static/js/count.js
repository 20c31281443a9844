// A group's number in words, the same on every page: value, its preface, the word below.

import { nextWords } from "./forecast.js";
import { hhmm, moment } from "./time.js";
import { lastKnown, nextFree, usableOf, wording } from "./truth.js";
import { kindWord } from "./words.js";

// {least, number, glyph, word, usable, form, next} of a tally; form is exact, atleast, unknown, closed or maintenance; next is when one will be free.
/** @typedef {import("./truth.js").Tally} Tally */
/** @typedef {import("./truth.js").Group} Group */
/** @typedef {import("./truth.js").Picture} Picture */
/** @typedef {import("./words.js").Say} Say */

/**
 * @param {Tally} t
 * @param {Group} group
 * @param {Picture} picture
 * @param {import("./truth.js").Now} now
 * @param {string} zone
 * @param {Say} say
 */
export function countWords(t, group, picture, now, zone, say) {
  const form = wording(t);
  const next = now === null ? null : nextWords(nextFree(group.key, t, picture, now), now, say);
  const base = { form, usable: usableOf(t), least: "", glyph: usableOf(t), next };
  if (form === "closed") return { ...base, number: say("shut"), glyph: "closed", word: opensAt(picture, now, zone, say) };
  if (form === "unknown") return { ...base, number: say("unknown"), glyph: "stale", word: memory(group, picture, zone, say) };
  if (form === "maintenance") return { ...base, number: say("maintenance"), glyph: "maintenance", word: say("not_in_use") };
  const least = form === "atleast" ? say("at_least") : "";
  if (t.min > 0) return { ...base, least, number: t.min, word: say("free") };
  const broken = t.broken === t.total;
  return { ...base, number: 0, glyph: broken ? "fault" : "no", word: say(broken ? "fault" : "full") };
}

// The same rule in one line: "7", "at least 3", "not known", "closed"; short: "≥3", "?".
/**
 * @param {Tally} t
 * @param {Say} say
 */
export function countText(t, say, short = "") {
  const form = wording(t);
  if (form === "closed") return say("shut");
  if (form === "unknown") return say(`unknown${short}`);
  if (form === "maintenance") return say("maintenance");
  return form === "atleast" ? say(`at_least${short}`) + (short ? "" : " ") + t.min : String(t.min);
}

/** @type {(group: Group, say: Say) => string} */
export const unitOf = (group, say) => kindWord(say, group.key, ".unit");

/**
 * @param {Picture} picture
 * @param {import("./truth.js").Now} now
 * @param {string} zone
 * @param {Say} say
 */
function opensAt(picture, now, zone, say) {
  return picture.open === "no" && picture.openUntil
    ? say("opens", { at: moment(picture.openUntil, now ?? picture.asOf, zone, say) })
    : say("closed");
}

// What we last knew, in the past tense, or since when there is nothing.
/**
 * @param {Group} group
 * @param {Picture} picture
 * @param {string} zone
 * @param {Say} say
 */
function memory(group, picture, zone, say) {
  const had = group.resources ? lastKnown(group, picture) : null;
  if (had !== null) return say(had.min < had.max ? "had_least" : "had", { at: hhmm(picture.asOf, zone), n: had.min });
  const since = Math.max(...(group.resources ?? []).map((r) => r.observedAt ?? 0));
  return since > 0 ? say("silent_since", { at: hhmm(since, zone) }) : say("never");
}
