// The station screen: for a wall, seen from afar, touched by nobody, true even when everything behind it is dead.

import { $, el, setData, setText } from "./draw.js";
import { ServerClock } from "./clock.js";
import { Feed } from "./feed.js";
import { heroOf } from "./hero.js";
import { patterns } from "./patterns.js";
import { planOf } from "./plan.js";
import { rowOf } from "./row.js";
import { tileOf } from "./tile.js";
import { Keeper } from "./keeper.js";
import { age } from "./time.js";
import { groupsOf, oldest, read, stateOf, thingsOf } from "./truth.js";
import { nearBox } from "./near.js";
import { letterScale, paintBanner, paintClock, paintDoor, paintNight } from "./frame.js";
import { nameIn, speaker, tag } from "./words.js";

const PAGE_MS = 12_000; // the lower band turns its page, if it has more than one
const SHIFT_MS = 600_000; // two pixels against burn-in

const root = document.documentElement;
const place = JSON.parse($("#place").textContent);
const query = new URLSearchParams(location.search);
const say = speaker(root.lang);
const second = speaker(root.lang === "en" ? "zh-Hans" : tag(place.second));
const zone = place.timezone;
const voice = { zone, say, second, place };
const clock = new ServerClock();
const keeper = new Keeper({ station: place.id, build: root.dataset.build, clock, zone, wall: true });

let plan = null;
let picture = null;
let parts = [];
let hero = null;
let tiles = [];
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

// Build anew only when the set of resources or their names changed; else only states are painted.
function build() {
  const now = picture.resources.map((r) => [r.id, r.key, r.area, nameIn(r.name, say.lang)].join("|")).join("\n");
  if (now === shape) return;
  shape = now;
  const groups = groupsOf(picture);
  const things = thingsOf(picture).filter((r, i, all) => r.kind !== "door" || all.findIndex((o) => o.kind === "door") !== i);
  hero = groups.length ? heroOf(groups[0], { ...voice, largest: groups.length > 1 ? 9.4 : 14 }) : null;
  near = hero && nearBox(hero.near, place, { say, second, clock });
  const rows = groups.slice(1).map((group) => rowOf(group, { ...voice, largest: groups.length > 3 ? 4.9 : 7.6 }));
  tiles = things.map((resource) => tileOf(resource, voice));
  const ids = (list) => new Set(list.map((r) => r.id));
  parts = [
    ...(hero ? [{ part: hero, ids: ids(groups[0].resources) }] : []),
    ...rows.map((part, i) => ({ part, ids: ids(groups[i + 1].resources) })),
    ...tiles.map((part, i) => ({ part, ids: ids([things[i]]) })),
  ];
  $("main").replaceChildren(
    ...[hero?.node, rows.length ? el("section", { cls: "board" }, ...rows.map((row) => row.node)) : null].filter(Boolean),
  );
  setData($("main"), "shape", hero ? (rows.length ? "both" : "solo") : "none");
  setData($("main"), "rows", rows.length);
  $("main").style.setProperty("--rows", rows.length);
  $(".tiles").replaceChildren(...tiles.map((tile) => tile.node), $(".code"));
}

const portrait = () => matchMedia("(orientation: portrait)").matches;
// How many things the lower band holds at once: two rows beside the code, five upright, a whole page when there is nothing else.
function capacity() {
  const columns = portrait() ? 2 : letterScale(...reading) > 1.15 ? 3 : 4;
  const rows = $("main").dataset.shape === "none" ? (portrait() ? 14 : 7) : portrait() ? 5 : columns === 3 ? 1 : 2;
  return { most: columns * rows, rows: Math.min(rows, Math.ceil(tiles.length / columns) || 1) };
}
const reading = [Number(query.get("distance_m")) || place.distance_m, Number(query.get("inches")) || place.screen_inches];

// More things than the band holds: it turns its page every 12 s, with a page mark.
function turn(at) {
  const { most, rows } = capacity();
  const pages = Math.ceil(tiles.length / most);
  const page = pages > 1 ? Math.floor(at / PAGE_MS) % pages : 0;
  tiles.forEach((tile, i) => {
    tile.node.hidden = Math.floor(i / most) !== page;
  });
  setData($(".tiles"), "rows", rows);
  $(".tiles").style.setProperty("--tile-rows", rows);
  setText($(".mark"), pages > 1 ? say("page_of", { n: page + 1, of: pages }) : "");
}

function show() {
  const at = clock.show();
  const now = clock.now();
  const contact = feed.contact === true;
  paintClock($(".clock"), at, voice);
  paintNight(at, zone, place.night, query.get("theme") ?? (place.theme === "auto" ? null : place.theme));
  root.style.setProperty("--shift", `${(Math.floor(at / SHIFT_MS) % 3) - 1}px`);
  let lit = false;
  if (picture) {
    build();
    for (const { part, ids } of parts)
      part.paint(
        now,
        picture,
        picture.resources.filter((r) => ids.has(r.id)),
        contact,
      );
    plan?.paint(picture, now);
    lit = picture.resources.some((r) => stateOf(r, picture, now).usable === "yes");
    paintDoor($(".door"), picture, now, contact, voice);
    turn(at);
    paintFoot(now, contact);
    if (hero) showNearby();
  }
  setText($(".wait"), picture ? (picture.resources.length ? "" : say("nothing")) : say("connecting"));
  paintBanner($(".banner"), { contact: feed.contact, lastNews, lit }, voice);
}

function paintFoot(now, contact) {
  $(".foot .shut").hidden = !picture.resources.some((r) => r.access === "closed");
  const at = oldest(thingsOf(picture));
  setText($(".foot .age"), contact && now !== null && at !== null ? say("lower_age", { age: age(at, now, say) }) : "");
}

// The station is shut: the doorway says so, and the windows give way to the next open stations.
function showNearby() {
  const instead = near(hero.node.dataset.form === "closed", hero.node.dataset.kind);
  hero.windows.hidden = instead || plan !== null;
  if (!plan) return;
  plan.node.toggleAttribute("hidden", instead);
  if (!plan.node.isConnected) hero.windows.after(plan.node);
}

function size() {
  root.style.setProperty("--k", letterScale(...reading));
  setData(root, "letters", letterScale(...reading) > 1.15 ? "large" : "drawn");
}

const feed = new Feed(
  `/api/v1/stream?station=${encodeURIComponent(place.id)}&screen=${keeper.screen}`,
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

function start() {
  size();
  for (const node of document.querySelectorAll("[data-say]")) node.textContent = (node.lang ? second : say)(node.dataset.say);
  if (place.plan)
    planOf(place, say).then((found) => {
      plan = found;
      document.body.append(patterns());
      show();
    });
  const old = keeper.recall(place.id);
  if (old?.station === place.id) {
    picture = read(old);
    lastNews = picture.asOf;
  }
  setText($("h1 b"), nameIn(place.name, say.lang));
  setText($("h1 small"), nameIn(place.name, second.lang));
  $("h1").classList.toggle("long", nameIn(place.name, say.lang).length > (say.lang === "en" ? 24 : 11));
  show();
  const beat = () => {
    keeper.beat();
    feed.watch();
    show();
    setTimeout(beat, 1000 - (clock.show() % 1000) + 5);
  };
  beat();
}
start();
