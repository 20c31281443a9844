// Small hands for the DOM. Nothing here knows what is true; it only writes what changed.

import { KINDS } from "./kinds.js";

export const $ = (selector, root = document) => root.querySelector(selector);

export function el(tag, options = {}, ...children) {
  const { cls, text, data, ...attributes } = options;
  const node = document.createElement(tag);
  if (cls) node.className = cls;
  if (text != null) node.textContent = text;
  for (const [name, value] of Object.entries(data ?? {})) if (value != null) node.dataset[name] = value;
  for (const [name, value] of Object.entries(attributes)) if (value != null) node.setAttribute(name, value);
  node.append(...children.filter((child) => child != null));
  return node;
}

export const glyph = (name) => el("i", { cls: "g", data: { g: name }, "aria-hidden": "true" });
export const icon = (name) => el("i", { cls: "k", data: { k: name }, "aria-hidden": "true" });

export function setText(node, text) {
  const value = text == null ? "" : String(text);
  if (node.textContent !== value) node.textContent = value;
  node.hidden = value === "";
}

export function setData(node, name, value) {
  if (value == null) {
    if (name in node.dataset) delete node.dataset[name];
  } else if (node.dataset[name] !== String(value)) node.dataset[name] = value;
}

export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

// The icon of a resource or group; every unknown sort has one too.
const ICONS = Object.assign({}, ...Object.values(KINDS).map((kind) => kind.keys));
export const iconOf = (key) => ICONS[key] ?? ICONS[key.split(":")[0]] ?? "plug";

const WORTH = 1.15; // another row must make the windows at least so much larger
const KEEP = 2; // and they rather shrink to half than change their rows, as when the banner comes up

// The largest window (in rem) with which `count` of them fit a box in even rows, and how many stand in a row; `kept` did so before.
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
