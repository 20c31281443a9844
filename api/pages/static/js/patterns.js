// SVG by hand, and the hatch and the shutter as fills for marks, bars and plans.

const SVG = "http://www.w3.org/2000/svg";
export const make = (tag, attributes, text) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text != null) node.textContent = text;
  return node;
};

export function patterns() {
  const svg = make("svg", { width: 0, height: 0, class: "defs", "aria-hidden": "true" });
  const defs = make("defs", {});
  const hatch = make("pattern", { id: "hatch", width: 3.5, height: 3.5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  hatch.append(
    make("rect", { width: 3.5, height: 3.5, fill: "var(--hatch-b)" }),
    make("rect", { width: 1.3, height: 3.5, fill: "var(--hatch-a)" }),
  );
  const shutter = make("pattern", { id: "shutter", width: 4, height: 3, patternUnits: "userSpaceOnUse" });
  shutter.append(make("rect", { width: 4, height: 3, fill: "var(--wall)" }), make("rect", { width: 4, height: 1, fill: "var(--ink-3)" }));
  defs.append(hatch, shutter);
  svg.append(defs);
  return svg;
}
