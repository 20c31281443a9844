// What needs a person, as items: alerts, tasks and orders for staff, and for everybody else what the documents themselves tell.

import { alertGlyph, alertTitle, causeText } from "./alert-line.js";
import { grouped } from "./grouped.js";
import { thingOf } from "./say.js";
import { moment } from "./time.js";
import { nameIn } from "./words.js";

const GLYPH = { fault: "fault", offline: "offline", half: "unknown" };
const SEVERITY = { critical: 0, warning: 1, info: 2 };
const NEVER = "never_heard";
const UNDER_WAY = new Set(["assigned", "accepted", "done"]);

// From documents: what a stranger may know.
export function fromHouses(houses, now, { say, zone }) {
  return houses
    .filter((h) => ["offline", "fault", "half"].includes(h.trouble))
    .map((house) => needOf(house, now, say, zone))
    .sort((a, b) => Number(b.hot) - Number(a.hot) || (a.since ?? 0) - (b.since ?? 0));
}

function needOf(house, now, say, zone) {
  const { trouble } = house;
  const first = house.broken()[0];
  const broken = trouble === "fault" ? first : undefined;
  const last = house.silentSince() ?? house.lastNews();
  const at = (ms) => moment(ms, now ?? house.picture.asOf, zone, say);
  return {
    id: house.id,
    station: house.id,
    name: nameIn(house.picture.name, say.lang) || house.id,
    region: house.region,
    glyph: GLYPH[trouble],
    hot: trouble !== "half",
    what: whatFails(house, broken, say),
    state: "open",
    usable: trouble === "fault" ? "no" : "unknown",
    kind: first?.kind ?? "station",
    resource: first?.id ?? null,
    why: broken?.sinceAt ? say("since", { at: at(broken.sinceAt) }) : last === null ? say("never") : say("last_at", { at: at(last) }),
    since: broken?.sinceAt ?? last,
    severity: trouble === "half" ? 2 : 1,
  };
}

function whatFails(house, broken, say) {
  if (broken) return say("faulty", { what: thingOf(broken, say) });
  return house.trouble === "offline" ? say("station_silent") : say("some_silent", { n: house.silent() });
}

// Everything of staff: alerts, what was never heard, orders of their own, and troubles that no alert tells (yet).
export function forStaff({ alerts, orders }, houses, now, voice) {
  const byId = new Map(houses.map((h) => [h.id, h]));
  const orderOf = new Map();
  for (const order of orders) if (!orderOf.has(order.alert) || UNDER_WAY.has(order.state)) orderOf.set(order.alert, order);
  const items = alerts
    .filter((a) => a.state !== "closed")
    .map((alert) => ofAlert(alert, UNDER_WAY.has(orderOf.get(alert.id)?.state) ? orderOf.get(alert.id) : undefined, byId.get(alert.station), now, voice));
  const told = new Set(alerts.map((a) => a.id));
  const tasks = houses.map((house) => neverHeard(house, orders, voice)).filter((task) => task !== null);
  const used = new Set([...items, ...tasks].map((item) => item.order?.id));
  const loose = orders.filter((o) => UNDER_WAY.has(o.state) && !used.has(o.id) && !told.has(o.alert));
  items.push(...tasks, ...loose.map((order) => ofOrder(order, byId.get(order.station), now, voice)));
  const covered = new Set(items.map((item) => item.station));
  items.push(...fromHouses(houses.filter((h) => !covered.has(h.id)), now, voice));
  return items.sort(byUrgency);
}

export const byUrgency = (a, b) =>
  Number(a.state !== "open") - Number(b.state !== "open") || a.severity - b.severity || (a.since ?? 0) - (b.since ?? 0);

function ofAlert(alert, order, house, now, voice) {
  const { say } = voice;
  const resource = house?.picture.resources.find((r) => r.id === alert.resource);
  const since = Date.parse(alert.opened_at);
  const owner = (alert.history ?? []).findLast((entry) => entry.action === "acknowledged");
  return {
    id: alert.id,
    station: alert.station,
    ...placeOf(house, alert.station, say),
    alert,
    order,
    glyph: alertGlyph(alert.kind),
    hot: alert.severity === "critical",
    what: alertTitle(alert, resource, {}, say),
    why: causeText(alert, say),
    state: alert.state,
    owner: alert.state === "acknowledged" ? whoOf(owner?.by, say) : "",
    since,
    usable: resource && house ? (house.states[house.picture.resources.indexOf(resource)]?.usable ?? "unknown") : (house?.face.usable ?? "unknown"),
    kind: resource?.kind ?? "station",
    resource: alert.resource,
    severity: SEVERITY[alert.severity] ?? 3,
    muted: mutedUntil(alert, now),
  };
}

