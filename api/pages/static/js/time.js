// Moments in a station's zone, and lengths of time, as words.

export const HOUR_MS = 36e5;
export const DAY_MS = 24 * HOUR_MS;

/** @typedef {import("./words.js").Say} Say */

/** @type {Map<string, Intl.DateTimeFormat>} */
const FORMATS = new Map();
/**
 * @param {string} zone
 * @param {string} lang
 * @param {Intl.DateTimeFormatOptions} options
 */
function format(zone, lang, options) {
  const key = zone + lang + JSON.stringify(options);
  const made = FORMATS.get(key) ?? new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, { timeZone: zone, ...options });
  FORMATS.set(key, made);
  return made;
}

/** @type {(at: number, zone: string) => string} */
export const hhmm = (at, zone) => format(zone, "en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);
/** @type {(at: number, zone: string) => string} */
export const hhmmss = (at, zone) =>
  format(zone, "en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(at);
/** @type {(at: number, zone: string) => string} */
export const dayOf = (at, zone) => format(zone, "en", { year: "numeric", month: "2-digit", day: "2-digit" }).format(at);
/** @type {(at: number, zone: string, lang: string) => string} */
export const date = (at, zone, lang) =>
  format(
    zone,
    lang,
    lang === "en" ? { weekday: "short", day: "numeric", month: "short" } : { month: "long", day: "numeric", weekday: "long" },
  ).format(at);
/** @type {(at: number, zone: string, lang: string) => string} */
export const shortDay = (at, zone, lang) => format(zone, lang, { weekday: "short", day: "numeric" }).format(at);

// 14:17 today; with the day when it is another one.
/**
 * @param {number} at
 * @param {number | null} now
 * @param {string} zone
 * @param {Say} say
 */
export function moment(at, now, zone, say) {
  const clock = hhmm(at, zone);
  if (now === null) return clock;
  if (dayOf(at, zone) === dayOf(now, zone)) return clock;
  if (at > now && dayOf(at, zone) === dayOf(now + DAY_MS, zone)) return say("tomorrow", { at: clock });
  return `${format(zone, say.lang, { month: "numeric", day: "numeric" }).format(at)} ${clock}`;
}

/**
 * @param {number} at
 * @param {number} now
 * @param {Say} say
 */
export function age(at, now, say) {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 60) return say("seconds_ago", { n: seconds });
  if (seconds < 3600) return say("minutes_ago", { n: Math.floor(seconds / 60) });
  return say("hours_ago", { n: Math.floor(seconds / 3600) });
}

// Is it night by "19:00-07:00"?
/**
 * @param {number} at
 * @param {string} zone
 * @param {string} span
 */
export function isNight(at, zone, span) {
  const [from, to] = span.split("-");
  const now = hhmm(at, zone);
  return from > to ? now >= from || now < to : now >= from && now < to;
}

// A length of time at a glance: 5 min, 1.5 h, 3 d.
/**
 * @param {number} ms
 * @param {Say} say
 */
export function howLong(ms, say) {
  const minutes = Math.max(0, Math.round(ms / 60000));
  if (minutes < 60) return say("m_short", { n: minutes });
  return minutes < 2880
    ? say("h_short", { n: minutes < 600 ? Math.round(minutes / 6) / 10 : Math.round(minutes / 60) })
    : say("d_short", { n: Math.round(minutes / 1440) });
}
