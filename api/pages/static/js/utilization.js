// Utilisation as the server counts it: occupied ÷ known-open minutes, never guessed where nothing is known.

import { DAY_MS, HOUR_MS } from "./time.js";

// One bucket of /utilization in plain numbers; share is null where nothing is known or the place was shut.
export function bucketOf(raw) {
  const known = raw.known_open_minutes ?? raw.known_open_min ?? 0;
  const occupied = raw.occupied_minutes ?? raw.occupied_min ?? 0;
  const unknown = raw.unknown_minutes ?? raw.unknown_min ?? 0;
  return {
    from: Date.parse(raw.from),
    to: Date.parse(raw.to ?? raw.from),
    known,
    occupied,
    unknown,
    share: known > 0 && known >= unknown ? occupied / known : null,
    raw,
  };
}

export async function utilization(station, from, to, by, more = "") {
  const iso = (ms) => new Date(ms).toISOString();
  const answer = await fetch(`/api/v1/stations/${encodeURIComponent(station)}/utilization?from=${iso(from)}&to=${iso(to)}&by=${by}${more}`)
    .then((r) => (r.ok ? r.json() : null))
    .catch(() => null);
  return answer === null ? null : (answer.buckets ?? answer.utilization ?? []).map(bucketOf);
}

export function total(buckets) {
  const sum = { known: 0, occupied: 0, unknown: 0 };
  for (const b of buckets) for (const part of Object.keys(sum)) sum[part] += b[part];
  const all = sum.known + sum.unknown;
  return { ...sum, share: sum.known ? sum.occupied / sum.known : null, coverage: all ? sum.known / all : null };
}

// 28 quarters of a day for the sheet's little bars; null when the server offers no utilisation.
export async function weekOf(station, now) {
  const to = Math.ceil(now / HOUR_MS) * HOUR_MS;
  const from = to - 7 * DAY_MS;
  const hours = await utilization(station, from, to, "hour");
  if (hours === null) return null;
  const values = Array.from(
    { length: 28 },
    (_, i) => total(hours.filter((b) => b.from >= from + (i * DAY_MS) / 4 && b.from < from + ((i + 1) * DAY_MS) / 4)).share,
  );
  return { values, share: total(hours).share };
}
