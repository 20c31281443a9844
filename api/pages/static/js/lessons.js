// What the past teaches of a station: where another one is wanted, and whether opening earlier would matter. For staff.

import { $, el, setText } from "./draw.js";
import { kindWord } from "./words.js";

const percent = (share, say) => (share === null ? say("unknown") : `${Math.round(share * 100)} %`);
const floor = (share, say) => (share === null ? say("unknown") : `${Math.floor(share * 100)} %`);

/** @param {string} station @param {any} say */
export async function paintLessons(station, say) {
  const answer = await fetch(`/api/v1/stations/${encodeURIComponent(station)}/lessons`).catch(() => null);
  const told = answer?.ok ? await answer.json().catch(() => null) : null;
  const section = $(".lessons");
  section.hidden = !told?.kinds.length;
  if (section.hidden) return;
  setText($(".n", section), say("lessons_of", { weeks: told.weeks }));
  const rows = told.kinds.map((row) => {
    const name = kindWord(say, row.type ? `${row.kind}:${row.type}` : row.kind, "");
    const full = row.full_minutes_per_week;
    const what = full === null ? say("unknown") : say("full_minutes", { n: Math.round(full) });
    return el("li", {}, el("b", { text: name }), ` ${what} `, el("small", { text: say("known_share", { share: floor(row.coverage, say) }) }));
  });
  const { openings, first_half_hour: first, last_half_hour: last } = told.opening;
  const edges = openings ? [el("li", { text: say("edges", { first: percent(first.utilization, say), last: percent(last.utilization, say), n: openings }) })] : [];
  const { utilization, coverage, weeks, now } = told.usual;
  const beside = { now: percent(now, say), share: percent(utilization, say), weeks, coverage: floor(coverage, say) };
  $("ul", section).replaceChildren(el("li", { text: say("usual_now", beside) }), ...rows, ...edges);
}
