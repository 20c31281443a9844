// All words of the pages, three languages in one table: simplified, traditional, English; those of kinds come from config/kinds.
// A missing word shows its key.

import { WORDS } from "./kinds.js";

/** @typedef {Record<string, string[]>} Table  simplified, traditional, English */
/** @typedef {import("./wire.js").Names | null | undefined} Names */
/**
 * @typedef {((key: string, values?: Record<string, string | number | null | undefined>) => string) & {
 *   lang: string, has: (key: string) => boolean, of: (names: Names) => string,
 * }} Say
 */

/** @type {Table} */
const TABLE = {
  // states
  free: ["空闲", "空閒", "Free"],
  occupied: ["使用中", "使用中", "In use"],
  full: ["已满", "已滿", "Full"],
  unknown: ["未知", "未知", "Not known"],
  fault: ["故障", "故障", "Out of order"],
  maintenance: ["检修", "檢修", "In repair"],
  closed: ["已关闭", "已關閉", "Closed"],
  shut: ["关闭", "關閉", "Closed"],
  staff_only: ["仅工作人员", "僅工作人員", "Staff only"],
  away: ["暂离", "暫離", "Away"],
  reserved: ["已预约", "已預約", "Reserved"],
  blocked: ["被占", "被佔", "Blocked"],
  at_least: ["至少", "至少", "at least"],
  at_least_short: ["至少", "至少", "≥"],
  unknown_short: ["未知", "未知", "?"],
  "level.quiet": ["人少", "人少", "quiet"],
  "level.some": ["有人", "有人", "some people"],
  "level.busy": ["人多", "人多", "busy"],
  "level.full": ["已满", "已滿", "full"],
  booked: ["有活动", "有活動", "booked"],
  // why a state is not known: the reasons of the availability document
  never: ["从无消息", "從無消息", "never heard"],
  stale: ["无消息", "無消息", "no news"],
  offline: ["设备离线", "設備離線", "device offline"],
  unreadable: ["数据无法识别", "資料無法識別", "unreadable"],
  suspect: ["数据存疑", "數據存疑", "doubtful"],
  not_enterable: ["可能进不去", "可能進不去", "may be shut"],
  hours_unknown: ["开放时间未知", "開放時間未知", "Hours not known"],
  use_unknown: ["占用未知", "佔用未知", "Use not known"],
  empty: ["已用完", "已用完", "Used up"],
  // the legend
  in_repair: ["检修中，暂停使用", "檢修中，暫停使用", "Under maintenance"],
  not_in_use: ["暂停使用", "暫停使用", "Not in use"],
  lit: ["亮", "亮", "Lit"],
  dark: ["暗", "暗", "Dark"],
  hatched: ["斜纹", "斜紋", "Hatched"],
  shutter: ["卷帘", "捲簾", "Shutter"],
  slogan: ["每扇亮着的窗，就是一个空位", "每扇亮著的窗，就是一個空位", "Every lit window is a free place"],
  // sentences
  next_free: ["约 {t}后有空", "約 {t}後有空", "Next in ~{t}"],
  about: ["约 {t}", "約 {t}", "~{t}"],
  next_any: ["随时可能有空", "隨時可能有空", "Any moment now"],
  next_span: ["80%：{a}–{t}", "80%：{a}–{t}", "80%: {a}–{t}"],
  next_within: ["80%：{t}内", "80%：{t}內", "80%: within {t}"],
  in_minutes: ["{n} 分钟", "{n} 分鐘", "{n} min"],
  in_hours: ["{n} 小时", "{n} 小時", "{n} h"],
  in_all: ["共 {n} {unit}", "共 {n} {unit}", "of {n}"],
  more_unknown: ["另 {n} {unit}未知", "另 {n} {unit}未知", "{n} more not known"],
  had: ["{at} 时有 {n}", "{at} 時有 {n}", "{n} at {at}"],
  had_least: ["{at} 时至少有 {n}", "{at} 時至少有 {n}", "at least {n} at {at}"],
  silent_since: ["{at} 起无消息", "{at} 起無消息", "no news since {at}"],
  seconds_ago: ["{n} 秒前", "{n} 秒前", "{n} s ago"],
  minutes_ago: ["{n} 分钟前", "{n} 分鐘前", "{n} min ago"],
  m_short: ["{n} 分", "{n} 分", "{n} min"],
  h_short: ["{n} 时", "{n} 時", "{n} h"],
  d_short: ["{n} 天", "{n} 天", "{n} d"],
  hours_ago: ["{n} 小时前", "{n} 小時前", "{n} h ago"],
  updated: ["{age}更新", "{age}更新", "updated {age}"],
  since: ["{at} 起", "{at} 起", "{at}"],
  until: ["至 {at}", "至 {at}", "until {at}"],
  open_24: ["24 小时开放", "24 小時開放", "Open day and night"],
  open_until: ["开放至 {at}", "開放至 {at}", "Open until {at}"],
  opens: ["{at} 开门", "{at} 開門", "opens {at}"],
  closed_now: ["暂停进入", "暫停進入", "Closed now"],
  proved_open: ["已证实开门", "已證實開門", "seen open"],
  by_timetable: ["按时刻表", "按時刻表", "by the timetable"],
  door_bad: ["门不可用", "門不可用", "door out of use"],
  door_unsure: ["门未确认", "門未確認", "door not confirmed"],
  tomorrow: ["明天 {at}", "明天 {at}", "tomorrow {at}"],
  nearby_open: ["附近开放", "附近開放", "Open nearby"],
  near_free: ["{what} {n}", "{what} {n}", "{n} free"],
  km: ["{n} 公里", "{n} 公里", "{n} km"],
  metres: ["{n} 米", "{n} 米", "{n} m"],
  report_code: ["扫码报修", "掃碼報修", "Report, map"],
  lower_age: ["下栏 {age}更新", "下欄 {age}更新", "below: {age}"],
  lost: ["与服务器失去联系，以上是 {at} 的情况", "與伺服器失去聯繫，以上是 {at} 的情況", "No contact. This is how it was at {at}."],
  lost_all: [
    "与服务器失去联系，以上都不是现在的情况",
    "與伺服器失去聯繫，以上都不是現在的情況",
    "No contact. Nothing on this page is live.",
  ],
  lost_new: ["还没有连上服务器", "還沒有連上伺服器", "Not connected yet"],
  last_news: ["最后消息", "最後消息", "Last news"],
  connecting: ["正在连接", "正在連接", "Connecting"],
  nothing: ["这里还没有登记任何设施", "這裡還沒有登記任何設施", "Nothing is registered here yet"],
  page_of: ["第 {n}/{of} 页", "第 {n}/{of} 頁", "page {n}/{of}"],
  number: ["{n} 号 {word}", "{n} 號 {word}", "No. {n} {word}"],
};