const placeOf = (house, station, say) => ({
  name: house ? nameIn(house.picture.name, say.lang) || house.id : (station ?? say("own")),
  region: house?.region ?? "",
});

function neverHeard(house, orders, { say }) {
  const never = house.never();
  if (!never.length) return null;
  const all = never.length === house.picture.resources.length;
  return {
    id: `never:${house.id}`,
    station: house.id,
    ...placeOf(house, house.id, say),
    task: NEVER,
    order: orders.find((o) => o.alert === null && o.station === house.id && o.title === NEVER && UNDER_WAY.has(o.state)),
    glyph: "stale",
    hot: false,
    what: all ? say("never_heard_all") : say("never_heard", { n: never.length }),
    why: all ? say("never_step") : listOf(never.map((r) => thingOf(r, say)), say),
    state: "open",
    usable: "unknown",
    kind: "station",
    resource: null,
    since: null,
    severity: 2,
    title: NEVER,
  };
}

function listOf(names, say) {
  const shown = names.slice(0, 4).join(say.lang === "en" ? ", " : "、");
  return names.length > 4 ? `${shown} …` : shown;
}

function ofOrder(order, house, now, { say }) {
  const since = Date.parse(order.opened_at);
  const resource = house?.picture.resources.find((r) => r.id === order.resource);
  const word = [`title.${order.title}`, `alert.${order.title}`].find((key) => say.has(key));
  const what = [resource ? thingOf(resource, say) : "", word ? say(word) : order.title].filter(Boolean).join(" ");
  return {
    id: `order:${order.id}`,
    station: order.station,
    ...placeOf(house, order.station, say),
    order,
    glyph: "maintenance",
    hot: false,
    what: say("order_for", { what }),
    why: "",
    state: "acknowledged",
    owner: "",
    since: Math.min(since, now ?? since),
    usable: "unknown",
    kind: resource?.kind ?? "station",
    resource: order.resource,
    severity: 2,
  };
}

export function mutedUntil(alert, now) {
  const last = (alert.history ?? []).findLast((entry) => entry.action === "muted");
  const until = last ? Date.parse(last.text) : 0;
  return now !== null && until > now ? until : null;
}

export const whoOf = (by, say) => (by && say.has(`who.${by}`) ? say(`who.${by}`) : (by ?? ""));

// What was tried last, in one line.
export function triedOf(item, say) {
  const { order, alert } = item;
  const words = (alert?.history ?? []).findLast((entry) => entry.action === "commented");
  const step = order ? { assigned: 1, accepted: 2, done: 3 }[order.state] : 0;
  const parts = [
    step ? `${order.assignee || say("no_one")} ${say(`step${step}`)}` : item.state === "acknowledged" && item.owner ? say("acknowledged", { who: item.owner }) : "",
    words ? `“${words.text}”` : "",
  ];
  return parts.filter(Boolean).join("　");
}

// What to do next, of those that one press settles.
export function nextStep(item) {
  if (item.alert && item.state === "open" && !item.order) return "acknowledge";
  if (item.order?.state === "assigned") return "accept";
  if (item.order?.state === "accepted") return "done";
  if (item.order?.state === "done") return provedByHand(item) ? "verify" : null;
  return item.alert || item.task ? "accept" : null; // an order for oneself
}

const BY_PERSON = new Set(["reported", "door_forced", "tamper", "help", "check_problem"]);
// Where only a person can see that it is over.
export const provedByHand = (item) => !item.alert || BY_PERSON.has(item.alert.kind);

// Items by station, the station with the most urgent first.
export function byStation(items) {
  return [...grouped(items, (item) => item.station ?? "")];
}

// Each station is one of three: it needs care, it is shut, or it is fine. They add up to all there are.
export function countsOf(items, houses) {
  const bad = new Set(items.map((item) => item.station));
  const rest = houses.filter((h) => !bad.has(h.id));
  const shut = rest.filter((h) => h.trouble === "closed").length;
  return { items: items.length, bad: houses.length - rest.length, shut, ok: rest.length - shut };
}
