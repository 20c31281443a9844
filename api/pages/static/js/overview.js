// All stations on one page. Documents come as they change; a station is recomputed only then or when one of its values ends.

import { $, el, glyph, setText } from "./draw.js";
import { ServerClock } from "./clock.js";
import { Feed } from "./feed.js";
import { KINDS } from "./kinds.js";
import { House } from "./house.js";
import { Keeper } from "./keeper.js";
import { ALERTS } from "./alert-words.js";
import { CaseSheet } from "./case-sheet.js";
import { DEEDS } from "./deed-words.js";
import { DESK } from "./desk-words.js";
import { placeOf, warningOf } from "./instruments.js";
import { StationMap } from "./map.js";
import { patterns } from "./patterns.js";
import { countsOf, forStaff, fromHouses } from "./items.js";
import { paintNeeds } from "./needs.js";
import { Notice } from "./notice.js";
import { search } from "./search.js";
import { Sheet, textOf as textOfHouse } from "./sheet.js";
import { inSlices } from "./slices.js";
import { rowKeys, weeksOf } from "./sheet-use.js";
import { Staff } from "./staff.js";
import { paintSums } from "./sums.js";
import { age, hhmm } from "./time.js";
import { paintBanner, paintNight } from "./frame.js";
import { nameIn, speaker } from "./words.js";

// What is counted, by type where there are types.
const COLUMNS = Object.values(KINDS)
  .filter((kind) => kind.groups)
  .flatMap((kind) => Object.keys(kind.keys).filter((key, _, keys) => keys.length === 1 || key.includes(":")));
const MANY = 120; // of so many only the rows that one looks at are made
const PAGE = 200; // stations asked for at once
const FEW = 16; // with so few stations a row has room to breathe
const NIGHT = "21:00-06:30";
const HELD_MS = 300;

const root = document.documentElement;
const query = new URLSearchParams(location.search);
const say = speaker(root.lang, { ...ALERTS, ...DESK, ...DEEDS });
const zone = root.dataset.zone ?? "UTC";
const clock = new ServerClock();
const keeper = new Keeper({ build: root.dataset.build, clock, zone });
const houses = new Map();
const changed = new Set();
const staff = new Staff(() => paint(true));
// What needs a person, as last worked out.
/** @type {any[]} */
let items = [];
// What one looks for: nothing else is in the list.
let wanted = "";
let asked = query.get("alert");
const notice = new Notice(say, () => staff.load());
const sheetOfCase = new CaseSheet({ say, zone, staff, clock, acted: deed });
/** @type {any} the sheet and the map are there once the stations are known */
let sheet = null;
/** @type {any} */
let map = null;
/** @type {Feed | null} */
let feed = null;
/** @type {number | null} */
let lastNews = null;
let troubles = "";

async function start() {
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-say]")))
    node.textContent = say(node.dataset.say ?? "");
  document.body.prepend(patterns());
  // Before there is anything to press: contact may paint the list while the rest of what staff see is still asked for.
  $(".need").addEventListener("click", ({ target }) => press(target.closest("button")));
  for (let wait = 500; !(await load()); wait = Math.min(4000, wait * 2)) {
    paintFrame();
    await new Promise((done) => setTimeout(done, wait));
  }
  feed = new Feed(() => "/api/v1/stream", {
    document: (doc) => {
      const house = houses.get(doc.station);
      if (!house) return keeper.renew(); // a station that was configured since

      house.take(doc);
      lastNews = Math.max(lastNews ?? 0, Date.parse(doc.as_of));
      changed.add(house);
    },
    alert: () => staff.soon(),
    stamp: (ms, fresh) => {
      clock.hear(ms, { fresh });
      lastNews = Math.max(lastNews ?? 0, ms || 0);
    },
    contact: () => paint(),
  });
  if (root.dataset.session === "perhaps") await staff.enter();
  setText($(".staff"), say(staff.allowed ? "log_out" : "log_in"));
  if (staff.allowed) $(".staff").addEventListener("click", leave);
  $(".promises").hidden = !staff.allowed;
  $(".boxes").hidden = !staff.hasBoxes;
  const admin = staff.who?.role === "admin"; // who finds devices, and more, on the setup pages
  $(".devices").hidden = !staff.acts || admin;
  $(".setup").hidden = !admin;
  setText($(".who"), staff.who ? whoText() : "");
  rowKeys(sheet);
  search({ say, find, filter: narrow });
  if (asked && !staff.allowed) location.replace(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  new ResizeObserver(async () => {
    await map.lay([...houses.values()]);
    paint(true);
    map.name([...houses.values()]);
  }).observe($("#map"));
  const beat = () => {
    feed?.watch();
    paint();
    setTimeout(beat, 1000 - (clock.show() % 1000) + 5);
  };
  beat();
  weeksOf(sheet, clock);
}

