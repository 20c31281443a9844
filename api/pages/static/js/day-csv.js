// The day that is shown, as a table that Excel opens right in China: marked as UTF-8, local times, headings of the page's
// language, no formula. The server's tables are made alike (api/csv_tables.py). Fetched when somebody asks for it, so it
// has its own words and imports nothing.

const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const HEADINGS = ["station", "place", "from", "to", "usable", "use", "evidence"];
const WORDS = {
  station: ["站点", "站點", "Station"],
  place: ["位置", "位置", "Place"],
  from: ["开始（当地时间）", "開始（當地時間）", "From (local time)"],
  to: ["结束（当地时间）", "結束（當地時間）", "To (local time)"],
  usable: ["可用", "可用", "Usable"],
  use: ["使用状态", "使用狀態", "Use"],
  evidence: ["数据依据", "數據依據", "Evidence"],
  "usable.yes": ["是", "是", "yes"],
  "usable.no": ["否", "否", "no"],
  "usable.unknown": ["未知", "未知", "unknown"],
  "use.free": ["空闲", "空閒", "free"],
  "use.away": ["暂离", "暫離", "away"],
  "use.occupied": ["占用", "佔用", "occupied"],
  "use.reserved": ["预订", "預訂", "reserved"],
  "use.blocked": ["不可用", "不可用", "blocked"],
  "use.unknown": ["未知", "未知", "unknown"],
  "evidence.live": ["实时", "即時", "live"],
  "evidence.stale": ["过时", "過時", "stale"],
  "evidence.offline": ["离线", "離線", "offline"],
  "evidence.never": ["尚未接入", "尚未接入", "never heard"],
  "evidence.suspect": ["可疑", "可疑", "suspect"],
};

const cell = (text) => {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};
const stamp = (at, zone) => new Date(at).toLocaleString("sv-SE", { timeZone: zone }); // 2026-11-01 08:00:00

// intervals: as read of the history, each with its resource's id; called: what each is called, by id; lang: the page's
export function asCsv(station, called, intervals, zone, lang) {
  const say = (word) => WORDS[word]?.[lang === "en" ? 2 : lang === "zh-Hant" ? 1 : 0] ?? word.split(".").at(-1);
  const line = (i) => [
    station,
    called.get(i.resource) ?? i.resource,
    stamp(i.from, zone),
    stamp(i.to, zone),
    say(`usable.${i.usable}`),
    say(`use.${i.use}`),
    say(`evidence.${i.evidence}`),
  ];
  const rows = [HEADINGS.map(say), ...intervals.map(line)];
  return `\uFEFF${rows.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}
