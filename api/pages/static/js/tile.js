// A single thing of the lower band: a window with its icon in it, a name, a word, and what is on or how old.

import { el, glyph, icon, iconOf, setData, setText } from "./draw.js";
import { shortly } from "./forecast.js";
import { KINDS } from "./kinds.js";
import { becauseOf, glyphOf, titleOf, wordOf } from "./say.js";
import { age, moment } from "./time.js";
import { nextFree, stateOf, tally } from "./truth.js";

const UNSURE = ["not_enterable", "unreadable", "suspect", "hours_unknown", "use_unknown"]; // heard, and yet not known
const FRESH_MS = 120_000; // older than this a tile says its age

const LONG = 12;

// Roughly, in half letters: a title and its translation stand side by side only if both are whole.
const room = (text) => [...text].reduce((sum, letter) => sum + (letter > "\u2e80" ? 2.7 : 1), 0);

export function tileOf(resource, { zone, say, second, place }) {
  const sign = glyph("unknown");
  const word = el("b");
  const note = el("span", { cls: "note" });
  const title = titleOf(resource, place, say.lang, say);
  const other = titleOf(resource, place, second.lang, second);
  const aside = other === title || room(title) + room(other) > 20 ? null : el("span", { lang: second.lang, text: other });
  const on = el("span", { cls: "on", hidden: "" });
  const node = el(
    "li",
    { cls: "tile", data: { kind: resource.kind, type: resource.type, resource: resource.id } },
    el("i", { cls: "win" }, el("span", {}, icon(iconOf(resource.key)))),
    el("div", {}, el("p", { cls: room(title) > LONG ? "top long" : "top" }, el("b", { text: title }), aside, on), el("p", { cls: "sub" }, sign, word, note)),
  );

  function paint(now, picture, [member], contact) {
    const state = stateOf(member, picture, now);
    setData(node, "usable", state.usable);
    setData(node, "because", becauseOf(state));
    setData(sign, "g", glyphOf(state));
    setText(word, wordOf(member, state, say));
    setText(note, (contact && wait(member, state, picture, now, say)) || noteOf(member, state, now, zone, say));
    setText(on, state.usable === "no" ? say.of(activities(member, now).on?.title) : "");
    if (aside) aside.hidden = !on.hidden;
  }
  return { node, paint };
}

// What is on and what comes next, as far as that still holds: a programme ends by the page's own clock, too.
function activities(member, now) {
  const { now: on, next } = member.programme ?? {};
  return { on: on?.until && Date.parse(on.until) > now ? on : null, next: next && Date.parse(next.from) > now ? next : null };
}

// How long a taken thing will about stay so, where it is the only one of its kind.
function wait(member, state, picture, now, say) {
  const alone = picture.summary.some((line) => line.key === member.key && line.total === 1);
  return alone ? shortly(nextFree(member.key, tally([state]), picture, now), now, say) : "";
}

// What follows the word: the programme of a room, since when a silence, how old a value, where an AED hangs.
function noteOf(member, state, now, zone, say) {
  const at = (ms) => moment(ms, now, zone, say);
  if (UNSURE.includes(state.why)) return say(state.why);
  if (state.usable === "unknown") return member.observedAt ? say("since", { at: at(member.observedAt) }) : say("never");
  const { on, next } = activities(member, now);
  if (on) return say("until", { at: at(Date.parse(on.until)) });
  if (next) return `${at(Date.parse(next.from))} ${say.of(next.title) || say("booked")}`;
  if (say.has(`level.${member.level}`) && state.usable === "yes") return say(`level.${member.level}`);
  if (KINDS[member.kind]?.vital && say.of(member.areaName)) return say.of(member.areaName);
  return member.observedAt && now - member.observedAt > FRESH_MS && state.usable === "yes" ? age(member.observedAt, now, say) : "";
}
