// A group's windows: one arch a place, sized to its box on a wall; `flow` leaves the size to the style sheet.

import { el, fit, setAttribute, setData } from "./draw.js";
import { KINDS } from "./kinds.js";
import { becauseOf, numberOf, wordOf } from "./say.js";
import { stateOf } from "./truth.js";

const MOST_UNITS = 60;
const MANY = 12; // more are drawn small where the page flows
const READABLE_REM = 4.2; // a smaller window shows no number: nothing on a wall is below 1.5 m reading

export function windowsOf(group, { largest, say, flow = false }) {
  const box = el("ol", { cls: "wins" });
  const counted = KINDS[group.kind]?.units;
  const units = [];
  /** @type {number | null} */
  let kept = null;
  const add = (data, number) => {
    const node = el("li", { cls: "win", data }, el("span", { text: number }));
    units.push({ node, number });
    box.append(node);
  };
  if (!counted)
    for (const [i, resource] of group.resources.entries()) add({ resource: resource.id }, numberOf(resource.id) || String(i + 1));
  const crowd = (many) => flow && box.classList.toggle("many", many);
  const size = () => {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    if (!box.clientWidth || !box.clientHeight) return;
    const found = fit(units.length, box.clientWidth / rem, box.clientHeight / rem, largest, kept);
    kept = found.columns;
    box.style.setProperty("--win", `${found.size}rem`);
    box.style.setProperty("--columns", `${found.columns}`);
    box.classList.toggle("mute", found.size < READABLE_REM);
  };
  crowd(group.resources.length > 20);
  if (!flow) new ResizeObserver(size).observe(box);
  return {
    box,
    // The same resources in the same order, as told by the newest picture; boxes and bays by their number alone.
    paint(resources, picture, now, t) {
      if (counted) return paintUnits(t);
      resources.forEach((resource, i) => {
        const state = stateOf(resource, picture, now);
        const { node, number } = units[i];
        setData(node, "usable", state.usable);
        setData(node, "because", becauseOf(state));
        const why = state.usable === "unknown" ? say(state.why) : "";
        setAttribute(node, "aria-label", [say("number", { n: number, word: wordOf(resource, state, say) }), why].filter(Boolean).join(", "));
      });
    },
  };

  function paintUnits(t) {
    const total = Math.min(t.total, MOST_UNITS);
    crowd(total > MANY);
    while (units.length < total) add({ kind: group.kind }, "");
    while (units.length > total) units.pop().node.remove();
    for (const [i, { node }] of units.entries()) {
      setData(node, "usable", i < t.min ? "yes" : i < t.max ? "unknown" : "no");
      setData(node, "because", t.shut === t.total ? "closed" : null);
    }
  }
}
