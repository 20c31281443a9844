// One station for staff and the curious: now, its week, its alerts, the day of each place.

import { $, el, glyph, setText } from "./draw.js";
import { ServerClock } from "./clock.js";
import { DESK, howLong } from "./desk-words.js";
import { Feed } from "./feed.js";
import { dayStart, paintHeat } from "./heat.js";
import { hoursText, paintBanner, paintNight } from "./frame.js";
import { alertGlyph } from "./needs.js";
import { Keeper } from "./keeper.js";
import { rowOf } from "./row.js";
import { titleOf } from "./say.js";
import { STATION } from "./station-words.js";
import { asCsv, paintAxis, paintLines } from "./timeline.js";
import { tileOf } from "./tile.js";
import { groupsOf, read, stateOf, thingsOf } from "./truth.js";
import { date, moment } from "./time.js";
import { utilization } from "./utilization.js";
import { nameIn, speaker } from "./words.js";

const DAY = 864e5;
const HOUR = 36e5;
const root = document.documentElement;
const query = new URLSearchParams(location.search);
const place = JSON.parse($("#place").textContent);
const zone = place.timezone;
const say = speaker(root.lang, { ...DESK, ...STATION });
const second = speaker(root.lang === "en" ? "zh-Hans" : "en", { ...DESK, ...STATION });
const voice = { zone, say, second, place, flow: true, short: true };
const clock = new ServerClock();
new Keeper({ build: root.dataset.build, clock, zone });
let picture = null;
let parts = [];
let shape = "";
let lastNews = null;
let dayShown = null;
let turn = 0;
let exported = [];

function receive(doc) {
  if (doc.station !== place.id) return;
  const first = picture === null;
  picture = read(doc);
  clock.hear(picture.asOf);
  lastNews = Math.max(picture.asOf, clock.now() ?? 0);
  show();
  if (first) {
    scopes();
    week();
    day(0);
    alerts();
  }
}

function build() {
  const now = picture.resources.map((r) => r.id + r.key).join();
  if (now === shape) return;
  shape = now;
  const groups = groupsOf(picture);
  const things = thingsOf(picture);
  const members = (list) => new Set(list.map((r) => r.id));
  const rows = groups.map((group) => rowOf(group, voice));
  const tiles = things.map((thing) => tileOf(thing, voice));
  parts = [...rows.map((row, i) => [row, members(groups[i].resources)]), ...tiles.map((tile, i) => [tile, members([things[i]])])];
  $(".now").replaceChildren(
    ...rows.map((row) => row.node),
    ...(tiles.length ? [el("ul", { cls: "things" }, ...tiles.map((tile) => tile.node))] : []),
  );
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
    setText($(".open"), hoursText(picture, now, zone, say));
  }
  paintBanner($(".banner"), { contact: feed.contact, lastNews, lit }, { zone, say, second: () => "" });
}

function scopes() {
  const areas = [...new Map(picture.resources.map((r) => [r.area, r.areaName]))];
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
  const buckets = await utilization(
    place.id,
    dayStart(now - 6 * DAY, zone),
    Math.ceil(now / HOUR) * HOUR,
    "hour",
    area ? `&area=${encodeURIComponent(area)}` : "",
  );
  paintHeat($(".heat"), $(".ramp"), buckets, now, zone, say);
}

// The lines of the day `step` days from the one shown.
async function day(step) {
  const now = clock.show();
  const mine = ++turn;
  dayShown = step === 0 ? dayStart(now, zone) : dayStart(dayShown + step * DAY + 12 * HOUR, zone);
  const today = dayShown === dayStart(now, zone);
  setText($(".day time"), date(dayShown, zone, say.lang));
  $(".after").disabled = today;
  paintAxis($(".axis"), dayShown, now, zone, say);
  exported = await paintLines($(".groups"), picture, place, dayShown, dayShown + DAY, {
    now,
    say,
    open: root.dataset.session === "perhaps",
    wanted: () => mine === turn,
  });
}

