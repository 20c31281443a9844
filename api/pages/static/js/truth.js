// What an availability document still says at a given moment. Pure: no page, no clock, no network.

import { KINDS } from "./kinds.js";

/** @typedef {import("./wire.js").Document} Document */
/** @typedef {import("./wire.js").Usable} Usable */
/** @typedef {{at: number, from: number, to: number}} Span  ms since 1970 */
/**
 * @typedef {import("./wire.js").Resource & {
 *   key: string, area: string, areaName: import("./wire.js").Names,
 *   validUntil: number | null, observedAt: number | null, sinceAt: number | null,
 * }} Resource
 */
/**
 * @typedef {import("./wire.js").Instrument & {areaName: import("./wire.js").Names, validUntil: number | null}} Instrument
 */
/** @typedef {import("./wire.js").Line & {key: string, nextFree: Span | null}} Line */
/** @typedef {ReturnType<typeof read>} Picture */
/** @typedef {{usable: Usable, why: string | null}} State */
/** @typedef {{min: number, max: number, total: number, shut: number, broken: number, mended: number}} Tally */
/** @typedef {{key: string, kind: string, type: string | null, resources: Resource[]}} Group */
/** @typedef {number | null} Now  server time in ms; null while none is known */

/** @param {string | null | undefined} text */
const ms = (text) => (text ? Date.parse(text) : null);
/** @returns {Span} */
const span = (/** @type {{at: string, from: string, to: string}} */ { at, from, to }) => ({ at: Date.parse(at), from: Date.parse(from), to: Date.parse(to) });

// "charger:ebike", "seat": the unit that is counted and named.
/** @type {(kind: string, type?: string | null) => string} */
export const keyOf = (kind, type) => (type ? `${kind}:${type}` : kind);

// A document as the pages use it: times in ms, resources in one list in the order of the document.
/** @param {Document} doc */
export function read(doc) {
  /** @type {Resource[]} */
  const resources = (doc.areas ?? []).flatMap((area) =>
    area.resources
      .filter((r) => r.lifecycle !== "removed" && r.lifecycle !== "planned")
      .map((r) => ({
        ...r,
        key: keyOf(r.kind, r.type),
        area: area.id,
        areaName: area.name ?? {},
        validUntil: ms(r.valid_until),
        observedAt: ms(r.observed_at),
        sinceAt: ms(r.since),
      })),
  );
  /** @type {Instrument[]} */
  const instruments = (doc.areas ?? []).flatMap((area) =>
    (area.instruments ?? []).map((one) => ({ ...one, areaName: area.name ?? {}, validUntil: ms(one.valid_until) })),
  );
  return {
    station: doc.station,
    name: doc.name ?? {},
    asOf: Date.parse(doc.as_of),
    validUntil: ms(doc.valid_until),
    open: doc.open?.now ?? "unknown",
    openUntil: ms(doc.open?.until),
    proof: doc.open?.proof ?? "unproved",
    provedUntil: ms(doc.open?.proved_until),
    summary: (doc.summary ?? []).map((s) => ({ ...s, key: keyOf(s.kind, s.type), nextFree: s.next_free ? span(s.next_free) : null })),
    whole: Array.isArray(doc.areas),
    lost: false, // contact to the server is lost: nothing of it is told as live any more, but hours and what is latched
    resources,
    instruments,
    doc,
  };
}

/** @type {Record<string, string>} */
const LATCHED = { fault: "fault", maintenance: "maintenance" };

// {usable, why} of one resource at `now` (server ms; null when no server time is known: then nothing is live).
// The order is the contract's. A latched fault and a closing by schedule outlast silence. It is what `withdrawn` in
// gateway/live/station_document.py says when the server does it; tests/e2e/pages/test_truth.py holds one against the other.
/**
 * @param {Resource} resource
 * @param {Picture} picture
 * @param {Now} now
 * @returns {State}
 */
export function stateOf(resource, picture, now) {
  if (LATCHED[resource.health]) return { usable: "no", why: LATCHED[resource.health] };
  if (resource.access === "staff_only") return { usable: "no", why: "staff_only" };
  const turned = now === null || (picture.openUntil !== null && now >= picture.openUntil);
  if (resource.access === "closed" && !turned) return { usable: "no", why: "closed" };
  if (resource.because?.includes("not_enterable") && !turned) return { usable: "unknown", why: "not_enterable" };
  if (resource.evidence !== "live") return { usable: "unknown", why: resource.evidence };
  const end = resource.validUntil ?? picture.validUntil;
  if (picture.lost || now === null || end === null || now >= end) return { usable: "unknown", why: "stale" };
  if (turned && resource.access !== "unknown") return { usable: "unknown", why: "hours_unknown" };
  return { usable: resource.usable, why: resource.because?.[0] ?? null };
}

// One sum over states: {min, max, total, shut, broken}. min are certain; max adds the unknown.
/**
 * @param {State[]} states
 * @returns {Tally}
 */
export function tally(states) {
  const count = (/** @type {(state: State) => boolean} */ test) => states.filter(test).length;
  const min = count((s) => s.usable === "yes");
  return {
    min,
    max: min + count((s) => s.usable === "unknown"),
    total: states.length,
    shut: count((s) => s.why === "closed" || s.why === "staff_only"),
    broken: count((s) => s.why === "fault" || s.why === "maintenance"),
    mended: count((s) => s.why === "maintenance"),
  };
}

