// The day of each place as a line: thin lamp = free, dark bar = in use, hatch = not known, shutter = shut or out of order.

import { el, setText } from "./draw.js";
import { grouped } from "./grouped.js";
import { numberOf, titleOf } from "./say.js";
import { DAY_MS, HOUR_MS, hhmm } from "./time.js";
import { kindWord } from "./words.js";

const AT_ONCE = 4;

export async function historyOf(station, resource, from, to) {
  const iso = (ms) => new Date(ms).toISOString();
  const url = `/api/v1/stations/${encodeURIComponent(station)}/history?resource=${encodeURIComponent(resource)}&from=${iso(from)}&to=${iso(to)}`;
  const answer = await fetch(url)
    .then((r) => (r.ok ? r.json() : null))
    .catch(() => null);
  return answer === null ? null : answer.intervals.map((i) => ({ ...i, from: Date.parse(i.from), to: Date.parse(i.to) }));
}

const CLASS = { yes: "y", no: "n", unknown: "u hatch" };
// Free and yet not usable: shut, out of order or in repair; a history does not say which.
const classOf = (interval) => (interval.usable === "no" && interval.use === "free" ? "c" : CLASS[interval.usable]);

// resources: in the order of the page; returns the intervals read, for export
export async function paintLines(node, picture, place, from, to, { now, say, wanted, open }) {
  const groups = grouped(picture.resources, (r) => r.key);
  const rows = new Map();
  const read = [];
  node.replaceChildren(
    ...[...groups].map(([key, members]) =>
      el(
        "div",
        { cls: "grp" },
        ...members.map((resource, i) => {
          const track = el("div", { cls: "tr" });
          const share = el("span");
          rows.set(resource.id, { track, share });
          const label = members.length > 1 && numberOf(resource.id) ? numberOf(resource.id) : titleOf(resource, place, say.lang, say);
          return el(
            "div",
            { cls: "ln", data: { place: resource.id } },
            el("span", {}, i === 0 && label === numberOf(resource.id) ? el("b", { text: kindWord(say, key, ".short") }) : null, label),
            track,
            share,
          );
        }),
      ),
    ),
  );
  if (now >= from && now < to) for (const group of node.children) group.append(nowLine((now - from) / (to - from)));
  // what a room or a door did all day tells of persons: only staff may ask
  const asked = picture.resources.filter((r) => open || (r.kind !== "room" && r.kind !== "door"));
  for (const { share } of [...rows].filter(([id]) => !asked.some((r) => r.id === id)).map(([, row]) => row)) setText(share, say("staff"));
  const queue = [...asked];
  const work = async () => {
    for (let resource = queue.shift(); resource && wanted(); resource = queue.shift()) {
      const intervals = await historyOf(place.id, resource.id, from, to);
      if (!wanted()) return;
      fill(rows.get(resource.id), intervals, from, to, say);
      for (const interval of intervals ?? []) read.push({ resource: resource.id, ...interval });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return read;
}

function nowLine(share) {
  const line = el("i", { cls: "nowline" });
  const box = el("div", { cls: "over" }, line);
  line.style.left = `${100 * share}%`;
  return box;
}

function fill({ track, share }, intervals, from, to, say) {
  if (intervals === null) return setText(share, say("load_failed"));
  const percent = (ms) => `${((100 * (ms - from)) / (to - from)).toFixed(2)}%`;
  let used = 0;
  let known = 0;
  track.replaceChildren(
    ...intervals.map((interval) => {
      const part = el("i", { cls: classOf(interval) });
      part.style.left = percent(interval.from);
      part.style.width = `${((100 * (interval.to - interval.from)) / (to - from)).toFixed(2)}%`;
      if (interval.usable !== "unknown") known += interval.to - interval.from;
      if (interval.usable === "no" && interval.use !== "free") used += interval.to - interval.from;
      return part;
    }),
  );
  setText(share, known ? `${Math.round((100 * used) / known)}%` : intervals.length ? "?" : "");
}

export function paintAxis(node, from, now, zone, say) {
  const today = now >= from && now < from + DAY_MS;
  const near = (at, hours) => today && Math.abs(at - now) <= hours * HOUR_MS;
  const mark = (hour) => {
    const at = from + hour * HOUR_MS;
    return { at, text: `${hour}:00`, cls: [hour % 6 ? "odd" : "", near(at, 3.5) ? "close" : ""].join(" ").trim() }; // where it is narrow
  };
  const marks = Array.from({ length: 12 }, (_, i) => mark(2 * i));
  const shown = today
    ? [...marks.filter((m) => !near(m.at, 1)), { at: now, text: say("now_at", { at: hhmm(now, zone) }), cls: "nowt" }]
    : marks;
  node.replaceChildren(
    el("span"),
    el(
      "div",
      {},
      ...shown.map(({ at, text, cls }) => {
        const span = el("span", { cls, text });
        span.style.left = `${(100 * (at - from)) / DAY_MS}%`;
        return span;
      }),
    ),
    el("span"),
  );
}
