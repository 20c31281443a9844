// The list of what needs a person: a station after the other, each thing in words, with its age, what was tried and the next step.

import { el, glyph } from "./draw.js";
import { byStation, nextStep, triedOf } from "./items.js";
import { howLong } from "./time.js";

const MOST_SHOWN = 80;

// staff: null for strangers, who see and can't act. Written anew only where a word of it changed; false where it must wait.
export function paintNeeds(node, items, now, { say, staff }) {
  const shown = items.slice(0, MOST_SHOWN);
  const shape = JSON.stringify([shown.map((i) => [i.id, i.state, i.what, i.why, i.usable, i.order?.state, i.muted, triedOf(i, say), old(i, now, say)]), items.length]);
  if (node.dataset.shape === shape) return true;
  if (node.querySelector(":active")) return false; // nothing moves away under a finger
  node.dataset.shape = shape;
  const focus = /** @type {HTMLElement | null} */ (document.activeElement)?.closest?.(".need") ? document.activeElement : null;
  const kept = focus && [/** @type {HTMLElement} */ (focus).dataset.item, focus.className];
  if (!items.length) {
    node.replaceChildren(el("li", { cls: "none", text: say("all_fine") }));
    return true;
  }
  const groups = byStation(shown).map(([, members]) => groupOf(members, now, say, staff));
  const more = items.length > shown.length ? [el("li", { cls: "none", text: say("more_items", { n: items.length - shown.length }) })] : [];
  node.replaceChildren(...groups, ...more);
  if (kept) [...node.querySelectorAll(`[data-item="${CSS.escape(kept[0] ?? "")}"]`)].find((one) => one.className === kept[1])?.focus();
  return true;
}

const old = (item, now, say) => (item.since ? howLong((now ?? item.since) - item.since, say) : "");

function groupOf(items, now, say, staff) {
  const [first] = items;
  const place = first.station
    ? el("a", { href: `/stations/${encodeURIComponent(first.station)}`, text: first.name })
    : el("span", { text: first.name });
  return el(
    "li",
    { cls: "at", data: { station: first.station } },
    el("h3", {}, place, el("small", { text: [first.region, items.length > 1 ? say("items_n", { n: items.length }) : ""].filter(Boolean).join("　") })),
    el("ul", {}, ...items.map((item) => line(item, now, say, staff))),
  );
}

function line(item, now, say, staff) {
  const open = staff && (item.alert || item.order || item.task);
  const what = open
    ? el("button", { type: "button", cls: "open", data: { item: item.id }, text: item.what })
    : el("span", { cls: "open", text: item.what });
  const notes = [item.why, item.muted ? say("muted_short") : ""].filter(Boolean).join("　");
  return el(
    "li",
    {
      cls: item.hot ? "hot" : "",
      data: { station: item.station, state: item.state, kind: item.kind, resource: item.resource, usable: item.usable, alert: item.alert?.id },
    },
    glyph(item.glyph),
    el("div", {}, what, el("p", { text: notes }), el("p", { cls: "tried" }, ...(item.alert || item.order ? [posts(item, say)] : []))),
    el("div", { cls: "act" }, el("span", { cls: "old", text: old(item, now, say) }), staff?.acts ? action(item, say) : null),
  );
}

// 派单 · 接单 · 验收 as three posts on a line, and what was tried.
export function posts(item, say) {
  const step = item.order ? { assigned: 1, accepted: 2, done: 3, closed: 3 }[item.order.state] : 0;
  const row = el("span", { cls: "wo" });
  for (const n of [1, 2, 3]) row.append(...(n > 1 ? [el("s")] : []), el("i", { cls: n <= step ? "on" : "" }));
  row.append(el("span", { text: triedOf(item, say) || say("no_order") }));
  return row;
}

function action(item, say) {
  const step = nextStep(item);
  if (step === null) return null;
  const button = el("button", {
    cls: item.alert && item.state === "open" ? "deed main" : "deed",
    type: "button",
    text: say(step),
    data: { item: item.id, deed: step },
  });
  button.setAttribute("aria-label", `${say(step)} ${item.name} ${item.what}`);
  return button;
}