async function load() {
  const facts = [];
  for (let next = ""; next !== null; ) {
    const answer = await fetch(`/api/v1/stations?limit=${PAGE}${next && `&cursor=${encodeURIComponent(next)}`}`)
      .then((r) => r.json())
      .catch(() => null);
    if (!answer?.stations) return false;
    facts.push(...answer.stations);
    next = answer.next ?? null;
  }
  await inSlices(facts, (fact) => {
    const house = new House(fact);
    houses.set(house.id, house);
    changed.add(house);
    clock.hear(house.picture.asOf);
    house.look(clock.now());
  });
  const present = new Set([...houses.values()].flatMap((h) => h.picture.summary.map((line) => line.key)));
  const few = houses.size <= FEW;
  sheet = new Sheet($(".sheet"), COLUMNS.filter((key) => present.has(key)).slice(0, few ? 6 : 4), { say, zone, few, many: houses.size > MANY });
  $(".sheet").classList.toggle("few", few);
  map = new StationMap($("#map"), { say, tiles: root.dataset.tiles });
  return true;
}

// Where somebody has acknowledged all there is.
function heldStations() {
  const waiting = new Set(staff.alerts.filter((a) => a.state === "open").map((a) => a.station));
  return new Set(staff.alerts.filter((a) => a.state === "acknowledged" && !waiting.has(a.station)).map((a) => a.station));
}

// Where alerts are open, and how grave the gravest is.
function alarmsByStation() {
  const gravest = new Map();
  for (const { station, severity, state } of staff.alerts)
    if (state !== "closed" && (GRAVITY[severity] ?? 3) < (GRAVITY[gravest.get(station)] ?? 4)) gravest.set(station, severity);
  return gravest;
}

const GRAVITY = { critical: 0, warning: 1, info: 2 };
const painting = { busy: false, again: false, all: false };

// all: every row again (staff state changed, the box changed). What comes while a round goes on is in the next one.
async function paint(all = false) {
  if (!sheet) return;
  painting.all ||= all;
  painting.again = true;
  if (painting.busy) return;
  painting.busy = true;
  try {
    while (painting.again) {
      painting.again = false;
      await round();
    }
  } finally {
    painting.busy = false; // a round that failed is not the last
  }
}

async function round() {
  const all = painting.all;
  painting.all = false;
  const now = clock.now();
  const list = [...houses.values()];
  const [held, alarms] = [heldStations(), alarmsByStation()];
  let any = all;
  const one = (house) => {
    if (!house.look(now) && !all && !changed.has(house)) return;
    any = true;
    changed.delete(house);
    sheet.paint(house, now, held.has(house.id), alarms.get(house.id) ?? null);
    map.paint(house);
  };
  if (list.length > MANY) await inSlices(list, one);
  else list.forEach(one);
  const order = list.map((h) => h.trouble).join();
  if (order !== troubles) {
    troubles = order;
    sheet.arrange(list);
    map.name(list);
  }
  if (any) paintDanger(list);
  if (any) paintSums($(".sums"), list, sheet.columns[0] ?? "seat", now, say);
  if (any || Math.floor(clock.show() / 1000) % 30 === 0) paintNeed(list, now);
  paintFrame();
}

// Above everything: where a detector warns, each with the way to its station.
function paintDanger(list) {
  const node = $(".danger");
  const warned = list.flatMap((house) => house.dangers.map((danger) => ({ house, danger })));
  node.hidden = !warned.length;
  const shape = warned.map(({ house, danger }) => `${house.id}/${danger.id}`).join();
  if (node.dataset.shape === shape) return;
  node.dataset.shape = shape;
  node.replaceChildren(
    ...warned.map(({ house, danger }) =>
      el(
        "a",
        { href: `/stations/${encodeURIComponent(house.id)}`, data: { station: house.id, instrument: danger.id, alarm: "yes" } },
        glyph("fault"),
        el("b", { text: warningOf(danger, say) }),
        el("span", { text: [nameIn(house.picture.name, say.lang), placeOf(danger, {}, say)].filter(Boolean).join(" · ") }),
      ),
    ),
  );
}

