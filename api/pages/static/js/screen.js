// The station screen: for a wall, seen from afar, touched by nobody, true even when everything behind it is dead.

import { $, el, setData, setText } from "./draw.js";
import { Face, place, query, root } from "./face.js";
import { letterScale, paintClock, paintDoor } from "./frame.js";
import { airText } from "./instruments.js";
import { KINDS } from "./kinds.js";
import { nearBox } from "./near.js";
import { patterns } from "./patterns.js";
import { planOf } from "./plan.js";
import { age } from "./time.js";
import { oldest, thingsOf } from "./truth.js";
import { nameIn, tag } from "./words.js";

const PAGE_MS = 12_000; // the lower band turns its page, if it has more than one
const TILE = { width: 39, height: 11 }; // rem
const CROWD = 16; // more windows need more of the width
const SHIFT_MS = 600_000; // two pixels against burn-in

const scale = letterScale(
  Number(query.get("distance_m")) || place.distance_m,
  Number(query.get("inches")) || place.screen_inches,
);
const large = scale > 1.15;
const words = { "alert.shard_away": ["网关失联", "閘道失聯", "gateway away"] };
const face = new Face({ wall: true, words, second: tag(place.second), theme: place.theme === "auto" ? null : place.theme });
const { clock, say, second, voice } = face;

/** @type {Awaited<ReturnType<typeof planOf>>} */
let plan = null;
/** @type {ReturnType<typeof nearBox> | null} */
let near = null;

const voices = {
  hero: (groups) => ({ ...voice, largest: [34, 16][groups.length - 1] ?? 12 }), // the fewer there are, the larger
  row: (groups) => ({ ...voice, largest: [12, 7.6][groups.length - 2] ?? 4.9 }), // alike in every row
  tile: voice,
};

function built({ hero, rows, tiles }) {
  near = hero && nearBox(hero.near, place, { say, second, clock });
  const board = rows.length ? el("section", { cls: "board" }, ...rows.map((row) => row.node)) : null;
  $("main").replaceChildren(...[hero?.node, board].filter(Boolean));
  setData($("main"), "shape", hero ? (rows.length ? "both" : "solo") : "none");
  setData($("main"), "rows", rows.length);
  $("main").style.setProperty("--rows", rows.length);
  setData($("main"), "crowd", hero && hero.windows.childElementCount > CROWD ? "yes" : null);
  $(".tiles").replaceChildren(...tiles.map((tile) => tile.node), $(".code"));
}

const portrait = () => matchMedia("(orientation: portrait)").matches;

// How the things of the lower band stand: in so many columns and rows, so large; those that fit no page turn every 12 s.
// Alone on the wall they take all of it.
function layout(count) {
  if ($("main").dataset.shape === "none") return grown(count);
  const columns = portrait() ? 2 : large ? 3 : 4;
  const most = portrait() ? 5 : large ? 1 : 2;
  const rows = Math.ceil(count / columns);
  if (rows <= most || large) return { columns, rows: Math.min(rows, most) || 1, zoom: 1 };
  return portrait() ? { columns, rows: Math.min(rows, 7), zoom: 0.9 } : { columns: count > 12 || count < 11 ? 5 : 4, rows: count < 11 ? 2 : 3, zoom: 0.9 };
}

// The largest size at which all fit beside the code, in rem of the drawing.
function grown(count) {
  const rem = parseFloat(getComputedStyle(root).fontSize);
  const [beside, above] = portrait() ? [12, 42] : [37, 32]; // what the margins, the code, head and foot take
  const [width, height] = [innerWidth / rem - beside, innerHeight / rem - above];
  let found = { columns: 1, rows: count || 1, zoom: 0 };
  for (let columns = 1; columns <= 4; columns++) {
    const rows = Math.ceil(count / columns) || 1;
    const zoom = Math.min(2.4, width / columns / TILE.width, height / rows / TILE.height);
    if (zoom > found.zoom) found = { columns, rows, zoom };
  }
  const fits = Math.max(1, Math.floor(height / TILE.height / Math.max(found.zoom, 0.9)));
  return { ...found, rows: Math.min(found.rows, fits), zoom: Math.max(found.zoom, 0.9) };
}

// What may save a life is on every page.
function turn(tiles, at) {
  const { columns, rows, zoom } = layout(tiles.length);
  const vital = (/** @type {any} */ tile) => KINDS[tile.node.dataset.kind]?.vital;
  const pinned = tiles.filter(vital).slice(0, columns * rows - 1);
  const rest = tiles.filter((/** @type {any} */ tile) => !pinned.includes(tile));
  const room = tiles.length > columns * rows ? columns * rows - pinned.length : tiles.length;
  const pages = Math.max(1, Math.ceil(rest.length / room));
  const page = Math.floor(at / PAGE_MS) % pages;
  rest.forEach((/** @type {any} */ tile, /** @type {number} */ i) => {
    tile.node.hidden = Math.floor(i / room) !== page;
  });
  setData($(".tiles"), "rows", rows);
  setData($(".tiles"), "small", zoom < 1 ? "yes" : null);
  for (const [name, value] of Object.entries({ "tile-rows": rows, "tile-columns": columns, zoom }))
    $(".tiles").style.setProperty(`--${name}`, String(value));
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
face.start({ voices, built, paint, shared: true });
if (place.plan)
  planOf(place, say).then((found) => {
    plan = found;
    document.body.append(patterns());
    face.show();
  });

document.documentElement.dataset.runs = "yes"; // see too-old.js
