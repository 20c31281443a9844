// What the faces of one station share: its place, words and clock, the newest picture, the line to the server, the beat.

import { boardOf } from "./board.js";
import { ServerClock } from "./clock.js";
import { $, setData, setText } from "./draw.js";
import { Feed } from "./feed.js";
import { paintBanner, paintNight } from "./frame.js";
import { dangersOf, paintDangers } from "./instruments.js";
import { Keeper } from "./keeper.js";
import { read, stateOf } from "./truth.js";
import { nameIn, speaker } from "./words.js";

export const root = document.documentElement;
export const query = new URLSearchParams(location.search);
// What the server wrote into the page holds for data-holds from when it came over the line; what a cache had kept is over.
const written = () => $("main").classList.contains("first") && !$("main").classList.contains("past");
const arrived = /** @type {PerformanceNavigationTiming | undefined} */ (performance.getEntriesByType("navigation")[0]);
const ended = () => !arrived?.transferSize || performance.now() - arrived.responseStart > Number($("main").dataset.holds) * 1000;

function takeBack() {
  if (!written()) return;
  $("main").classList.add("past");
  for (const node of /** @type {NodeListOf<HTMLElement>} */ ($("main").querySelectorAll('[data-usable="yes"]'))) setData(node, "usable", "unknown");
}

export const place = JSON.parse($("#place").textContent);

/** @typedef {ReturnType<typeof boardOf>} Board */
/**
 * @typedef {object} Parts
 * @property {any} voices  those of the board
 * @property {(board: Board) => void} built  lays its parts out
 * @property {(face: {now: number | null, at: number, contact: boolean}) => void} paint  what else the page shows, each second
 * @property {(picture: import("./truth.js").Picture) => void} [heard]  after each document
 * @property {() => void} [alert]  staff have news
 * @property {boolean} [shared]  whether its line may be shared with other pages
 */

export class Face {
  clock = new ServerClock();
  /** @type {import("./truth.js").Picture | null} */
  picture = null;
  /** @type {Board | null} */
  board = null;
  /** @type {string | null} */
  #shape = null;
  /** @type {number | null} */
  #lastNews = null;
  /** @type {Feed | null} */
  feed = null;
  /** @type {Parts | null} */
  #parts = null;

  // words: a table on top of the common one; second: the smaller language; wall: a screen, which checks in by name;
  // theme: day or night, or null for the clock's
  constructor({ words = {}, second = "en", wall = false, theme = null }) {
    this.say = speaker(root.lang, words);
    this.second = speaker(root.lang === "en" ? "zh-Hans" : second, words);
    this.voice = { zone: place.timezone, say: this.say, second: this.second, place };
    this.theme = query.get("theme") ?? theme;
    const checkS = wall ? place.check_in_s : undefined;
    this.keeper = new Keeper({ station: place.id, build: root.dataset.build, clock: this.clock, zone: place.timezone, wall, checkS });
  }

  /** @param {Parts} parts */
  start(parts) {
    this.#parts = parts;
    const station = encodeURIComponent(place.id);
    const on = {
      document: (/** @type {import("./wire.js").Document} */ doc) => this.#receive(doc),
      stamp: (/** @type {number} */ ms, /** @type {boolean} */ fresh) => this.#stamp(ms, fresh),
      contact: () => this.show(),
      alert: parts.alert,
    };
    const line = () => `/api/v1/stream?station=${station}${this.keeper.who()}`;
    this.feed = new Feed(line, on, `/api/v1/stations/${station}`, this.keeper.wall, parts.shared ? place.id : null);
    this.#name();
    this.#recall();
    this.#beat();
  }

  show() {
    const now = this.clock.now();
    const at = this.clock.show();
    const contact = this.feed?.contact === true;
    paintNight(at, place.timezone, place.night, this.theme);
    const { picture } = this;
    if (picture) picture.lost = this.feed?.contact === false;
    if (picture) this.#build(picture).paint(now, picture, contact);
    else if (this.feed?.contact === false || ended()) takeBack();
    this.#parts?.paint({ now, at, contact });
    const anything = picture && picture.resources.length + picture.instruments.length > 0;
    if (picture || !written()) setText($(".wait"), !picture ? this.say("connecting") : anything ? "" : this.say("nothing"));
    if (picture) paintDangers($(".danger"), dangersOf(picture, now), { say: this.say, second: this.second, names: place.names });
    const lit = picture?.resources.some((r) => stateOf(r, picture, now).usable === "yes");
    paintBanner($(".banner"), { contact: this.feed?.contact, lastNews: this.#lastNews, lit }, this.voice);
  }

  // Anew only when the set of resources or their names changed; else only states are painted.
  /** @param {import("./truth.js").Picture} picture */
  #build(picture) {
    const shape = picture.resources.map((r) => [r.id, r.key, r.area, nameIn(r.name, this.say.lang)].join("|")).join("\n");
    if (this.board && shape === this.#shape) return this.board;
    this.#shape = shape;
    $("main").classList.remove("first", "past");
    this.board = boardOf(picture, this.#parts?.voices);
    this.#parts?.built(this.board);
    return this.board;
  }

  #receive(doc) {
    if (doc.station !== place.id) return;
    const picture = read(doc);
    this.picture = picture;
    this.clock.hear(picture.asOf);
    this.#lastNews = Math.max(picture.asOf, this.clock.now() ?? 0);
    this.keeper.remember(place.id, doc);
    this.show();
    this.#parts?.heard?.(picture);
  }

  #stamp(ms, fresh) {
    this.clock.hear(ms, { fresh });
    this.#lastNews = Math.max(this.#lastNews ?? 0, ms || 0);
  }

  #name() {
    for (const node of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-say]")))
      node.textContent = (node.lang ? this.second : this.say)(node.dataset.say ?? "");
    const own = nameIn(place.name, this.say.lang);
    setText($("h1 b"), own);
    setText($("h1 small"), nameIn(place.name, this.second.lang));
    document.title = own;
  }

  // What the server wrote into the page is newer than what was kept of the last one.
  #recall() {
    if (written() && !ended()) return;
    const old = this.keeper.recall(place.id);
    if (old?.station !== place.id) return;
    this.picture = read(old);
    this.#lastNews = this.picture.asOf;
  }

  #beat() {
    this.keeper.beat();
    this.feed?.watch();
    this.show();
    setTimeout(() => this.#beat(), 1000 - (this.clock.show() % 1000) + 5);
  }
}
