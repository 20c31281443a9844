// Small hands for the DOM. Nothing here knows what is true; it only writes what changed.

import { KINDS } from "./kinds.js";

/**
 * What the page's template holds: one that is missing is a mistake of ours, which the first test of the page sees.
 * @returns {any} the element, whatever it is; `any`, because only the template knows
 */
export const $ = (/** @type {string} */ selector, /** @type {ParentNode} */ root = document) => root.querySelector(selector);

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any>} options cls, text, data; the rest are attributes
 * @param {(Node | string | number | null | undefined)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, options = {}, ...children) {
  const { cls, text, data, ...attributes } = options;
  const node = document.createElement(tag);
  if (cls) node.className = cls;
  if (text != null) node.textContent = text;
  for (const [name, value] of Object.entries(data ?? {})) if (value != null) node.dataset[name] = value;
  for (const [name, value] of Object.entries(attributes)) if (value != null) node.setAttribute(name, value);
  for (const child of children) if (child != null) node.append(child instanceof Node ? child : String(child));
  return node;
}

export const glyph = (/** @type {string} */ name) => el("i", { cls: "g", data: { g: name }, "aria-hidden": "true" });
export const icon = (/** @type {string} */ name) => el("i", { cls: "k", data: { k: name }, "aria-hidden": "true" });

/**
 * @param {HTMLElement} node
 * @param {string | number | null | undefined} text
 */
export function setText(node, text) {
  const value = text == null ? "" : String(text);
  if (node.textContent !== value) node.textContent = value;
  node.hidden = value === "";
}

/**
 * @param {HTMLElement | SVGElement} node
 * @param {string} name
 * @param {string | number | null | undefined} value
 */
export function setData(node, name, value) {
  if (value == null) {
    if (name in node.dataset) delete node.dataset[name];
  } else if (node.dataset[name] !== String(value)) node.dataset[name] = String(value);
}

/**
 * @param {Element} node
 * @param {string} name
 * @param {string | number} value
 */
export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}

// The icon of a resource or group; every unknown sort has one too.
/** @type {Record<string, string>} */
const ICONS = Object.assign({}, ...Object.values(KINDS).map((kind) => kind.keys));
export const iconOf = (/** @type {string} */ key) => ICONS[key] ?? ICONS[key.split(":")[0]] ?? "plug";

const WORTH = 1.15; // another row must make the windows at least so much larger
const KEEP = 2; // and they rather shrink to half than change their rows, as when the banner comes up

// The largest window (in rem) with which `count` of them fit a box in even rows, and how many stand in a row; `kept` did so before.
/**
 * @param {number} count
 * @param {number} width
 * @param {number} height
 * @param {number} largest
 * @param {number | null} kept
 */
export function fit(count, width, height, largest, kept = null, smallest = 1.2) {
  let found = { size: 0, columns: 1, worth: 0 };
  for (let rows = 1; rows <= count; rows++) {
    const columns = Math.ceil(count / rows);
    const size = Math.min(largest, width / (columns * 1.26 - 0.26), height / (rows * 1.5 - 0.26));
    const worth = columns === kept ? size * KEEP : size;
    if (worth > found.worth * WORTH) found = { size, columns, worth };
  }
  return { size: Math.max(smallest, Math.floor(found.size * 10) / 10), columns: found.columns };
}
