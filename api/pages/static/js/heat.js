// A week by hours: bright is empty, dark is busy, hatched is not known, an empty frame is still to come or was shut, nothing where nothing is kept.

import { el, setText } from "./draw.js";
import { DAY_MS, HOUR_MS, dayOf, hhmm, shortDay } from "./time.js";
import { total } from "./utilization.js";

const STEPS = [0.12, 0.3, 0.5, 0.7, 0.88];
const step = (share) => STEPS.filter((edge) => share >= edge).length;

// The first moment of the station's day that holds `at`; zones with a half hour are fine, days of 23 h too.
export function dayStart(at, zone) {
  const [hours, minutes] = hhmm(at, zone).split(":").map(Number);
  let start = at - ((hours * 60 + minutes) * 6e4 + (at % 6e4));
  if (dayOf(start, zone) !== dayOf(at, zone)) start += HOUR_MS;
  if (hhmm(start, zone) !== "00:00") start -= HOUR_MS * Number(hhmm(start, zone).slice(0, 2));
  return start;
}

export function paintHeat(node, ramp, buckets, now, zone, say) {
  if (!buckets?.length) {
    node.replaceChildren();
    return setText(ramp, say("no_use"));
  }
  const cells = [el("span"), ...Array.from({ length: 24 }, (_, hour) => el("span", { cls: "h", text: hour % 3 ? "" : hour }))];
  const byHour = new Map(buckets.map((b) => [Math.floor(b.from / HOUR_MS), b]));
  for (let back = 6; back >= 0; back--) {
    const start = dayStart(now - back * DAY_MS, zone);
    cells.push(el("span", { cls: back ? "" : "today", text: shortDay(start, zone, say.lang) }));
    for (let hour = 0; hour < 24; hour++)
      cells.push(cell(byHour.get(Math.floor((start + hour * HOUR_MS) / HOUR_MS)), start + hour * HOUR_MS, now, zone, say));
  }
  node.replaceChildren(...cells);
  const sum = total(buckets);
  const percent = (share) => (share === null ? say("unknown") : `${Math.round(share * 100)}%`);
  ramp.replaceChildren(
    say("empty"),
    el("span", { cls: "scale" }, ...[0, 1, 2, 3, 4, 5].map((u) => el("i", { data: { u } }))),
    say("busy"),
    el("i", { cls: "hatch" }),
    say("unknown"),
    el("span", {
      cls: "r",
      text: say("week_sum", { share: percent(sum.share), unknown: hoursOf(sum.unknown, say), coverage: percent(sum.coverage) }),
    }),
  );
}

const hoursOf = (minutes, say) =>
  minutes < 60 ? say("in_minutes", { n: Math.round(minutes) }) : say("in_hours", { n: Math.round(minutes / 60) });

const empty = ({ known, unknown }) => known === 0 && unknown === 0;
// Is anything kept of this hour?
const recorded = (bucket) => !empty(bucket) || (bucket.raw.closed_minutes ?? 0) + (bucket.raw.out_of_order_minutes ?? 0) > 0;

function cell(bucket, at, now, zone, say) {
  if (!(bucket && recorded(bucket)) && at + HOUR_MS <= now) return el("i", { cls: "nothing" });
  if (!bucket || empty(bucket)) return el("i", { cls: "none" });
  const when = `${shortDay(at, zone, say.lang)} ${hhmm(at, zone)}`;
  if (bucket.share === null) return el("i", { cls: "hatch", title: `${when} ${say("unknown")}` });
  return el("i", { data: { u: step(bucket.share) }, title: `${when} ${Math.round(bucket.share * 100)}%` });
}
