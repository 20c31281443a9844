// An alert in words: what it is, why, and for the log of a station how it ended.

import { el, glyph } from "./draw.js";
import { thingOf } from "./say.js";
import { howLong, moment } from "./time.js";
import { nameIn } from "./words.js";

const GLYPH = {
  device_silent: "stale",
  bridge_offline: "offline",
  station_offline: "offline",
  stuck_sensor: "unknown",
  clock_skew: "stale",
  screen_absent: "offline",
  broker_lost: "offline",
  reported: "unknown",
};
const STATE = { open: "ongoing", acknowledged: "acked", closed: "ended" };

export const alertGlyph = (kind) => GLYPH[kind] ?? "fault";

// How we came to know says nothing of what is wrong.
const HOW_WE_KNOW = new Set(["message", "retained", "heartbeat", "availability", "time", "activity", "hours", "override", "start", "restart"]);
const FAULTS = new Set(["charger_fault", "equipment_fault"]);

// "4 号充电桩 接地故障", "Seat 3: sensor seems stuck": the thing and its trouble. resource: null where it is none, or not known here.
export function alertTitle(alert, resource, place, say) {
  // What counts people is in no document, and has a name all the same.
  const own = nameIn(place.names?.[alert.resource], say.lang) || (resource && thingOf(resource, say));
  const thing = own ?? alert.resource ?? "";
  const code = FAULTS.has(alert.kind) ? codeWord(alert, say) : null;
  const word = code ?? (own && FAULTS.has(alert.kind) ? say("fault") : say.has(`alert.${alert.kind}`) ? say(`alert.${alert.kind}`) : alert.kind);
  if (thing.endsWith("门") && word.startsWith("门")) return thing + word.slice(1); // 大门被强行打开
  return [word.startsWith(thing) ? "" : thing, word].filter(Boolean).join(say.lang === "en" ? ": " : " ");
}

// What a code of OCPP means; null for those of makers.
const codeWord = ({ cause }, say) => (/^[A-Z]/.test(cause ?? "") && say.has(`cause.${cause}`) ? say(`cause.${cause}`) : null);

// The cause in words where there are some ("battery_pct=7" has its figure in them); nothing when it only repeats the kind.
// A maker's code stays as it is: that is what the manual lists.
export function causeText(alert, say) {
  const { cause, kind, detail } = alert;
  if (cause === kind || HOW_WE_KNOW.has(cause) || (FAULTS.has(kind) && codeWord(alert, say))) return "";
  const [name, value] = cause.split("=");
  if (value !== undefined && say.has(`cause.${name}=`)) return say(`cause.${name}=`, { n: value });
  if (detail?.free_mib !== undefined) return say("cause.free_mib=", { n: detail.free_mib });
  if (say.has(`cause.${cause}`)) return say(`cause.${cause}`);
  return /^(?=.*\d)[\w.-]{1,16}$/.test(cause) ? say("code", { code: cause }) : cause;
}

// Of one that goes on the title opens it.
const titleNode = (alert, text) =>
  alert.state === "closed" ? el("b", { text }) : el("button", { type: "button", cls: "open", data: { item: alert.id }, text });

export function alertLine(alert, picture, now, { zone, say, place }) {
  const opened = Date.parse(alert.opened_at);
  const ended = alert.state === "closed" ? Date.parse(alert.changed_at) : now;
  const resource = picture?.resources.find((r) => r.id === alert.resource);
  return el(
    "li",
    { cls: alert.severity === "critical" && alert.state !== "closed" ? "hot" : "" },
    glyph(alertGlyph(alert.kind)),
    el("time", { text: moment(opened, now, zone, say) }),
    el("div", {}, titleNode(alert, alertTitle(alert, resource, place, say)), el("p", { text: causeText(alert, say) })),
    el("div", { cls: "end" }, el("b", { text: say(STATE[alert.state]) }), howLong(ended - opened, say)),
  );
}