// The same from a summary line, when a document has no areas or counts units (lockers, parking).
// After the document's own end nothing is certain any more, and anything may be.
/**
 * @param {Line} line
 * @param {Picture} picture
 * @param {Now} now
 * @returns {Tally}
 */
export function tallyOfLine(line, picture, now) {
  const shut = picture.open === "no" ? line.total : 0;
  const hoursHold = now !== null && (picture.openUntil === null || now < picture.openUntil);
  const live = !picture.lost && now !== null && picture.validUntil !== null && now < picture.validUntil && hoursHold;
  if (shut && hoursHold && line.usable_max === 0) return { min: 0, max: 0, total: line.total, shut, broken: 0, mended: 0 };
  if (live) return { min: line.usable_min, max: line.usable_max, total: line.total, shut: 0, broken: 0, mended: 0 };
  const never = line.usable_max === 0 && picture.validUntil === null && hoursHold;
  return { min: 0, max: never ? 0 : line.total, total: line.total, shut: 0, broken: 0, mended: 0 };
}

/** @type {(t: Tally) => Usable} */
export const usableOf = (t) => (t.min > 0 ? "yes" : t.max > 0 ? "unknown" : "no");

// The one rule that turns a sum into words: 7, at least 3, not known (never 0 for the unknown), closed.
/** @param {Tally} t */
export function wording(t) {
  if (t.total > 0 && t.shut === t.total) return "closed";
  if (t.total > 0 && t.mended === t.total) return "maintenance";
  if (t.min === t.max) return "exact";
  return t.min > 0 ? "atleast" : "unknown";
}

// Countable groups in the order people ask for them; the rest are single things.
const ORDER = Object.values(KINDS)
  .filter((kind) => kind.groups)
  .flatMap((kind) => Object.keys(kind.keys));
const rank = (/** @type {string} */ key) => ORDER.indexOf(key) + 1 || 99;

/** @param {Picture} picture */
export function groupsOf(picture) {
  /** @type {Map<string, Group>} */
  const groups = new Map();
  for (const r of picture.resources) {
    if (!KINDS[r.kind]?.groups) continue;
    const group = groups.get(r.key) ?? { key: r.key, kind: r.kind, type: r.type ?? null, resources: [] };
    group.resources.push(r);
    groups.set(r.key, group);
  }
  return [...groups.values()].sort((a, b) => rank(a.key) - rank(b.key));
}

// All others, the ways in last; a kind that this page does not know yet is a thing, too.
const ranks = Object.keys(KINDS);
const rankOf = (/** @type {string} */ kind) => (KINDS[kind]?.entrance ? 1000 : 0) + (ranks.indexOf(kind) + 1 || 99);
/** @type {(picture: Picture) => Resource[]} */
export const thingsOf = (picture) =>
  picture.resources.filter((r) => !KINDS[r.kind]?.groups).sort((a, b) => rankOf(a.kind) - rankOf(b.kind));

// The door that the head of a page speaks of.
/** @type {(picture: Picture) => Resource | undefined} */
export const entranceOf = (picture) => picture.resources.find((r) => KINDS[r.kind]?.entrance);

// Lockers and parking count units, each bank its own; everything else counts resources.
/**
 * @param {Group} group
 * @param {Picture} picture
 * @param {Now} now
 */
export function tallyOfGroup(group, picture, now) {
  const states = group.resources.map((r) => stateOf(r, picture, now));
  if (!KINDS[group.kind]?.units) return tally(states);
  const sum = { min: 0, max: 0, total: 0, shut: 0, broken: 0, mended: 0 };
  group.resources.forEach((bank, i) => {
    const size = bank.total ?? bank.free ?? 1;
    const free = bank.free ?? 0;
    const { usable, why } = states[i];
    sum.total += size;
    if (usable === "yes") {
      sum.min += free;
      sum.max += free;
    }
    if (usable === "unknown") sum.max += size;
    if (why === "closed" || why === "staff_only") sum.shut += size;
    if (why === "fault" || why === "maintenance") sum.broken += size;
    if (why === "maintenance") sum.mended += size;
  });
  return sum;
}

// When the next of a kind will about be free, {at, from, to} in ms: only while all of it is taken for certain, and until the span has
// run out. A forecast is no promise, so nothing of it outlasts what it was made from.
/**
 * @param {string} key
 * @param {Tally} t
 * @param {Picture} picture
 * @param {Now} now
 */
export function nextFree(key, t, picture, now) {
  const next = picture.summary.find((line) => line.key === key)?.nextFree ?? null;
  const taken = t.total > 0 && t.max === 0 && t.shut + t.broken < t.total;
  return next && taken && now !== null && now < next.to ? next : null;
}

// What was certain when the document was made: for "14:17 had 7". null where it was no number even then.
/**
 * @param {Group} group
 * @param {Picture} picture
 */
export function lastKnown(group, picture) {
  const then = tallyOfGroup(group, { ...picture, lost: false }, picture.asOf);
  return wording(then) === "exact" || wording(then) === "atleast" ? then : null;
}

// The oldest news a group rests on, among what is live.
/** @param {Resource[]} resources */
export function oldest(resources) {
  const times = resources.filter((r) => r.evidence === "live").map((r) => r.observedAt).filter((at) => at !== null);
  return times.length ? Math.min(...times) : null;
}
