// What the faces of one station share: its place, words and clock, the newest picture, the line to the server, the beat.

import { boardOf } from "./board.js";
import { ServerClock } from "./clock.js";
import { $, setText } from "./draw.js";
import { Feed } from "./feed.js";
import { paintBanner, paintNight } from "./frame.js";
import { Keeper } from "./keeper.js";
import { read, stateOf } from "./truth.js";
import { nameIn, speaker } from "./words.js";

export const root = document.documentElement;
export const query = new URLSearchParams(location.search);
export const place = JSON.parse($("#place").textContent);

export class Face {
  clock = new ServerClock();
  picture = null;
  board = null;
  #shape = null;
  #lastNews = null;

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

  // voices: those of the board; built(board): lay its parts out; paint({now, at, contact}): what else the page shows, each second;
  // heard(picture): after each document; alert(): staff have news
  start({ voices, built, paint, heard = () => {}, alert }) {
    Object.assign(this, { voices, built, paint, heard });
    const station = encodeURIComponent(place.id);
    const on = {
      document: (doc) => this.#receive(doc),
      stamp: (ms, fresh) => this.#stamp(ms, fresh),
      contact: () => this.show(),
      alert,
    };
    const line = () => `/api/v1/stream?station=${station}${this.keeper.who()}`;
    this.feed = new Feed(line, on, `/api/v1/stations/${station}`, this.keeper.wall);
    this.#name();
    this.#recall();
    this.#beat();
  }

  show() {
    const now = this.clock.now();
    const at = this.clock.show();
    const contact = this.feed.contact === true;
    paintNight(at, place.timezone, place.night, this.theme);
    if (this.picture) {
      this.#build();
      this.board.paint(now, this.picture, contact);
    }
    this.paint({ now, at, contact });
    const { resources } = this.picture ?? {};
    setText($(".wait"), !resources ? this.say("connecting") : resources.length ? "" : this.say("nothing"));
    const lit = resources?.some((r) => stateOf(r, this.picture, now).usable === "yes");
    paintBanner($(".banner"), { contact: this.feed.contact, lastNews: this.#lastNews, lit }, this.voice);
  }

  // Anew only when the set of resources or their names changed; else only states are painted.
  #build() {
    const shape = this.picture.resources.map((r) => [r.id, r.key, r.area, nameIn(r.name, this.say.lang)].join("|")).join("\n");
    if (shape === this.#shape) return;
    this.#shape = shape;
    this.board = boardOf(this.picture, this.voices);
    this.built(this.board);
  }

  #receive(doc) {
    if (doc.station !== place.id) return;
    this.picture = read(doc);
    this.clock.hear(this.picture.asOf);
    this.#lastNews = Math.max(this.picture.asOf, this.clock.now() ?? 0);
    this.keeper.remember(place.id, doc);
    this.show();
    this.heard(this.picture);
  }

  #stamp(ms, fresh) {
    this.clock.hear(ms, { fresh });
    this.#lastNews = Math.max(this.#lastNews ?? 0, ms || 0);
  }

  #name() {
    for (const node of document.querySelectorAll("[data-say]")) node.textContent = (node.lang ? this.second : this.say)(node.dataset.say);
    const own = nameIn(place.name, this.say.lang);
    setText($("h1 b"), own);
    setText($("h1 small"), nameIn(place.name, this.second.lang));
    document.title = own;
  }

  #recall() {
    const old = this.keeper.recall(place.id);
    if (old?.station !== place.id) return;
    this.picture = read(old);
    this.#lastNews = this.picture.asOf;
  }

  #beat() {
    this.keeper.beat();
    this.feed.watch();
    this.show();
    setTimeout(() => this.#beat(), 1000 - (this.clock.show() % 1000) + 5);
  }
}
