// A floor plan from the configuration: an SVG whose elements carry data-resource. It is drawn in place of the rows of windows, and each
// such element takes its state like a window does. What could act or fetch is taken out before it enters the page.

import { setAttribute, setData } from "./draw.js";
import { becauseOf, wordOf } from "./say.js";
import { stateOf } from "./truth.js";

const HANDLERS = /\son\w+\s*=\s*("[^"]*"|'[^']*')/gi; // the policy would stop them, loudly
const UNWANTED = "script, style, foreignObject, iframe, image, use[href^='http'], a, animate, set";
// A colour, filter or marker may be an address, also with CSS escapes: only parts of the plan itself are meant.
const FETCHES = /\\|\/\/|(?:src|image|image-set)\s*\(|url\((?!\s*["']?#)/i;

export async function planOf(place, say) {
  const text = await fetch(`/screen/${encodeURIComponent(place.id)}/plan.svg`)
    .then((r) => (r.ok ? r.text() : null))
    .catch(() => null);
  const quiet = text?.replace(HANDLERS, "");
  const svg = quiet ? new DOMParser().parseFromString(quiet, "image/svg+xml").documentElement : null;
  if (svg?.localName !== "svg") return null;
  for (const node of svg.querySelectorAll(UNWANTED)) node.remove();
  for (const node of [svg, ...svg.querySelectorAll("*")])
    for (const { name, value } of [...node.attributes])
      if (/^on|^style$|href$/i.test(name) || (!/^xmlns/.test(name) && FETCHES.test(value))) node.removeAttribute(name);
  svg.classList.add("plan");
  svg.removeAttribute("width");
  svg.removeAttribute("height");
  const drawn = /** @type {SVGElement[]} */ ([...svg.querySelectorAll("[data-resource]")]);
  return {
    node: document.adoptNode(svg),
    paint(picture, now) {
      for (const node of drawn) {
        const resource = picture.resources.find((r) => r.id === node.dataset.resource);
        const state = resource ? stateOf(resource, picture, now) : { usable: "unknown", why: "never" };
        setData(node, "usable", state.usable);
        setData(node, "because", becauseOf(state));
        setAttribute(node, "role", "img");
        setAttribute(node, "aria-label", resource ? `${resource.id} ${wordOf(resource, state, say)}` : (node.dataset.resource ?? ""));
      }
    },
  };
}
