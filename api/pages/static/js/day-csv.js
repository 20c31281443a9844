// The day that is shown, as a table that Excel opens right in China: marked as UTF-8, local times, headings of the page's
// language, no formula. The server's tables are made alike (api/csv_tables.py).

import { thingOf } from "./say.js";

const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const HEADINGS = ["station", "place", "from", "to", "usable", "use", "evidence"];

const cell = (text) => {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};
const stamp = (at, zone) => new Date(at).toLocaleString("sv-SE", { timeZone: zone }); // 2026-11-01 08:00:00

// intervals: as read of the history, each with its resource's id
export function asCsv(station, resources, intervals, zone, say) {
  const called = new Map(resources.map((one) => [one.id, thingOf(one, say)]));
  const word = (column, value) => (say.has(`csv.${column}.${value}`) ? say(`csv.${column}.${value}`) : value);
  const line = (i) => [
    station,
    called.get(i.resource) ?? i.resource,
    stamp(i.from, zone),
    stamp(i.to, zone),
    word("usable", i.usable),
    word("use", i.use),
    word("evidence", i.evidence),
  ];
  const rows = [HEADINGS.map((name) => say(`csv.${name}`)), ...intervals.map(line)];
  return `\uFEFF${rows.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}
