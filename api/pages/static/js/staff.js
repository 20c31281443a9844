// What only staff may see and do. The session is a cookie; without one the pages simply do not offer it.

import { act, get } from "./deeds.js";

const AGAIN_MS = 15_000;
const OPERATORS = ["operator", "admin"];

export class Staff {
  /** @type {{name: string, role: string, stations: string[], regions: string[]} | null} */
  who = null;
  /** @type {any[]} */
  alerts = [];
  /** @type {any[]} */
  orders = [];
  /** @type {{name: string, role: string, everywhere: boolean, stations: string[]}[]} */
  people = [];
  hasBoxes = false; // of stations that tell this centre
  looks = 0;
  seen = 0;
  /** @type {ReturnType<typeof setTimeout> | null} */
  timer = null;

  // station: only what is about it; changed is called after each look
  constructor(/** @type {() => void} */ changed, /** @type {string | null} */ station = null) {
    this.changed = changed;
    this.only = station === null ? "" : `&station=${encodeURIComponent(station)}`;
  }

  get allowed() {
    return this.who !== null;
  }

  // May he act, or only look?
  get acts() {
    return OPERATORS.includes(this.who?.role ?? "");
  }

  async enter() {
    this.who = await get("/api/v1/session");
    if (!this.allowed) return;
    const [staff, told] = await Promise.all([get("/api/v1/staff"), get("/api/v1/boxes")]);
    this.people = staff?.staff ?? [];
    this.hasBoxes = (told?.boxes ?? []).length > 0;
    await this.load();
    setInterval(() => this.load(), AGAIN_MS);
  }

  async load() {
    if (!this.allowed) return;
    const look = ++this.looks;
    const [open, held, orders] = await Promise.all([
      get(`/api/v1/alerts?state=open&limit=1000${this.only}`),
      get(`/api/v1/alerts?state=acknowledged&limit=1000${this.only}`),
      get(`/api/v1/orders?${this.only.slice(1)}`),
    ]);
    if (look < this.seen) return; // a later look was answered before
    this.seen = look;
    if (open && held) this.alerts = [...open.alerts, ...held.alerts];
    if (orders) this.orders = orders.orders;
    this.changed();
  }

  // Many alerts at once are one look.
  soon() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.load();
    }, 1000);
  }

  // Who can be given work at a station: whoever may act there.
  workersAt(/** @type {string} */ station) {
    return this.people.filter((one) => OPERATORS.includes(one.role) && (one.everywhere || one.stations.includes(station)));
  }

  async act(/** @type {string} */ what, /** @type {any} */ item, /** @type {any} */ given) {
    const answer = await act(what, item, { ...given, me: this.who?.name ?? "" });
    await this.load();
    return answer;
  }
}
