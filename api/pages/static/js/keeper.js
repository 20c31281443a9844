// What keeps a page alive for months: the last picture on disk, its reload on a new build, at night and after errors.
// It only ever reloads when the server has just answered, so a dead server never leaves a browser's error page on the wall.

import { hhmm } from "./time.js";

const CHECK_S = 60;
const SHELL_MS = 4000;
const SAVE_MS = 10_000;

export const storage = {
  get(key) {
    try {
      return JSON.parse(localStorage.getItem(key) ?? "null");
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch {
      /* full or forbidden: the picture is a comfort, not a promise */
    }
  },
};

// A screen keeps its name over reboots, so that the server misses it when it is gone; a second tab takes another.
function nameOfScreen() {
  const fresh = () => Math.random().toString(36).slice(2, 12);
  const own = sessionStorage.getItem("yizhan:screen");
  const used = Math.abs(Date.now() - (storage.get("yizhan:screen:used") ?? 0)) < 3000;
  const name = own ?? ((!used && storage.get("yizhan:screen")) || fresh());
  if (!used) storage.set("yizhan:screen", name);
  sessionStorage.setItem("yizhan:screen", name);
  return name;
}

// The service worker keeps the page; on a slow line it waits until what is asked for now has come.
export function keepShell() {
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js").catch(() => {});
}

export class Keeper {
  #errors = 0;
  #saved = -Infinity;
  #started = performance.now();
  #nightly = 4 * 60 + Math.floor(Math.random() * 20); // minutes after midnight, spread over 20

  // wall: a station screen, which checks in by name, each checkS; clock: the ServerClock that learns from each answer
  /** @param {{station?: string, build?: string, clock: import("./clock.js").ServerClock, zone: string, wall?: boolean, checkS?: number}} page */
  constructor({ station = "", build, clock, zone, wall = false, checkS = CHECK_S }) {
    this.station = station;
    this.build = build;
    this.clock = clock;
    this.zone = zone;
    this.wall = wall;
    if (wall) this.screen = nameOfScreen();
    this.proof = document.documentElement.dataset.wall ?? ""; // that this is a wall's page; each check-in brings the next
    addEventListener("error", () => this.#errors++);
    addEventListener("unhandledrejection", () => this.#errors++);
    if (wall) this.check(); // the others learn the time from their line, and ask for the build a minute later
    setInterval(() => this.check(), checkS * 1000);
    setTimeout(keepShell, wall ? 0 : SHELL_MS);
  }

  remember(key, doc) {
    if (performance.now() - this.#saved < SAVE_MS) return;
    this.#saved = performance.now();
    storage.set(`yizhan:picture:${key}`, doc);
  }

  recall(key) {
    return storage.get(`yizhan:picture:${key}`);
  }

  // The end of a query by which the server knows the wall; nothing on other pages.
  who() {
    return this.wall ? `&screen=${this.screen}&wall=${this.proof}` : "";
  }

  async check() {
    const answer = await fetch(this.wall ? `/build?station=${this.station}${this.who()}` : "/build", {
      cache: "no-store",
      signal: AbortSignal.timeout(5000),
    })
      .then((r) => r.json())
      .catch(() => null);
    if (!answer) return;
    this.clock.hear(answer.time_ms, { fresh: true });
    this.proof = answer.wall ?? this.proof;
    const upMs = performance.now() - this.#started;
    if (answer.build !== this.build && this.#mayReload()) return location.reload();
    if (!answer.filling && document.querySelector(".filling") && this.#mayReload()) return location.reload(); // the past is whole now
    if (this.#errors > 0 && this.#mayReload()) return location.reload();
    if (this.wall && upMs > 3_600_000 && this.#isNightly()) return location.reload();
  }

  // Once a second: this tab uses this name.
  beat() {
    if (this.wall) storage.set("yizhan:screen:used", Date.now());
  }

  #isNightly() {
    const [hours, minutes] = hhmm(this.clock.show(), this.zone).split(":").map(Number);
    const minute = 60 * hours + minutes;
    return minute >= this.#nightly && minute < this.#nightly + 30;
  }

  // The page no longer fits what the server sends.
  renew() {
    if (this.#mayReload()) location.reload();
  }

  // At most one reload in five minutes, whatever goes wrong.
  #mayReload() {
    const last = storage.get("yizhan:reloaded") ?? 0;
    if (Math.abs(Date.now() - last) < 300_000) return false;
    storage.set("yizhan:reloaded", Date.now());
    return true;
  }
}