function save() {
  const link = el("a", {
    download: `${place.id}-${new Date(dayShown + 12 * HOUR).toISOString().slice(0, 10)}.csv`,
    href: URL.createObjectURL(new Blob([asCsv(place.id, exported)], { type: "text/csv" })),
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// Alerts are for staff; without a session their column is simply not there.
async function alerts() {
  const answer =
    root.dataset.session === "perhaps"
      ? await fetch(`/api/v1/alerts?station=${encodeURIComponent(place.id)}`)
          .then((r) => (r.ok ? r.json() : null))
          .catch(() => null)
      : null;
  $(".two").classList.toggle("alone", answer === null);
  if (answer === null) return;
  const rows = answer.alerts
    .slice()
    .sort((a, b) => Date.parse(b.opened_at) - Date.parse(a.opened_at))
    .slice(0, 8);
  setText($(".alerts .n"), say("last_n", { n: rows.length }));
  $(".log").replaceChildren(...(rows.length ? rows.map(alertLine) : [el("li", { cls: "none", text: say("no_alerts") })]));
}

function alertLine(alert) {
  const opened = Date.parse(alert.opened_at);
  const ended = alert.state === "closed" ? Date.parse(alert.changed_at) : clock.show();
  const resource = picture?.resources.find((r) => r.id === alert.resource);
  const cause = say.has(`alert.${alert.kind}`) ? say(`alert.${alert.kind}`) : alert.kind;
  const sign = alertGlyph(alert.kind);
  const word = { open: "ongoing", acknowledged: "acked", closed: "ended" }[alert.state];
  return el(
    "li",
    { cls: alert.severity === "critical" && alert.state !== "closed" ? "hot" : "" },
    glyph(sign),
    el("time", { text: moment(opened, clock.show(), zone, say) }),
    el(
      "div",
      {},
      el("b", { text: [resource ? titleOf(resource, place, say.lang, say) : alert.resource, cause].filter(Boolean).join(" ") }),
      el("p", { text: alert.cause === alert.kind ? "" : alert.cause }),
    ),
    el("div", { cls: "end" }, el("b", { text: say(word) }), howLong(ended - opened, say)),
  );
}

function legend() {
  const sorts = [
    ["y", "free"],
    ["n", "in_use"],
    ["u hatch", "unknown"],
    ["c", "not_open"],
  ];
  $(".legend").replaceChildren(
    ...sorts.map(([cls, key]) => el("span", { cls: "lg" }, el("span", { cls: "tr" }, el("i", { cls })), say(key))),
  );
}

const feed = new Feed(
  `/api/v1/stream?station=${encodeURIComponent(place.id)}`,
  {
    document: receive,
    alert: alerts,
    contact: show,
    stamp: (ms, fresh) => {
      clock.hear(ms, { fresh });
      lastNews = Math.max(lastNews ?? 0, ms || 0);
    },
  },
  `/api/v1/stations/${encodeURIComponent(place.id)}`,
);

for (const node of document.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
setText($("h1 b"), nameIn(place.name, say.lang));
setText($("h1 span"), nameIn(place.name, second.lang));
setText($(".address"), [place.region.join(" "), place.address].filter(Boolean).join("　"));
document.title = nameIn(place.name, say.lang);
$(".before").addEventListener("click", () => day(-1));
$(".after").addEventListener("click", () => day(1));
$(".export").addEventListener("click", save);
legend();
$(".heat").setAttribute("aria-label", say("heat_of"));
$(".two").classList.add("alone");
setInterval(() => {
  week();
  alerts();
  if (dayShown === dayStart(clock.show(), zone)) day(0);
}, 300_000);
const beat = () => {
  feed.watch();
  show();
  setTimeout(beat, 1000 - (clock.show() % 1000) + 5);
};
beat();
