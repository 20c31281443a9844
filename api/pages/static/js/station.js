// One station for staff and the curious: now, its week, its alerts, the day of each place.

import { alertLine } from "./alert-line.js";
import { ALERTS } from "./alert-words.js";
import { ByHand } from "./by-hand.js";
import { CaseSheet } from "./case-sheet.js";
import { DEEDS } from "./deed-words.js";
import { get } from "./deeds.js";
import { DESK } from "./desk-words.js";
import { $, el, setText } from "./draw.js";
import { Face, place, root } from "./face.js";
import { openText } from "./frame.js";
import { dayStart, paintHeat } from "./heat.js";
import { House } from "./house.js";
import { forStaff } from "./items.js";
import { Notice } from "./notice.js";
import { Piles } from "./piles.js";
import { paintReports } from "./reported.js";
import { paintRounds } from "./rounds.js";
import { thingOf } from "./say.js";
import { Staff } from "./staff.js";
import { STATION } from "./station-words.js";
import { DAY_MS, HOUR_MS, date } from "./time.js";
import { paintAxis, paintLines } from "./timeline.js";
import { utilization } from "./utilization.js";
import { kindWord, nameIn } from "./words.js";

const AGAIN_MS = 300_000;
const MOST_ALERTS = 8;
const MOST_LEFT_OUT = 50;
const zone = place.timezone;
const perhaps = root.dataset.session === "perhaps";

const face = new Face({ words: { ...ALERTS, ...DESK, ...DEEDS, ...STATION } });
const { clock, say } = face;
const voice = { ...face.voice, flow: true, short: true };
const voices = { row: () => voice, tile: voice };
/** @type {number | null} the begin of the day whose lines are shown; null until the first document */
let dayShown = null;
let turn = 0;
let exported = [];
// What needs a person here.
/** @type {any[]} */
let items = [];
const staff = new Staff(() => alerts(), place.id);
const notice = new Notice(say, () => staff.load());
const sheet = new CaseSheet({ say, zone, staff, clock, acted: deed });
const byHand = new ByHand({ station: place.id, zone, say, clock, acts: () => staff.acts, acted: deed, picture: () => face.picture });

const piles = new Piles({ station: place.id, say, acts: () => staff.acts, acted: deed, picture: () => face.picture });

function built({ rows, tiles }) {
  const things = tiles.length ? [el("ul", { cls: "things" }, ...tiles.map((tile) => tile.node))] : [];
  $(".now").replaceChildren(...rows.map((row) => row.node), ...things);
}

function paint({ now }) {
  if (face.picture) setText($(".open"), openText(face.picture, now, zone, say));
}

// The first document says what there is to ask for.
function heard() {
  if (dayShown !== null) return;
  scopes();
  week();
  day(0);
  if (perhaps) enter();
}

async function enter() {
  await staff.enter();
  if (!staff.allowed) return;
  const lessons = import("../js/lessons.js");
  lessons.then(({ paintLessons }) => paintLessons(place.id, $(".lessons"), say.lang, (kind) => kindWord(say, kind)));
  byHand.lay();
  again();
  if (staff.hasBoxes) (await import("../js/waiting.js")).onStation(place.id, again);
}

// What staff see beside the alerts.
function again() {
  if (!staff.allowed) return;
  byHand.paint();
  piles.paint();
  paintRounds(place.id, clock.show(), face.voice);
  leftOut();
}

async function deed(what, item, given, button) {
  button.disabled = true;
  const answer = await staff.act(what, item, given);
  button.disabled = false;
  notice.tell(what, answer);
  again();
}

function press({ target }) {
  const item = items.find((one) => one.id === target.closest("[data-item]")?.dataset.item);
  if (item) sheet.open(item);
}

function scopes() {
  const areas = [...new Map((face.picture?.resources ?? []).map((r) => [r.area, r.areaName]))];
  $(".scope").setAttribute("aria-label", say("week_use"));
  $(".scope").replaceChildren(
    el("option", { value: "", text: say("whole") }),
    ...areas.map(([id, name]) => el("option", { value: id, text: nameIn(name, say.lang) || id })),
  );
  $(".scope").addEventListener("change", week);
}

