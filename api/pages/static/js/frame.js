// What surrounds the board: name, hours and door, clock, banner, night.

import { $, setData, setText } from "./draw.js";
import { date, hhmm, isNight, moment } from "./time.js";
import { entranceOf, stateOf } from "./truth.js";

// The opening line in one language.
export function hoursText(picture, now, zone, say) {
  if (picture.resources.length && picture.resources.every((r) => r.health === "maintenance")) return say("in_repair");
  if (picture.openUntil !== null && now !== null && picture.openUntil <= now) return say("hours_unknown");
  const until = picture.openUntil && moment(picture.openUntil, now ?? picture.asOf, zone, say);
  if (picture.open === "yes") return until ? say("open_until", { at: until }) : say("open_24");
  if (picture.open === "no") return [say("closed_now"), until && say("opens", { at: until })].filter(Boolean).join(say.lang === "en" ? ", " : " ");
  return say("hours_unknown");
}

// What shows whether one can come in, while it is known: a promise is no proof. Without a sign nothing is said; nor is there
// one while the station's gateway is away, and that is told instead.
export function proofWord(picture, now) {
  if (picture.doc.watched === false) return "alert.shard_away";
  const until = picture.provedUntil;
  if (picture.open !== "yes" || now === null || (picture.openUntil !== null && picture.openUntil <= now)) return null;
  if (picture.proof === "contradicted") return picture.resources.some((r) => r.because?.includes("not_enterable")) ? "not_enterable" : null;
  return picture.proof === "proved" && until !== null && until > now ? "proved_open" : null;
}

// The same with what shows that it is so.
export function openText(picture, now, zone, say) {
  const extra = proofWord(picture, now);
  return [hoursText(picture, now, zone, say), extra && say(extra)].filter(Boolean).join(say.lang === "en" ? ", " : " ");
}

export function paintDoor(node, picture, now, contact, { zone, say, second }) {
  const door = entranceOf(picture);
  const state = door ? stateOf(door, picture, now) : null;
  setData(node, "kind", door ? "door" : null);
  setData(node, "resource", door?.id);
  setData(node, "usable", state?.usable);
  const doorWord = state && state.why !== "maintenance" && { yes: null, no: picture.open === "no" ? null : "door_bad", unknown: "door_unsure" }[state.usable];
  const extra = picture.lost ? "by_timetable" : (proofWord(picture, now) ?? doorWord ?? (contact ? null : "by_timetable"));
  const line = (speak) =>
    [hoursText(picture, now, zone, speak), extra && speak(extra)].filter(Boolean).join(speak.lang === "en" ? ", " : " ");
  setText($("b", node), line(say));
  setText($("[lang]", node), line(second));
}

// The ticking second is the page's own proof of life.
export function paintClock(node, at, { zone, say }) {
  setText($(".hm", node), hhmm(at, zone));
  setText($(".ss", node), String(Math.floor(at / 1000) % 60).padStart(2, "0"));
  setText(
    $(".date", node),
    say.lang === "en" ? date(at, zone, "en") : `${date(at, zone, say.lang)} ${date(at, zone, "en").replace(",", "")}`,
  );
}

// Day or night: as the address says, as the reader chose, or as the device likes it. A wall has no reader: it goes by its clock.
const DARK = matchMedia("(prefers-color-scheme: dark)");

export function paintNight(at, zone, span, forced) {
  const { look } = document.documentElement.dataset;
  const dark = look === undefined ? isNight(at, zone, span) : DARK.matches;
  const theme = forced ?? (look && look !== "auto" ? look : dark ? "night" : "day");
  setData(document.documentElement, "theme", theme);
}

// lit: does anything on the page still hold by its own valid_until?
export function paintBanner(node, { contact, lastNews, lit }, { zone, say, second }) {
  node.hidden = contact !== false;
  setData(document.documentElement, "contact", contact === false ? "lost" : contact ? "live" : "none");
  if (contact !== false) return;
  const at = lastNews === null ? "" : hhmm(lastNews, zone);
  const key = lastNews === null ? "lost_new" : lit ? "lost" : "lost_all";
  setText($(".say b", node), say(key, { at }));
  const other = $(".say [lang]", node);
  if (other) setText(other, second(key, { at }));
  setText($(".when span", node), lastNews === null ? "" : `${say("last_news")} ${say.lang === "en" ? "" : "Last news"}`.trim());
  setText($(".when b", node), at);
}

// Legible from distance_m on a panel of so many inches: 1 is the drawing's own size (5 m, 43 inches).
export const letterScale = (distanceM, inches) => Math.min(1.5, Math.max(1, (distanceM / 5) * (43 / inches)));
