// What needs a person: alerts for staff, and for everybody else what the documents themselves tell.

import { alertGlyph, alertTitle, causeText } from "./alert-line.js";
import { el, glyph } from "./draw.js";
import { titleOf } from "./say.js";
import { howLong, moment } from "./time.js";
import { nameIn } from "./words.js";

const GLYPH = { fault: "fault", offline: "offline", half: "unknown" };
const SEVERITY = { critical: 0, warning: 1, info: 2 };

// From documents: [{id, station, glyph, hot, what, why, since}]
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
    name: nameIn(house.picture.name, say.lang),
    glyph: GLYPH[trouble],
    hot: trouble !== "half",
    what: whatFails(house, broken, say),
    state: "open",
    usable: trouble === "fault" ? "no" : "unknown",
    kind: first?.kind ?? "station",
    resource: first?.id ?? null,
    why: broken?.sinceAt ? say("since", { at: at(broken.sinceAt) }) : last === null ? say("never") : say("last_at", { at: at(last) }),
    since: broken?.sinceAt ?? last,
  };
}

function whatFails(house, broken, say) {
  if (broken) return say("faulty", { what: titleOf(broken, {}, say.lang, say) });
  return house.trouble === "offline" ? say("station_silent") : say("some_silent", { n: house.silent() });
}

// From alerts, the unowned first, then by severity, then the oldest.
export function fromAlerts(alerts, orders, houses, now, { say, zone }) {
  const orderOf = new Map(orders.map((order) => [order.alert, order]));
  const byId = new Map(houses.map((h) => [h.id, h]));
  return alerts
    .filter((a) => a.state !== "closed")
    .map((alert) => {
      const house = byId.get(alert.station);
      const resource = house?.picture.resources.find((r) => r.id === alert.resource);
      const owner = alert.history?.findLast?.((entry) => entry.state === "acknowledged");
      const since = Date.parse(alert.opened_at);
      return {
        id: alert.id,
        station: alert.station,
        name: house ? nameIn(house.picture.name, say.lang) : (alert.station ?? say("own")),
        alert,
        order: orderOf.get(alert.id),
        glyph: alertGlyph(alert.kind),
        hot: alert.severity === "critical",
        what: alertTitle(alert, resource, {}, say),
        why: [say("since", { at: moment(since, now ?? since, zone, say) }), causeText(alert, say)].filter(Boolean).join("　"),
        state: alert.state,
        owner: owner?.by ?? owner?.actor ?? "",
        since,
        usable: resource ? house.states[house.picture.resources.indexOf(resource)].usable : (house?.face.usable ?? "unknown"),
        kind: resource?.kind ?? "station",
        resource: alert.resource,
        severity: SEVERITY[alert.severity] ?? 3,
      };
    })
    .sort((a, b) =>
      a.state !== b.state ? (a.state === "open" ? -1 : 1) : a.severity - b.severity || a.since - b.since,
    );
}

// staff: {acknowledge(alert)} or null
export function paintNeeds(node, items, now, { say, staff }) {
  if (!items.length) return node.replaceChildren(el("li", { cls: "none", text: say("all_fine") }));
  node.replaceChildren(
    ...items.map((item) => {
      const li = el(
        "li",
        {
          cls: item.hot ? "hot" : "",
          data: { station: item.station, state: item.state, kind: item.kind, resource: item.resource, usable: item.usable },
        },
        glyph(item.glyph),
        el(
          "div",
          {},
          el("b", {}, el("a", { href: `/stations/${encodeURIComponent(item.station)}`, text: item.name }), el("em", { text: item.what })),
          el("p", { text: item.why }),
          item.alert ? posts(item, say) : null,
        ),
        el(
          "div",
          { cls: "act" },
          el("span", { cls: "old", text: item.since ? howLong((now ?? item.since) - item.since, say) : "" }),
          item.alert ? action(item, say, staff) : null,
        ),
      );
      return li;
    }),
  );
}

// 派单 · 接单 · 验收 as three posts on a line, and who has it.
function posts(item, say) {
  const step = item.order ? { assigned: 1, accepted: 2, done: 3, closed: 3 }[item.order.state] : 0;
  const line = el("span", { cls: "wo" });
  for (const n of [1, 2, 3]) line.append(...(n > 1 ? [el("s")] : []), el("i", { cls: n <= step ? "on" : "" }));
  line.append(
    el("span", {
      text: step
        ? `${item.order.assignee} ${say(`step${step}`)}`
        : item.state === "acknowledged"
          ? item.owner
            ? say("acknowledged", { who: item.owner })
            : say("someone")
          : say("no_order"),
    }),
  );
  return line;
}

function action(item, say, staff) {
  if (!staff) return null;
  const label = item.state === "open" ? "acknowledge" : item.order ? "look" : "send_order";
  const button = el("button", {
    cls: item.state === "open" ? "main" : "",
    type: "button",
    text: say(label),
    data: { alert: item.id, act: label },
  });
  button.setAttribute("aria-label", `${say(label)} ${item.name} ${item.what}`);
  return button;
}