function paintNeed(list, now) {
  const voice = { say, zone };
  items = staff.allowed ? forStaff(staff, list, now, voice) : fromHouses(list, now, voice);
  const shown = wanted ? items.filter((item) => matches(item, wanted)) : items;
  const painted = paintNeeds($(".need"), shown, now, { say, staff: staff.allowed ? staff : null });
  if (!painted) setTimeout(() => paint(true), HELD_MS); // a finger was on it
  setText($(".needs .n"), say("counts", countsOf(items, list)));
  sheetOfCase.refresh(items);
  openAsked();
}

function press(button) {
  const item = items.find((one) => one.id === button?.dataset.item);
  if (!item) return;
  if (!button.dataset.deed) return sheetOfCase.open(item);
  deed(button.dataset.deed, item, {}, button);
}

async function deed(what, item, given, button) {
  button.disabled = true;
  const answer = await staff.act(what, item, given);
  button.disabled = false;
  notice.tell(what, answer);
}

// The alert that a message's page leads to, once it is there.
function openAsked() {
  const item = asked && items.find((one) => one.id === asked);
  if (item) asked = null;
  if (item) sheetOfCase.open(item);
}

function whoText() {
  const { name, role, stations, regions } = /** @type {any} */ (staff.who);
  const everywhere = !stations.length && !regions.length;
  const list = [...houses.values()];
  const mine = list.filter((h) => stations.includes(h.id) || regions.some((r) => r.split("/").includes(h.region)));
  const where = [...regions.map((r) => r.split("/").at(-1)), ...list.filter((h) => stations.includes(h.id)).map((h) => nameIn(h.picture.name, say.lang))];
  const shown = where.slice(0, 2).join(say.lang === "en" ? ", " : "、") + (where.length > 2 ? " …" : "");
  return say(everywhere ? "who_everywhere" : "who_some", { name, role: say(`role.${role}`), n: everywhere ? list.length : mine.length, where: shown });
}

const textOf = (item) => [item.name, item.region, item.what, item.why, item.owner, item.order?.assignee, item.resource].join(" ").toLowerCase();
const matches = (item, text) => text.toLowerCase().split(/\s+/).filter(Boolean).every((word) => textOf(item).includes(word));

function narrow(text) {
  wanted = text;
  sheet.filter(text, houses);
  paint(); // what came meanwhile is looked at first
  paintNeed([...houses.values()], clock.now());
}

// What one may look for, the most urgent first.
function find(words) {
  const has = (text) => words.every((word) => text.includes(word));
  const faults = items
    .filter((item) => has(textOf(item)))
    .map((item) => ({ sort: "fault", text: item.what, note: item.name, open: () => (staff.allowed && (item.alert || item.order || item.task) ? sheetOfCase.open(item) : visit(item.station)) }));
  const places = [...houses.values()]
    .filter((house) => has(textOfHouse(house)))
    .map((house) => ({ sort: "place", text: nameIn(house.picture.name, say.lang) || house.id, note: house.region, open: () => visit(house.id) }));
  const held = (name) => items.filter((item) => item.owner === name || item.order?.assignee === name).length;
  const people = staff.people
    .filter((one) => has(one.name.toLowerCase()))
    .map((one) => ({ sort: "person", text: one.name, note: say("person_has", { n: held(one.name) }), open: (input) => show(one.name, input) }));
  return [...people, ...faults.slice(0, 4), ...places];
}

const visit = (id) => location.assign(`/stations/${encodeURIComponent(id)}`);

// A person's work: what he has accepted, was given, or acknowledged.
function show(name, input) {
  input.value = name;
  narrow(name);
  $(".need").querySelector("button")?.focus();
}

function paintFrame() {
  const at = clock.show();
  const contact = feed?.contact ?? null;
  const now = clock.now();
  setText($(".clock"), hhmm(at, zone));
  setText(
    $(".live span"),
    contact && lastNews !== null && now !== null ? say("live_ago", { age: age(lastNews, now, say) }) : say("not_live"),
  );
  setText($(".size"), houses.size ? say("size", { n: houses.size, r: new Set([...houses.values()].map((h) => h.region)).size }) : "");
  paintNight(at, zone, NIGHT, query.get("theme"));
  const lit = [...houses.values()].some((h) => h.face?.usable === "yes");
  paintBanner($(".banner"), { contact: feed ? contact : false, lastNews, lit }, { zone, say, second: () => "" });
}

async function leave(event) {
  event.preventDefault();
  await fetch("/logout", { method: "POST" }).catch(() => null);
  location.reload();
}

start();

document.documentElement.dataset.runs = "yes"; // see too-old.js
