// The one line to the server: named events in, contact or silence out. A page has exactly one.
//
// A browser keeps a dead EventSource open for minutes, so silence is measured here: the server sends a heartbeat every 5 s;
// after 8 s without any event contact counts as lost (the banner is up within 10 s) and the line is made anew.
// A browser has six connections to a server over HTTP/1.1, for all tabs together: walls and phones share a line, and a tab that
// nobody sees gives its own back.

import { SharedLine } from "./shared-line.js";

const SILENT_MS = 8000;
const HIDDEN_MS = 10_000;
const RETRY_MS = [500, 1000, 2000, 4000]; // then every 4 s: back within 10 s of the server's return

/**
 * @typedef {object} Ears
 * @property {(doc: import("./wire.js").Document, kind: "snapshot" | "availability") => void} document
 * @property {((alert: unknown) => void) | undefined} [alert]
 * @property {(ms: number, fresh: boolean) => void} stamp
 * @property {(contact: boolean | null) => void} contact
 */

export class Feed {
  /** @type {EventSource | SharedLine | null} */
  #source = null;
  #heard = -Infinity;
  #opened = -Infinity;
  #born = performance.now();
  #tries = 0;
  /** @type {ReturnType<typeof setTimeout> | null} */
  #retry = null;
  /** @type {number | null} */
  #hiddenAt = null;
  #resting = false;

  // on: {document(doc, kind), alert(alert), stamp(ms, fresh), contact(bool)}
  // url(): its address, asked for anew each time
  // instead: where the one document can be fetched while the server has no stream to give (all slots taken)
  // shared: the station whose line all pages of the browser may share; null for one of its own, as for staff, who hear of alerts
  // wall: a page that calls itself hidden from the start keeps its line; some signage boxes say so of all they show
  /**
   * @param {() => string} url
   * @param {Ears} on
   * @param {string | null} instead
   * @param {string | null} shared
   */
  constructor(url, on, instead = null, wall = false, shared = null) {
    this.url = url;
    this.shared = shared;
    this.on = on;
    this.instead = instead;
    /** @type {boolean | null} */
    this.contact = null;
    this.mayRest = !wall || !document.hidden;
    document.addEventListener("visibilitychange", () => this.#seen());
    this.#open();
  }

  // Call once a second.
  watch() {
    const now = performance.now();
    if (this.#rests(now)) return;
    if (this.#source instanceof SharedLine) this.#source.alive();
    const silent = now - Math.max(this.#heard, this.#born) > SILENT_MS;
    if (silent && this.contact !== false) this.#tell(false);
    if (silent && this.#retry === null && now - this.#opened > SILENT_MS) this.#again();
  }

  /** @param {number} now */
  #rests(now) {
    if (!document.hidden || !this.mayRest) return false;
    this.#hiddenAt ??= now;
    if (!this.#resting && now - this.#hiddenAt > HIDDEN_MS) {
      this.#resting = true;
      this.close();
      this.#retry = null;
      this.#tell(null);
    }
    return this.#resting;
  }

  #seen() {
    if (document.hidden) return;
    this.mayRest = true;
    this.#hiddenAt = null;
    if (!this.#resting) return;
    this.#resting = false;
    this.#born = performance.now();
    this.#tries = 0;
    this.#open();
  }

  close() {
    clearTimeout(this.#retry ?? undefined);
    this.#source?.close();
  }

  #open() {
    this.#retry = null;
    this.#opened = performance.now();
    this.#source?.close();
    // Where sharing brings nothing twice, it is given up: a line of one's own needs nobody else.
    const share = this.shared !== null && this.#tries < 2;
    const source = (share && SharedLine.to(this.url(), /** @type {string} */ (this.shared))) || new EventSource(this.url());
    this.#source = source;
    const listen = (/** @type {string} */ name, /** @type {(data: any) => void} */ handle) => source.addEventListener(name, (event) => source === this.#source && this.#event(/** @type {MessageEvent} */ (event), handle));
    listen("snapshot", (data) => this.on.document(data, "snapshot"));
    listen("availability", (data) => this.on.document(data, "availability"));
    listen("alert", (data) => this.on.alert?.(data));
    listen("heartbeat", (data) => this.on.stamp(Date.parse(data.time ?? data.as_of ?? data.now), true));
    source.onerror = () => source === this.#source && this.#again();
  }

  /**
   * @param {MessageEvent} event
   * @param {(data: any) => void} handle
   */
  #event(event, handle) {
    this.#tries = 0;
    const data = event.data ? JSON.parse(event.data) : {};
    this.#take(data, handle);
    const age = /** @type {any} */ (event).age ?? 0; // what another page heard before: it is now so much later, at least
    if (age > 0 && data.as_of) this.on.stamp(Date.parse(data.as_of) + age, false);
  }

  /**
   * @param {any} data
   * @param {(data: any) => void} handle
   */
  #take(data, handle) {
    this.#heard = performance.now();
    handle(data);
    if (!this.contact) this.#tell(true);
  }

  /** @param {string} instead */
  async #ask(instead) {
    const answer = await fetch(instead, { cache: "no-store", signal: AbortSignal.timeout(5000) }).catch(() => null);
    const doc = answer?.ok ? await answer.json().catch(() => null) : null;
    if (!answer || !doc) return;
    this.on.stamp(Date.parse(answer.headers.get("date") ?? ""), false);
    this.#take(doc, (data) => this.on.document(data, "snapshot"));
  }

  #again() {
    this.#source?.close();
    if (this.#retry !== null) return;
    if (this.instead !== null && this.#tries > 0) this.#ask(this.instead);
    const wait = RETRY_MS[Math.min(this.#tries++, RETRY_MS.length - 1)];
    this.#retry = setTimeout(() => this.#open(), wait * (0.8 + 0.4 * Math.random()));
  }

  /** @param {boolean | null} contact */
  #tell(contact) {
    this.contact = contact;
    this.on.contact(contact);
  }
}
