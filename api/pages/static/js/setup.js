// The pages below /setup: one script, a view for each address. Everything that changes the configuration goes through `save`.

import { $, el, setText } from "./draw.js";
import { channelsView } from "./setup-channels.js";
import { Devices } from "./setup-devices.js";
import { door } from "./setup-door.js";
import { homeView } from "./setup-home.js";
import { choice, field, press } from "./setup-parts.js";
import { peopleView } from "./setup-people.js";
import { stationView } from "./setup-station.js";
import { Store, ask } from "./setup-store.js";
import { versionsView } from "./setup-versions.js";
import { SETUP } from "./setup-words.js";
import { speaker } from "./words.js";

const root = document.documentElement;
const main = $("main");
const notice = $(".notice");
const say = Object.assign(speaker(root.lang, SETUP), { chinese: speaker("zh-Hans", SETUP), english: speaker("en", SETUP) });
const ours = new Store();
let store = ours; // what is changed: our own files, or a station of a box
const NAV = ["", "devices", "channels", "people", "versions"];
const here = location.pathname.replace(/\/+$/, "");
const named = /^\/setup\/stations\/([^/]+)$/.exec(here);
const station = named ? decodeURIComponent(named[1]) : null;
const lang = new URLSearchParams(location.search).get("lang");
const link = (path) => (lang ? `${path}?lang=${encodeURIComponent(lang)}` : path);
const SAVED = "setup.saved";
const ASKED_MS = 1000;
let redraw = () => {};

function tell(text, bad = false, ...more) {
  notice.replaceChildren(el("span", { text }), ...more);
  notice.hidden = text === "";
  notice.classList.toggle("bad", bad);
}

// Mistakes are told where they were made if the view has a place for them, else on top.
function refuse(saved, place) {
  const lines = saved.conflict ? [say("conflict")] : saved.busy ? [say("bx.busy")] : [say("refused"), ...saved.problems];
  if (place) setText(place, lines.join(" "));
  place?.classList.add("bad");
  if (!place || saved.conflict) tell(lines.join(" "), true);
  if (saved.conflict) redraw();
  if (!place) notice.scrollIntoView({ block: "nearest" });
}

// What was saved and the way back; `onwards` is the address that comes next, where it is then told.
async function save(changes, why, place = null, onwards = null) {
  const saved = await asked(() => store.save(changes, why));
  if (!saved.ok) {
    refuse(saved, place);
    return false;
  }
  if (onwards) {
    sessionStorage.setItem(SAVED, JSON.stringify(saved));
    location.assign(link(onwards));
    return true;
  }
  tellSaved(saved);
  redraw();
  return true;
}

// A box has a moment for its answer.
async function asked(work) {
  const soon = store === ours ? undefined : setTimeout(() => tell(say("bx.asked")), ASKED_MS);
  const saved = await work();
  clearTimeout(soon);
  return saved;
}

function tellSaved(saved) {
  if (saved.waits) return tell(say("bx.waits", { box: saved.waits }));
  const undo = press(say("undo"), "undo", () => restore(saved.before, true));
  const waits = saved.restart?.length ? say("restart", { keys: saved.restart.join(", ") }) : "";
  tell([saved.trouble || say("saved", { n: saved.version }), waits].filter(Boolean).join(" "), Boolean(saved.trouble), undo);
}

// What the page before has saved.
function tellBefore() {
  const saved = sessionStorage.getItem(SAVED);
  sessionStorage.removeItem(SAVED);
  if (saved) tellSaved(JSON.parse(saved));
}

async function restore(version, undone = false) {
  const saved = await asked(() => store.restore(version));
  if (saved.waits) tellSaved(saved);
  else if (saved.ok) tell(say("undone", { n: version }), false, undone ? "" : press(say("undo"), "undo", () => restore(saved.before, true)));
  else refuse(saved, null);
  redraw();
}

function navigation() {
  const ways = NAV.map((name) => {
    const path = name ? `/setup/${name}` : "/setup";
    return el("a", { href: link(path), text: say(`nav.${name || "home"}`), "aria-current": here === path ? "page" : null });
  });
  $(".ways").replaceChildren(...ways);
}

// Devices for whichever station is chosen.
function devicesView() {
  const pick = choice(
    store.stations.map((one) => [one.id, say.of(one.name) || one.id]),
    store.stations[0]?.id ?? null,
    { name: "station" },
  );
  const devices = new Devices({ say, save, station: () => store.station(pick.value) });
  pick.addEventListener("change", () => devices.paint());
  main.replaceChildren(el("form", { cls: "fields" }, field(say("d.station"), pick)), devices.node);
  devices.begin();
  return () => devices.paint();
}

// The address names a station that is not in our files: a box may have it.
async function choose() {
  if (station === null || ours.station(station)) return;
  const ofBox = new Store(station);
  if (await ofBox.load()) store = ofBox;
}

function view(name) {
  const context = { store, say, save, restore, link, zone: root.dataset.zone, name };
  if (station !== null) return stationView(main, station, { ...context, box: store !== ours }) ?? redraw;
  const views = { "/setup/devices": devicesView, "/setup/channels": channelsView, "/setup/people": peopleView, "/setup/versions": versionsView };
  const chosen = views[here] ?? homeView;
  return chosen === devicesView ? devicesView() : chosen(main, context);
}

async function begin() {
  document.title = `${say("setup")} · 驿站`;
  setText($("h1"), say("setup"));
  tell("");
  const session = root.dataset.session === "none" ? null : (await ask("/api/v1/session")).body;
  const role = session?.role ?? null;
  if (role !== "admin") return door(main, { say, role });
  navigation();
  const readable = await store.load();
  if (!readable) tell(say("no_files"), true);
  const { body } = await ask("/readyz");
  if (body?.status === "degraded" && readable) tell(`${say("trouble")} ${(body.trouble ?? []).join("; ")}`, true);
  tellBefore();
  await choose();
  redraw = view(session.name);
}

root.dataset.runs = "yes"; // see too-old.js
begin();
