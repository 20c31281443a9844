// "Next in ~25 min, 80%: 10–50 min": when one will about be free. Told coarsely, because it is a forecast, and counted down by the
// page's own clock.

import { el, setText } from "./draw.js";

const MINUTE_MS = 60_000;
const STEP_MIN = 5;
const LONGEST_MIN = 90; // more is told in half hours

// {main, range} of a span {at, from, to}; null for none.
/** @typedef {import("./truth.js").Span} Span */
/** @typedef {import("./words.js").Say} Say */
/** @typedef {(n: number) => number} Round */

/**
 * @param {Span | null} next
 * @param {number} now
 * @param {Say} say
 */
export function nextWords(next, now, say) {
  if (!next) return null;
  const to = next.to - now;
  const main = next.at > now ? say("next_free", { t: length(next.at - now, Math.round, say) }) : say("next_any");
  const low = steps(Math.max(0, next.from - now), Math.floor, inHours(to));
  const high = length(to, Math.ceil, say);
  return { main, range: low > 0 ? say("next_span", { a: low, t: high }) : say("next_within", { t: high }) };
}

// "~25 min" alone, where there is little room; "" for none.
/** @type {(next: Span | null, now: number, say: Say) => string} */
export const shortly = (next, now, say) => (next && next.at > now ? say("about", { t: length(next.at - now, Math.round, say) }) : "");

const inHours = (/** @type {number} */ ms) => ms > LONGEST_MIN * MINUTE_MS;
/** @type {(ms: number, round: Round, hours: boolean) => number} */
const steps = (ms, round, hours) => (hours ? round(ms / MINUTE_MS / 30) / 2 : round(ms / MINUTE_MS / STEP_MIN) * STEP_MIN);
/** @type {(ms: number, round: Round, say: Say) => string} */
const length = (ms, round, say) =>
  say(inHours(ms) ? "in_hours" : "in_minutes", { n: steps(ms, round, inHours(ms)) || STEP_MIN });

// Its place on a board: empty most of the time.
export function forecast() {
  const main = el("b");
  const range = el("small");
  const node = el("p", { cls: "next", hidden: "" }, main, " ", range);
  return {
    node,
    /** @param {{main: string, range: string} | null} words */
    paint(words) {
      node.hidden = words === null;
      setText(main, words?.main);
      setText(range, words?.range);
    },
  };
}
