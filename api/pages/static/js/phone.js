// One station on a phone, the same truth as on the wall.

import { $, setText } from "./draw.js";
import { ServerClock } from "./clock.js";
import { dialogs } from "./dialogs.js";
import { Feed } from "./feed.js";
import { heroOf } from "./hero.js";
import { Keeper, storage } from "./keeper.js";
import { nearBox } from "./near.js";
import { paintBanner, paintDoor, paintNight } from "./frame.js";
import { PHONE } from "./phone-words.js";
import { rowOf } from "./row.js";
import { tileOf } from "./tile.js";
import { groupsOf, read, stateOf, thingsOf } from "./truth.js";
import { nameIn, speaker } from "./words.js";

const root = document.documentElement;
const query = new URLSearchParams(location.search);
const place = JSON.parse($("#place").textContent);
const say = speaker(root.lang, PHONE);
const second = speaker(root.lang === "en" ? "zh-Hans" : "en", PHONE);
const zone = place.timezone;
const voice = { zone, say, second, place, flow: true };
const clock = new ServerClock();
const keeper = new Keeper({ station: place.id, build: root.dataset.build, clock, zone });
let picture = null;
let parts = [];
let hero = null;
let shape = "";
let near = null;
let lastNews = null;

function receive(doc) {
  if (doc.station !== place.id) return;
  picture = read(doc);
  clock.hear(picture.asOf);
  lastNews = Math.max(picture.asOf, clock.now() ?? 0);
  keeper.remember(place.id, doc);
  show();
}

function build() {
  const now = picture.resources.map((r) => r.id + r.key + r.area).join();
  if (now === shape) return;
  shape = now;
  const groups = groupsOf(picture);
  const things = thingsOf(picture).filter((r, i, all) => r.kind !== "door" || all.findIndex((o) => o.kind === "door") !== i);
  hero = groups.length ? heroOf(groups[0], voice) : null;
  near = hero && nearBox(hero.near, place, { say, second, clock });
  const rows = groups.slice(1).map((group) => rowOf(group, { ...voice, short: true }));
  const tiles = things.map((thing) => tileOf(thing, voice));
  const members = (list) => new Set(list.map((r) => r.id));
  parts = [
    ...(hero ? [[hero, members(groups[0].resources)]] : []),
    ...rows.map((row, i) => [row, members(groups[i + 1].resources)]),
    ...tiles.map((tile, i) => [tile, members([things[i]])]),
  ];
  $(".hero-slot").replaceChildren(...(hero ? [hero.node] : []));
  $(".rows").replaceChildren(...rows.map((row) => row.node));
  $(".tiles").replaceChildren(...tiles.map((tile) => tile.node));
}

function show() {
  const now = clock.now();
  const contact = feed.contact === true;
  paintNight(clock.show(), zone, place.night, query.get("theme"));
  let lit = false;
  if (picture) {
    build();
    for (const [part, ids] of parts)
      part.paint(
        now,
        picture,
        picture.resources.filter((r) => ids.has(r.id)),
        contact,
      );
    lit = picture.resources.some((r) => stateOf(r, picture, now).usable === "yes");
    paintDoor($(".door"), picture, now, contact, voice);
    if (hero) hero.windows.hidden = near(hero.node.dataset.form === "closed", hero.node.dataset.kind);
  }
  setText($(".wait"), picture ? (picture.resources.length ? "" : say("nothing")) : say("connecting"));
  paintBanner($(".banner"), { contact: feed.contact, lastNews, lit }, voice);
}

function letters(size) {
  root.dataset.letters = size;
  storage.set("yizhan:letters", size);
  setText($(".letters"), say(size === "large" ? "smaller" : "larger"));
}

const feed = new Feed(
  `/api/v1/stream?station=${encodeURIComponent(place.id)}`,
  {
    document: receive,
    stamp: (ms, fresh) => {
      clock.hear(ms, { fresh });
      lastNews = Math.max(lastNews ?? 0, ms || 0);
    },
    contact: show,
  },
  `/api/v1/stations/${encodeURIComponent(place.id)}`,
);

for (const node of document.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
letters(query.get("letters") ?? storage.get("yizhan:letters") ?? "normal");
$(".letters").addEventListener("click", () => letters(root.dataset.letters === "large" ? "normal" : "large"));
setText($("h1 b"), nameIn(place.name, say.lang));
setText($("h1 small"), nameIn(place.name, second.lang));
document.title = nameIn(place.name, say.lang);
const around = dialogs(place, { say, clock, picture: () => picture });
const old = keeper.recall(place.id);
if (old?.station === place.id) {
  picture = read(old);
  lastNews = picture.asOf;
}
const beat = () => {
  feed.watch();
  show();
  around();
  setTimeout(beat, 1000 - (clock.show() % 1000) + 5);
};
beat();
