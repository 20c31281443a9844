// The station screen: for a wall, seen from afar, touched by nobody, true even when everything behind it is dead.

import { $, el, setData, setText } from "./draw.js";
import { Face, place, query, root } from "./face.js";
import { letterScale, paintClock, paintDoor } from "./frame.js";
import { airText } from "./instruments.js";
import { nearBox } from "./near.js";
import { patterns } from "./patterns.js";
import { planOf } from "./plan.js";
import { age } from "./time.js";
import { oldest, thingsOf } from "./truth.js";
import { nameIn, tag } from "./words.js";

const PAGE_MS = 12_000; // the lower band turns its page, if it has more than one
const SHIFT_MS = 600_000; // two pixels against burn-in

const scale = letterScale(
  Number(query.get("distance_m")) || place.distance_m,
  Number(query.get("inches")) || place.screen_inches,
);
const large = scale > 1.15;
const face = new Face({ wall: true, second: tag(place.second), theme: place.theme === "auto" ? null : place.theme });
const { clock, say, second, voice } = face;

/** @type {Awaited<ReturnType<typeof planOf>>} */
let plan = null;
/** @type {ReturnType<typeof nearBox> | null} */
let near = null;

const voices = {
  hero: () => ({ ...voice, largest: 12 }),
  row: (groups) => ({ ...voice, largest: [10, 7.6][groups.length - 2] ?? 4.9 }), // alike in every row
  tile: voice,
};

function built({ hero, rows, tiles }) {
  near = hero && nearBox(hero.near, place, { say, second, clock });
  const board = rows.length ? el("section", { cls: "board" }, ...rows.map((row) => row.node)) : null;
  $("main").replaceChildren(...[hero?.node, board].filter(Boolean));
  setData($("main"), "shape", hero ? (rows.length ? "both" : "solo") : "none");
  setData($("main"), "rows", rows.length);
  $("main").style.setProperty("--rows", rows.length);
  $(".tiles").replaceChildren(...tiles.map((tile) => tile.node), $(".code"));
}

const portrait = () => matchMedia("(orientation: portrait)").matches;

// How many things the lower band holds at once: two rows beside the code, five upright, a whole page when there is nothing else.
function capacity(tiles) {
  const columns = portrait() ? 2 : large ? 3 : 4;
  const rows = $("main").dataset.shape === "none" ? (portrait() ? 14 : 7) : portrait() ? 5 : columns === 3 ? 1 : 2;
  return { most: columns * rows, rows: Math.min(rows, Math.ceil(tiles.length / columns) || 1) };
}

// More things than the band holds: it turns its page every 12 s, with a page mark.
function turn(tiles, at) {
  const { most, rows } = capacity(tiles);
  const pages = Math.ceil(tiles.length / most);
  const page = pages > 1 ? Math.floor(at / PAGE_MS) % pages : 0;
  tiles.forEach((tile, i) => {
    tile.node.hidden = Math.floor(i / most) !== page;
  });
  setData($(".tiles"), "rows", rows);
  $(".tiles").style.setProperty("--tile-rows", rows);
  setText($(".mark"), pages > 1 ? say("page_of", { n: page + 1, of: pages }) : "");
}

function paint({ now, at, contact }) {
  paintClock($(".clock"), at, voice);
  root.style.setProperty("--shift", `${(Math.floor(at / SHIFT_MS) % 3) - 1}px`);
  const { picture, board } = face;
  if (!picture || !board) return;
  plan?.paint(picture, now);
  paintDoor($(".door"), picture, now, contact, voice);
  turn(board.tiles, at);
  paintFoot(picture, now, contact);
  if (board.hero) showNearby(board.hero);
}

function paintFoot(picture, now, contact) {
  $(".foot .shut").hidden = !picture.resources.some((r) => r.access === "closed");
  const air = airText(picture, now);
  setText($(".foot .air"), air);
  setText($(".foot .live"), air ? "" : say("slogan"));
  const at = oldest(thingsOf(picture));
  setText($(".foot .age"), contact && now !== null && at !== null ? say("lower_age", { age: age(at, now, say) }) : "");
}

// The station is shut: the doorway says so, and the windows give way to the next open stations.
function showNearby(hero) {
  const instead = near?.(hero.node.dataset.form === "closed", hero.node.dataset.kind) === true;
  hero.windows.hidden = instead || plan !== null;
  if (!plan) return;
  plan.node.toggleAttribute("hidden", instead);
  if (!plan.node.isConnected) hero.windows.after(plan.node);
}

root.style.setProperty("--k", `${scale}`);
setData(root, "letters", large ? "large" : "drawn");
$("h1").classList.toggle("long", nameIn(place.name, say.lang).length > (say.lang === "en" ? 24 : 11));
face.start({ voices, built, paint });
if (place.plan)
  planOf(place, say).then((found) => {
    plan = found;
    document.body.append(patterns());
    face.show();
  });

document.documentElement.dataset.runs = "yes"; // see too-old.js
