// What the past teaches of a station: where another one is wanted, and whether opening earlier would matter. For staff,
// so it comes with its words when it is asked for.

const WORDS = {
  lessons: ["布局与开放时间", "佈局與開放時間", "What the past teaches"],
  lessons_of: ["过去 {weeks} 周，按已知时间", "過去 {weeks} 週，按已知時間", "the last {weeks} weeks, of what is known"],
  full_minutes: ["每周 {n} 分钟全部占满", "每週 {n} 分鐘全部佔滿", "nothing free for {n} minutes a week"],
  known_share: ["已知 {share}", "已知 {share}", "{share} known"],
  edges: ["开门后半小时使用 {first}，关门前半小时 {last}（{n} 次开放）", "開門後半小時使用 {first}，關門前半小時 {last}（{n} 次開放）", "In use {first} in the first half hour, {last} in the last one ({n} openings)"],
  usual_now: ["现在使用 {now}，这个时段通常 {share}（{weeks} 周，已知 {coverage}）", "現在使用 {now}，這個時段通常 {share}（{weeks} 週，已知 {coverage}）", "Now {now} in use, usually {share} at this hour ({weeks} weeks, {coverage} known)"],
  not_known: ["未知", "未知", "not known"],
};
const COLUMN = { "zh-Hans": 0, "zh-Hant": 1, en: 2 };

/** @param {string} station @param {Element} section @param {string} lang @param {(kind: string) => string} kindOf */
export async function paintLessons(station, section, lang, kindOf) {
  const answer = await fetch(`/api/v1/stations/${encodeURIComponent(station)}/lessons`).catch(() => null);
  const told = answer?.ok ? await answer.json().catch(() => null) : null;
  if (!told?.kinds.length) return;
  const say = (/** @type {keyof typeof WORDS} */ key, /** @type {Record<string, unknown>} */ values = {}) =>
    WORDS[key][COLUMN[lang] ?? 0].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
  const share = (/** @type {number | null} */ value, round = Math.round) => (value === null ? say("not_known") : `${round(value * 100)} %`);
  const line = (/** @type {string} */ text) => Object.assign(document.createElement("li"), { textContent: text });
  const rows = told.kinds.map((row) => {
    const full = row.full_minutes_per_week;
    const what = full === null ? say("not_known") : say("full_minutes", { n: Math.round(full) });
    const known = say("known_share", { share: share(row.coverage, Math.floor) });
    return line(`${kindOf(row.type ? `${row.kind}:${row.type}` : row.kind)}　${what}　${known}`);
  });
  const { openings, first_half_hour: first, last_half_hour: last } = told.opening;
  const edges = openings ? [line(say("edges", { first: share(first.utilization), last: share(last.utilization), n: openings }))] : [];
  const { utilization, coverage, weeks, now } = told.usual;
  const usual = line(say("usual_now", { now: share(now), share: share(utilization), weeks, coverage: share(coverage, Math.floor) }));
  const head = document.createElement("h2");
  const of = Object.assign(document.createElement("span"), { className: "n", textContent: say("lessons_of", { weeks: told.weeks }) });
  head.append(Object.assign(document.createElement("b"), { textContent: say("lessons") }), of);
  const list = document.createElement("ul");
  list.append(usual, ...rows, ...edges);
  section.replaceChildren(head, list);
  section.removeAttribute("hidden");
}
