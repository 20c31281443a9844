// Detectors that warn, and the air of a room, as a document still says them at a given moment.

import { el, glyph, setData, setText } from "./draw.js";
import { nameIn } from "./words.js";

/** @typedef {import("./truth.js").Instrument} Instrument */

const live = (/** @type {Instrument} */ one, /** @type {import("./truth.js").Now} */ now) =>
  one.evidence === "live" && now !== null && one.validUntil !== null && now < one.validUntil;

// Those that warn now; a test warns nobody.
/**
 * @param {import("./truth.js").Picture} picture
 * @param {import("./truth.js").Now} now
 */
export const dangersOf = (picture, now) => picture.instruments.filter((one) => one.alarm === true && live(one, now));

// Each value of the air, of the first gauge that tells it.
/**
 * @param {import("./truth.js").Picture} picture
 * @param {import("./truth.js").Now} now
 * @returns {Record<string, number>}
 */
export function airOf(picture, now) {
  const told = picture.instruments.filter((one) => one.kind === "climate" && live(one, now));
  return Object.assign({}, ...told.reverse().map((one) => one.values));
}

const AIR = {
  temperature_c: (/** @type {number} */ n) => `${n.toFixed(1)} °C`,
  humidity_pct: (/** @type {number} */ n) => `${Math.round(n)} %`,
  co2_ppm: (/** @type {number} */ n) => `CO₂ ${Math.round(n)} ppm`,
  pm25_ugm3: (/** @type {number} */ n) => `PM2.5 ${Math.round(n)} µg/m³`,
};

// One quiet line; empty where nothing of it is known.
/**
 * @param {import("./truth.js").Picture} picture
 * @param {import("./truth.js").Now} now
 * @param {string} gap
 */
export function airText(picture, now, gap = "\u2003") {
  const air = airOf(picture, now);
  return Object.entries(AIR)
    .filter(([name]) => name in air)
    .map(([name, write]) => write(air[name]))
    .join(gap);
}

/** @type {(one: Instrument, say: import("./words.js").Say) => string} */
export const warningOf = (one, say) => {
  const key = `hazard:${one.type}.short`;
  return say.has(key) ? say(key) : say("hazard.alarm");
};

// What it warns of, and where.
/** @type {(one: Instrument, names: Record<string, import("./words.js").Names>, say: import("./words.js").Say) => string} */
export const placeOf = (one, names, say) =>
  [nameIn(one.areaName, say.lang), nameIn(one.name ?? names[one.id], say.lang)].filter(Boolean).join(" · ");

const adviceOf = (/** @type {Instrument} */ one) => (one.type === "leak" ? "hazard.wet" : "hazard.leave");

// The band that nobody overlooks: one line for each detector that warns; hidden while none does.
/**
 * @param {HTMLElement} node
 * @param {Instrument[]} dangers
 * @param {{say: import("./words.js").Say, second: import("./words.js").Say, names: Record<string, import("./words.js").Names>}} voice
 */
export function paintDangers(node, dangers, { say, second, names }) {
  node.hidden = !dangers.length;
  setData(document.documentElement, "danger", dangers.length ? "yes" : null);
  const shape = dangers.map((one) => one.id).join("\n");
  if (node.dataset.shape !== shape) {
    node.dataset.shape = shape;
    node.replaceChildren(...dangers.map(line));
  }
  dangers.forEach((one, i) => {
    const [what, where, advice, other] = node.children[i].querySelectorAll("b, span, strong, small");
    setText(/** @type {HTMLElement} */ (what), warningOf(one, say));
    setText(/** @type {HTMLElement} */ (where), placeOf(one, names, say));
    setText(/** @type {HTMLElement} */ (advice), say(adviceOf(one)));
    setText(/** @type {HTMLElement} */ (other), [warningOf(one, second), second(adviceOf(one))].filter(Boolean).join(". "));
  });
}

const line = (/** @type {Instrument} */ one) =>
  el(
    "div",
    { data: { instrument: one.id, alarm: "yes" } },
    glyph("fault"),
    el("p", {}, el("b"), el("span"), el("strong"), el("small", { lang: "en" })),
  );
