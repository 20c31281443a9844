// All stations on one page. Documents come as they change; a station is recomputed only then or when one of its values ends.

import { $, el, setData, setText } from "./draw.js";
import { ServerClock } from "./clock.js";
import { Feed } from "./feed.js";
import { House } from "./house.js";
import { Keeper } from "./keeper.js";
import { DESK } from "./desk-words.js";
import { StationMap } from "./map.js";
import { patterns } from "./patterns.js";
import { fromAlerts, fromHouses, paintNeeds } from "./needs.js";
import { Sheet } from "./sheet.js";
import { Staff } from "./staff.js";
import { age, hhmm } from "./time.js";
import { usableOf, wording } from "./truth.js";
import { weekOf } from "./utilization.js";
import { paintBanner, paintNight } from "./frame.js";
import { speaker } from "./words.js";

const COLUMNS = ["seat", "charger:ebike", "charger:ev", "charger:phone", "locker", "parking"];
const FEW = 16; // with so few stations a row has room to breathe
const NIGHT = "21:00-06:30";

const root = document.documentElement, query = new URLSearchParams(location.search);
const say = speaker(root.lang, DESK), zone = root.dataset.zone;
const clock = new ServerClock(), keeper = new Keeper({ build: root.dataset.build, clock, zone });
const houses = new Map(), changed = new Set();
const staff = new Staff(() => paint(true));
let sheet = null, map = null, lastNews = null, troubles = "", feed = null;

