// One station among many: its state in short, recomputed only when its document or a deadline says so.

import { dangersOf } from "./instruments.js";
import { groupsOf, read, stateOf, tally, tallyOfGroup, tallyOfLine } from "./truth.js";

/** @typedef {import("./truth.js").Tally} Tally */

export class House {
  /** @type {import("./truth.js").Picture} */
  picture;
  /** @type {import("./truth.js").Group[]} */
  groups = [];
  /** @type {Map<string, Tally>} */
  tallies = new Map();
  /** @type {import("./truth.js").State[]} */
  states = [];
  /** @type {"offline" | "fault" | "half" | "closed" | null} */
  trouble = null;
  /** @type {import("./truth.js").Instrument[]} detectors that warn */
  dangers = [];
  due = 0;

  // fact: the entry of /api/v1/stations (a document without areas, with region and location)
  /** @param {import("./wire.js").Document} fact */
  constructor(fact) {
    this.id = fact.station;
    this.region = fact.region?.at(-1) ?? "";
    this.where = fact.location ?? null;
    this.picture = read(fact);
    this.#begin();
  }

  /** @param {import("./wire.js").Document} doc */
  take(doc) {
    this.picture = read(doc);
    this.#begin();
  }

  #begin() {
    this.groups = this.picture.whole ? groupsOf(this.picture) : [];
    this.due = 0;
  }

  // Counts by key and the station's trouble at `now`; `due` is when the answer may next change by itself.
  /** @param {import("./truth.js").Now} now */
  look(now) {
    if (now !== null && now < this.due) return false;
    const { picture } = this;
    this.tallies = new Map();
    if (picture.whole) for (const group of this.groups) this.tallies.set(group.key, tallyOfGroup(group, picture, now));
    else for (const line of picture.summary) this.tallies.set(line.key, tallyOfLine(line, picture, now));
    this.states = picture.resources.map((r) => stateOf(r, picture, now));
    this.dangers = dangersOf(picture, now);
    this.trouble = this.#trouble();
    this.due = now === null ? 0 : this.#next(now);
    return true;
  }

  // The windows of a station on the map and in the sheet: its first countable kind.
  get face() {
    const first = [...this.tallies.values()][0] ?? tally(this.states);
    if (this.trouble === "fault") return { usable: first.min ? "yes" : first.max ? "unknown" : "no", because: "fault" };
    if (this.trouble === "closed") return { usable: "no", because: "closed" };
    if (this.trouble === "offline" || this.trouble === "half")
      return { usable: this.trouble === "half" && first.min ? "yes" : "unknown", because: null };
    return { usable: first.min ? "yes" : first.max ? "unknown" : "no", because: null };
  }

  // offline: nothing known; fault: something broken; half: much unknown; closed; full; null: fine.
  #trouble() {
    const sums = [...this.tallies.values()];
    const total = sums.reduce((n, t) => n + t.total, 0);
    const unknown = sums.reduce((n, t) => n + t.max - t.min, 0);
    if (total && sums.every((t) => t.shut === t.total)) return "closed";
    if (total && unknown === total) return "offline";
    if (this.states.some((s) => s.why === "fault") || sums.some((t) => t.broken)) return "fault";
    if (unknown * 5 >= total && unknown > 0) return "half";
    return null;
  }

  /** @param {number} now */
  #next(now) {
    const { picture } = this;
    const shown = [...picture.resources, ...picture.instruments];
    const ends = picture.whole ? shown.map((r) => (r.evidence === "live" ? r.validUntil : null)) : [picture.validUntil];
    return Math.min(...[...ends, picture.openUntil].filter((end) => end !== null).filter((end) => end > now), Infinity);
  }

  broken() {
    return this.picture.resources.filter((_, i) => this.states[i]?.why === "fault");
  }

  // Things that ought to be heard and never were.
  never() {
    return this.picture.resources.filter((r) => r.evidence === "never" && r.observedAt === null && r.lifecycle === "active" && r.health !== "maintenance");
  }

  silent() {
    return this.states.filter((s) => s.usable === "unknown").length;
  }

  // Since when the silent ones are silent: the first of them, or the last if all are.
  silentSince() {
    const times = this.picture.resources
      .filter((_, i) => this.states[i]?.usable === "unknown")
      .map((r) => r.observedAt)
      .filter((at) => at !== null);
    return times.length ? (this.trouble === "offline" ? Math.max(...times) : Math.min(...times)) : null;
  }

  lastNews() {
    const times = this.picture.resources.map((r) => r.observedAt).filter((t) => t !== null);
    return times.length ? Math.max(...times) : null;
  }
}
