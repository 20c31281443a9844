// One station on a phone, the same truth as on the wall.

import { showBusy } from "./busy.js";
import { dialogs } from "./dialogs.js";
import { $, setText } from "./draw.js";
import { Face, place, query, root } from "./face.js";
import { paintDoor } from "./frame.js";
import { airText } from "./instruments.js";
import { storage } from "./keeper.js";
import { nearBox } from "./near.js";
import { PHONE } from "./phone-words.js";
import { askTally } from "./tally.js";

const face = new Face({ words: PHONE });
const { clock, say, second } = face;
const voice = { ...face.voice, flow: true };
const voices = { hero: () => voice, row: () => ({ ...voice, short: true }), tile: voice };
/** @type {ReturnType<typeof nearBox> | null} */
let near = null;

function built({ hero, rows, tiles }) {
  near = hero && nearBox(hero.near, place, { say, second, clock });
  $(".hero-slot").replaceChildren(...(hero ? [hero.node] : []));
  $(".rows").replaceChildren(...rows.map((row) => row.node));
  $(".tiles").replaceChildren(...tiles.map((tile) => tile.node));
}

function paint({ now, contact }) {
  if (!face.picture) return;
  paintDoor($(".door"), face.picture, now, contact, voice);
  setText($(".air"), airText(face.picture, now, " · "));
  const hero = face.board?.hero;
  if (hero && near) hero.windows.hidden = near(hero.node.dataset.form === "closed", hero.node.dataset.kind);
}

function letters(size) {
  root.dataset.letters = size;
  storage.set("yizhan:letters", size);
  setText($(".letters"), say(size === "large" ? "smaller" : "larger"));
}

dialogs(place, { say, picture: () => face.picture });
face.start({ voices, built, paint, shared: true });
letters(query.get("letters") ?? storage.get("yizhan:letters") ?? "normal");
for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("button.letters, button.report"))) button.hidden = false;
$(".letters").addEventListener("click", () => letters(root.dataset.letters === "large" ? "normal" : "large"));

showBusy();
askTally(place, say);
document.documentElement.dataset.runs = "yes"; // see too-old.js
