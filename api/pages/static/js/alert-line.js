// An alert in words: what it is, why, and for the log of a station how it ended.

import { el, glyph } from "./draw.js";
import { titleOf } from "./say.js";
import { howLong, moment } from "./time.js";

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

// "Seat 3: sensor seems stuck": the thing and its trouble.
export function alertTitle(alert, resource, place, say) {
  const word = say.has(`alert.${alert.kind}`) ? say(`alert.${alert.kind}`) : alert.kind;
  const thing = resource ? titleOf(resource, place, say.lang, say) : (alert.resource ?? "");
  return [thing, word].filter(Boolean).join(say.lang === "en" ? ": " : " ");
}

// The cause in words where there are some ("battery_pct=7" has its figure in them); nothing when it only repeats the kind.
// A maker's code stays as it is: that is what the manual lists.
export function causeText({ cause, kind, detail }, say) {
  if (cause === kind) return "";
  const [name, value] = cause.split("=");
  if (value !== undefined && say.has(`cause.${name}=`)) return say(`cause.${name}=`, { n: value });
  if (detail?.free_mib !== undefined) return say("cause.free_mib=", { n: detail.free_mib });
  return say.has(`cause.${cause}`) ? say(`cause.${cause}`) : cause;
}

export function alertLine(alert, picture, now, { zone, say, place }) {
  const opened = Date.parse(alert.opened_at);
  const ended = alert.state === "closed" ? Date.parse(alert.changed_at) : now;
  const resource = picture?.resources.find((r) => r.id === alert.resource);
  return el(
    "li",
    { cls: alert.severity === "critical" && alert.state !== "closed" ? "hot" : "" },
    glyph(alertGlyph(alert.kind)),
    el("time", { text: moment(opened, now, zone, say) }),
    el("div", {}, el("b", { text: alertTitle(alert, resource, place, say) }), el("p", { text: causeText(alert, say) })),
    el("div", { cls: "end" }, el("b", { text: say(STATE[alert.state]) }), howLong(ended - opened, say)),
  );
}