/** @type {Record<string, number>} */
const COLUMN = { "zh-Hans": 0, "zh-Hant": 1, en: 2 };

// "zh", "zh-hant", "en" of the configuration → the tags used here; no second language → null, which says nothing.
/** @type {Record<string, string>} */
const TAGS = { zh: "zh-Hans", "zh-hant": "zh-Hant", en: "en" };
export const tag = (/** @type {string} */ short) => TAGS[short] ?? null;

// A speaker of one language: say("had", {at: "14:17", n: 7}).
/**
 * @param {string | null} lang
 * @param {Table} more
 * @returns {Say}
 */
export function speaker(lang, more = {}) {
  if (lang === null) return Object.assign(() => "", { lang: "", has: () => true, of: () => "" });
  const column = COLUMN[lang] ?? 0;
  /** @type {(key: string, values?: Record<string, string | number | null | undefined>) => string} */
  const say = (key, values = {}) =>
    ((more[key] ?? TABLE[key] ?? WORDS[key])?.[column] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
  const has = (/** @type {string} */ key) => key in TABLE || key in more || key in WORDS;
  return Object.assign(say, { lang, has, of: (/** @type {Names} */ names) => nameIn(names, lang) });
}

// The configured name in a language, or what comes nearest.
/**
 * @param {Names} names
 * @param {string} lang
 */
export function nameIn(names, lang) {
  if (!names || lang === "") return "";
  if (lang === "en") return names.en ?? names.zh ?? "";
  if (lang === "zh-Hant") return names["zh-hant"] ?? names["zh-Hant"] ?? names.zh ?? names.en ?? "";
  return names.zh ?? names["zh-Hans"] ?? names.en ?? "";
}

/** @type {(say: Say, key: string, form?: string) => string} */
export const kindWord = (say, key, form = "") => {
  const kind = key.split(":")[0];
  return [key + form, kind + form, key, kind].map((k) => (say.has(k) ? say(k) : null)).find(Boolean) ?? key;
};