async function week() {
  const now = clock.show();
  const area = $(".scope").value;
  const from = dayStart(now - 6 * DAY_MS, zone);
  const to = Math.ceil(now / HOUR_MS) * HOUR_MS;
  const buckets = await utilization(place.id, from, to, "hour", area ? `&area=${encodeURIComponent(area)}` : "");
  paintHeat($(".heat"), $(".ramp"), buckets, now, zone, say);
}

// The lines of the day `step` days from the one shown.
async function day(step) {
  const now = clock.show();
  const mine = ++turn;
  const shown = step === 0 || dayShown === null ? dayStart(now, zone) : dayStart(dayShown + step * DAY_MS + 12 * HOUR_MS, zone);
  dayShown = shown;
  setText($(".day time"), date(shown, zone, say.lang));
  $(".after").disabled = shown === dayStart(now, zone);
  paintAxis($(".axis"), shown, now, zone, say);
  exported = await paintLines($(".groups"), face.picture, place, shown, shown + DAY_MS, {
    now,
    say,
    open: perhaps,
    wanted: () => mine === turn,
  });
}

async function save() {
  const { asCsv } = await import("../js/day-csv.js"); // beside the bundle's folder, as beside this one
  const called = new Map((face.picture?.resources ?? []).map((one) => [one.id, thingOf(one, say)]));
  const table = asCsv(nameIn(place.name, say.lang) || place.id, called, exported, zone, say.lang);
  const link = el("a", {
    download: `${place.id}-${new Date((dayShown ?? clock.show()) + 12 * HOUR_MS).toISOString().slice(0, 10)}.csv`,
    href: URL.createObjectURL(new Blob([table], { type: "text/csv" })),
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// Alerts are for staff; without a session their column is simply not there.
async function alerts() {
  const answer = staff.allowed ? await get(`/api/v1/alerts?station=${encodeURIComponent(place.id)}`) : null;
  if (answer !== null) {
    const house = new House({ .../** @type {any} */ (face.picture).doc, region: place.region });
    house.look(clock.now());
    items = forStaff(staff, [house], clock.now(), face.voice);
    sheet.refresh(items);
    paintReports(place.id, face.picture, clock.show(), face.voice);
  }
  $(".two").classList.toggle("alone", answer === null);
  if (answer === null) return;
  const newest = answer.alerts.toSorted((a, b) => Date.parse(b.opened_at) - Date.parse(a.opened_at)).slice(0, MOST_ALERTS);
  const line = (alert) => alertLine(alert, face.picture, clock.show(), face.voice);
  setText($(".alerts .n"), say("last_n", { n: newest.length }));
  $(".log").replaceChildren(...(newest.length ? newest.map(line) : [el("li", { cls: "none", text: say("no_alerts") })]));
}

// What devices and calendars say that nobody can use: for staff, and only where there is any.
async function leftOut() {
  const found = (await get(`/api/v1/stations/${encodeURIComponent(place.id)}/left-out`))?.left_out ?? [];
  $(".left-out").hidden = found.length === 0;
  setText($(".left-out .n"), say("left_out_n", { n: found.length }));
  const line = ({ what, count }) => el("li", {}, el("code", { text: what }), el("span", { text: `× ${count}` }));
  $(".left-out ul").replaceChildren(...found.slice(0, MOST_LEFT_OUT).map(line));
}

function legend() {
  const sorts = [
    ["y", "free"],
    ["n", "occupied"],
    ["u hatch", "unknown"],
    ["c", "not_open"],
  ];
  $(".legend").replaceChildren(
    ...sorts.map(([cls, key]) => el("span", { cls: "lg" }, el("span", { cls: "tr" }, el("i", { cls })), say(key))),
  );
}

setText($(".address"), [place.region.join(" "), place.address].filter(Boolean).join("　"));
$(".month").hidden = !perhaps;
$(".before").addEventListener("click", () => day(-1));
$(".after").addEventListener("click", () => day(1));
$(".export").addEventListener("click", save);
for (const list of [".log", ".reports ol"]) $(list).addEventListener("click", press);
legend();
$(".heat").setAttribute("aria-label", say("heat_of"));
$(".two").classList.add("alone");
face.start({ voices, built, paint, heard, alert: () => staff.soon() });
setInterval(() => {
  week();
  again();
  if (dayShown === dayStart(clock.show(), zone)) day(0);
}, AGAIN_MS);

document.documentElement.dataset.runs = "yes"; // see too-old.js