async function start() {
  for (const node of document.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
  $(".find input").placeholder = say("find");
  $(".find input").setAttribute("aria-label", say("find"));
  document.body.prepend(patterns());
  for (let wait = 500; !(await load()); wait = Math.min(4000, wait * 2)) {
    paintFrame();
    await new Promise((done) => setTimeout(done, wait));
  }
  feed = new Feed("/api/v1/stream", {
    document: (doc) => { const house = houses.get(doc.station); if (!house) return; house.take(doc); lastNews = Math.max(lastNews ?? 0, Date.parse(doc.as_of)); changed.add(house); },
    alert: () => staff.load(),
    stamp: (ms, fresh) => { clock.hear(ms, { fresh }); lastNews = Math.max(lastNews ?? 0, ms || 0); },
    contact: () => paint(),
  });
  if (root.dataset.session === "perhaps") await staff.enter();
  setText($(".staff"), say(staff.allowed ? "log_out" : "log_in"));
  if (staff.allowed) $(".staff").addEventListener("click", leave);
  keys();
  new ResizeObserver(() => { map.lay([...houses.values()]); paint(true); map.nameTrouble([...houses.values()]); }).observe($("#map"));
  const beat = () => { feed.watch(); paint(); setTimeout(beat, 1000 - (clock.show() % 1000) + 5); };
  beat();
  lazyWeeks();
}

async function load() {
  const answer = await fetch("/api/v1/stations").then((r) => r.json()).catch(() => null);
  if (!answer) return false;
  for (const fact of answer.stations) {
    const house = new House(fact);
    houses.set(house.id, house);
    changed.add(house);
    clock.hear(house.picture.asOf);
  }
  const present = new Set([...houses.values()].flatMap((h) => h.picture.summary.map((line) => line.key)));
  sheet = new Sheet($(".sheet"), COLUMNS.filter((key) => present.has(key)).slice(0, houses.size <= FEW ? 6 : 4), { say, zone });
  $(".sheet").classList.toggle("few", houses.size <= FEW);
  map = new StationMap($("#map"), { say });
  map.lay([...houses.values()]);
  return true;
}

// all: every row again (staff state changed, the box changed)
function paint(all = false) {
  const now = clock.now(), list = [...houses.values()], held = staff.heldStations();
  let any = all;
  for (const house of list) {
    if (!house.look(now) && !all && !changed.has(house)) continue;
    any = true;
    sheet.paint(house, now, held.has(house.id));
    map.paint(house);
  }
  changed.clear();
  const order = list.map((h) => h.trouble).join();
  if (order !== troubles) { troubles = order; sheet.arrange(list); map.nameTrouble(list); }
  if (any) { paintSums(list); }
  if (any || Math.floor(clock.show() / 1000) % 30 === 0) paintNeed(list, now);
  paintFrame();
}

function paintNeed(list, now) {
  const items = staff.allowed ? fromAlerts(staff.alerts, staff.orders, list, now, { say, zone }) : fromHouses(list, now, { say, zone });
  const focus = document.activeElement?.dataset?.alert;
  paintNeeds($(".need"), items.slice(0, 60), now, { say, staff: staff.allowed ? staff : null });
  if (focus) document.querySelector(`[data-alert="${CSS.escape(focus)}"]`)?.focus();
  const shut = list.filter((h) => h.trouble === "closed").length, fine = list.filter((h) => !h.trouble).length;
  setText($(".needs .n"), say("counts", { bad: items.length, ok: fine, shut }));
}

function paintFrame() {
  const at = clock.show(), contact = feed?.contact ?? null, now = clock.now();
  setText($(".clock"), hhmm(at, zone));
  setText($(".live span"), contact && lastNews !== null && now !== null ? say("live_ago", { age: age(lastNews, now, say) }) : say("not_live"));
  setText($(".size"), houses.size ? say("size", { n: houses.size, r: new Set([...houses.values()].map((h) => h.region)).size }) : "");
  paintNight(at, zone, NIGHT, query.get("theme"));
  const lit = [...houses.values()].some((h) => h.face?.usable === "yes");
  paintBanner($(".banner"), { contact: feed ? contact : false, lastNews, lit }, { zone, say, second: () => "" });
}

// Roll-ups: all, then each region; an unknown is never swallowed by a sum.
function paintSums(list) {
  const first = sheet.columns[0] ?? "seat";
  const regions = [["", list], ...[...Map.groupBy(list, (h) => h.region)].slice(0, 6)];
  const boxes = $(".sums");
  if (boxes.childElementCount !== regions.length) boxes.replaceChildren(...regions.map(() => el("div", {}, el("h3", {}, el("span"), el("small")), el("p", { cls: "big" }, el("em"), el("span"), el("small")), el("div", { cls: "strip" }, el("i", { cls: "f" }), el("i", { cls: "u hatch" }), el("i", { cls: "b" })), el("p"))));
  regions.forEach(([region, members], i) => paintSum(boxes.children[i], i === 0 ? say("all") : region || say("other_region"), members, first));
}

function paintSum(box, title, members, key) {
  const sum = total(members, (k) => k === key), piles = total(members, (k) => k.startsWith("charger"));
  const form = wording(sum), [h3, big, strip, foot] = box.children;
  setData(box, "kind", key.split(":")[0]);
  setData(box, "usable", usableOf(sum));
  setData(box, "form", form);
  setText(h3.children[0], title);
  setText(h3.children[1], say("stations_n", { n: members.length }));
  setText(big.children[0], form === "atleast" ? say("at_least") : "");
  setData(big, "digits", String(sum.min).length + String(sum.total).length);
  setText(big.children[1], form === "unknown" ? say("unknown") : form === "closed" ? say("shut") : sum.min);
  setText(big.children[2], say(key === "seat" ? "seats_of" : "places_of", { n: sum.total }));
  strip.children[0].style.width = `${(100 * sum.min) / (sum.total || 1)}%`;
  strip.children[1].style.width = `${(100 * (sum.max - sum.min)) / (sum.total || 1)}%`;
  const oldest = Math.min(...members.map((h) => h.picture.asOf)), now = clock.now();
  setText(foot, [piles.total && key !== "charger:ebike" ? say("piles", { a: { exact: piles.min, atleast: `${say("at_least")} ${piles.min}`, unknown: say("unknown"), closed: say("shut") }[wording(piles)], b: piles.total }) : "", now !== null && members.length ? age(oldest, now, say) : ""].filter(Boolean).join("　"));
}

function total(members, wanted) {
  const sum = { min: 0, max: 0, total: 0, shut: 0, broken: 0 };
  for (const house of members) for (const [key, t] of house.tallies) if (wanted(key)) for (const part of Object.keys(sum)) sum[part] += t[part];
  return sum;
}

function keys() {
  const input = $(".find input");
  input.addEventListener("input", () => sheet.filter(input.value));
  addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== input) { event.preventDefault(); input.focus(); }
    else if (event.key === "Escape" && document.activeElement === input) { input.value = ""; sheet.filter(""); input.blur(); }
    else if (event.key === "Enter" && document.activeElement === input) sheet.stop($(".st:not(.out)"))?.focus();
    else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && document.activeElement?.classList.contains("st")) {
      const rows = [...document.querySelectorAll(".st:not(.out)")], at = rows.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
      if (rows[at]) sheet.stop(rows[at]).focus();
      event.preventDefault();
    }
  });
  $(".need").addEventListener("click", (event) => { const button = event.target.closest("button"); if (button) staff.act(button.dataset.act, button.dataset.alert, button, say); });
}

async function leave(event) {
  event.preventDefault();
  await fetch("/logout", { method: "POST" }).catch(() => null);
  location.reload();
}

// The week of a station is asked for when its row comes into view, two at a time.
function lazyWeeks() {
  const queue = [], seen = new Set();
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) { const id = entry.target.dataset.station; if (entry.isIntersecting && !seen.has(id)) { seen.add(id); queue.push(id); } }
  }, { root: $(".sheet") });
  for (const row of sheet.rows.values()) watcher.observe(row.node);
  const work = async () => {
    const id = queue.shift();
    if (id) { const week = await weekOf(id, clock.show(), zone); if (week === null) return; sheet.week(id, week.values, week.share); }
    setTimeout(work, id ? 20 : 500);
  };
  work();
  work();
}

start();
