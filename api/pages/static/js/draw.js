// Small hands for the DOM. Nothing here knows what is true; it only writes what changed.

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
const ICONS = {
  "charger:ebike": "ebike",
  "charger:ev": "ev",
  "charger:phone": "phone",
  charger: "plug",
  seat: "seat",
  room: "room",
  locker: "locker",
  parking: "parking",
  door: "card",
  "appliance:microwave": "microwave",
  "appliance:water": "water",
  "appliance:massage": "massage",
  appliance: "plug",
  "safety:aed": "aed",
  "safety:first_aid": "firstaid",
  safety: "firstaid",
};
export const iconOf = (key) => ICONS[key] ?? ICONS[key.split(":")[0]] ?? "plug";

// No row much shorter than the others.
const even = (count, columns) => Math.ceil(count / Math.ceil(count / Math.min(columns, count)));

// The largest window (in rem) with which `count` of them fit a box, and how many stand in a row.
export function fit(count, width, height, largest, smallest = 1.2) {
  for (let size = largest; size > smallest; size -= 0.2) {
    const columns = Math.max(1, Math.floor((width + size * 0.26) / (size * 1.26)));
    if (Math.ceil(count / columns) * size * 1.5 - size * 0.26 <= height)
      return { size: Math.round(size * 10) / 10, columns: even(count, columns) };
  }
  return { size: smallest, columns: Math.max(1, Math.floor(width / (smallest * 1.26))) };
}
