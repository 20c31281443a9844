// Roll-ups: all stations, then each region. An unknown is never swallowed by a sum, and each sum tells its oldest news.

import { countText } from "./count.js";
import { grouped } from "./grouped.js";
import { el, setData, setText } from "./draw.js";
import { age } from "./time.js";
import { usableOf, wording } from "./truth.js";

const ROOMY = 5; // so many regions have room for all that is told of them; more stand closer, each in two lines

// boxes: the row they stand in; key: the kind that is counted large
export function paintSums(boxes, houses, key, now, say) {
  const regions = [...grouped(houses, (h) => h.region)];
  boxes.classList.toggle("close", regions.length > ROOMY);
  const parts = [[say("all"), houses], ...regions.map(([region, members]) => [region || say("other_region"), members])];
  if (boxes.childElementCount !== parts.length) boxes.replaceChildren(...parts.map(box));
  for (const [i, [title, members]] of parts.entries()) paint(boxes.children[i], title, members, key, now, say, i === 0);
}

function box() {
  return el(
    "div",
    {},
    el("h3", {}, el("span"), el("small")),
    el("p", { cls: "big" }, el("em"), el("span"), el("small")),
    el("div", { cls: "strip" }, el("i", { cls: "f" }), el("i", { cls: "u hatch" }), el("i", { cls: "b" })),
    el("p"),
  );
}

// The first says what is counted; the others have no room to repeat it.
function paint(node, title, members, key, now, say, first) {
  const sum = total(members, (k) => k === key);
  const piles = total(members, (k) => k.startsWith("charger"));
  const form = wording(sum);
  const [h3, big, strip, foot] = node.children;
  setData(node, "kind", key.split(":")[0]);
  setData(node, "usable", usableOf(sum));
  setData(node, "form", form);
  setData(big, "digits", String(sum.min).length + String(sum.total).length);
  setText(h3.children[0], title);
  setText(h3.children[1], say("stations_n", { n: members.length }));
  setText(big.children[0], form === "atleast" ? say("at_least_short") : "");
  setText(big.children[1], form === "atleast" ? sum.min : countText(sum, say));
  setText(big.children[2], first ? say(key === "seat" ? "seats_of" : "places_of", { n: sum.total }) : `/${sum.total}`);
  strip.children[0].style.width = `${(100 * sum.min) / (sum.total || 1)}%`;
  strip.children[1].style.width = `${(100 * (sum.max - sum.min)) / (sum.total || 1)}%`;
  const charging = piles.total && !key.startsWith("charger") ? say("piles", { a: countText(piles, say, "_short"), b: piles.total }) : "";
  const oldest = Math.min(...members.map((h) => h.picture.asOf));
  setText(foot, [charging, now === null ? "" : age(oldest, now, say)].filter(Boolean).join(", "));
}

function total(members, wanted) {
  const sum = { min: 0, max: 0, total: 0, shut: 0, broken: 0, mended: 0 };
  for (const { tallies } of members)
    for (const [key, tally] of tallies) if (wanted(key)) for (const part of Object.keys(sum)) sum[part] += tally[part];
  return sum;
}
