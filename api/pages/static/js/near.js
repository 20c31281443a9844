// Open stations nearby, honest like the rest: what was found ends at its own valid_until, too.

import { countText } from "./count.js";
import { el, icon, iconOf, setData, setText } from "./draw.js";
import { read, tallyOfLine, usableOf } from "./truth.js";
import { kindWord, nameIn } from "./words.js";

export const distance = (m, say) => (m < 950 ? say("metres", { n: Math.round(m / 10) * 10 }) : say("km", { n: (m / 1000).toFixed(1) }));

// The nearest open stations that have a free place of a kind: [{picture, line, metres}].
export async function findNearby({ lat, lon, kind, clock, but = "" }) {
  const url = `/api/v1/stations?near=${lat},${lon}&usable=${kind}&open=true`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(8000) })
    .then((r) => (r.ok ? r.json() : null))
    .catch(() => null);
  return (answer?.stations ?? [])
    .filter((doc) => doc.station !== but)
    .map((doc) => {
      const picture = read(doc);
      return { picture, line: picture.summary.find((s) => s.kind === kind), metres: doc.distance_m };
    })
    .filter(({ picture, line }) => line && tallyOfLine(line, picture, clock.now()).min > 0);
}

// One of them as a list item; paint(now) keeps it true.
export function nearItem({ picture, line, metres }, { say, link = false }) {
  const count = el("span");
  const away = metres == null ? "" : distance(metres, say);
  const text = el("div", {}, el("b", { text: nameIn(picture.name, say.lang) }), el("small", {}, away, away ? "　" : "", count));
  const body = link ? el("a", { href: `/m/${encodeURIComponent(picture.station)}` }, text) : text;
  const node = el(
    "li",
    { data: { kind: line.kind, station: picture.station } },
    el("i", { cls: "win" }, el("span", {}, icon(iconOf(line.key)))),
    body,
  );
  function paint(now) {
    const t = tallyOfLine(line, picture, now);
    setData(node, "usable", usableOf(t));
    setText(count, say("near_free", { what: kindWord(say, line.key, ".free"), n: countText(t, say) }));
  }
  return { node, paint };
}

// The box in the doorway's place while a station is shut. It looks for stations once a minute, and paints at every call.
export function nearBox(node, place, { say, second, clock }) {
  let asked = -Infinity;
  let items = [];
  async function look(kind) {
    asked = performance.now();
    const found = await findNearby({ lat: place.lat, lon: place.lon, kind, clock, but: place.id });
    if (!found.length) return;
    items = found.slice(0, 3).map((one) => nearItem(one, { say }));
    node.replaceChildren(
      el("h3", {}, say("nearby_open"), " ", el("span", { lang: second.lang, text: second("nearby_open") })),
      el("ul", {}, ...items.map((item) => item.node)),
    );
    paint(true, kind);
  }
  function paint(shut, kind) {
    if (shut && place.lat !== null && performance.now() - asked > 60_000) look(kind);
    for (const item of items) item.paint(clock.now());
    node.hidden = !(shut && items.length);
    return !node.hidden;
  }
  return paint;
}
