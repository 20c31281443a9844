// Open stations nearby, honest like the rest: a count that is not certain is not shown as one.

import { el, icon } from "./draw.js";
import { read, tallyOfLine, usableOf, wording } from "./truth.js";
import { kindWord, nameIn } from "./words.js";

export const distance = (m, say) => (m < 950 ? say("metres", { n: Math.round(m / 10) * 10 }) : say("km", { n: (m / 1000).toFixed(1) }));

// The nearest that have a free place of a kind: [{picture, line, tally, metres}].
export async function findNearby({ lat, lon, kind, clock, but = "", extra = "" }) {
  const url = `/api/v1/stations?near=${lat},${lon}&usable=${kind}&open=true${extra}`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(8000) }).then((r) => (r.ok ? r.json() : null)).catch(() => null);
  return (answer?.stations ?? []).filter((doc) => doc.station !== but).map((doc) => {
    const picture = read(doc), line = picture.summary.find((s) => s.kind === kind);
    return { picture, line, metres: doc.distance_m, tally: line && tallyOfLine(line, picture, clock.now()) };
  }).filter((found) => found.tally?.min > 0);
}

export async function nearby(place, { say, second, clock, kind }) {
  if (place.lat === null) return [];
  const found = (await findNearby({ lat: place.lat, lon: place.lon, kind, clock, but: place.id })).slice(0, 3);
  if (!found.length) return [];
  const items = found.map(({ picture, line, tally, metres }) =>
    el("li", { data: { kind, usable: usableOf(tally), station: picture.station } },
      el("i", { cls: "win" }, el("span", {}, icon(kind))),
      el("div", {}, el("b", { text: nameIn(picture.name, say.lang) }),
        el("small", { text: [metres == null ? "" : distance(metres, say), `${kindWord(say, line.key, ".free")} ${wording(tally) === "atleast" ? say("at_least") : ""}${tally.min}`].join("　") }))));
  return [el("h3", {}, say("nearby_open"), " ", el("span", { lang: second.lang, text: second("nearby_open") })), el("ul", {}, ...items)];
}
