// The map: marks pushed apart where they touch, names only for trouble.

import { make } from "./patterns.js";
import { tilesUnder, viewOf } from "./projection.js";
import { grouped } from "./grouped.js";
import { inSlices } from "./slices.js";
import { nameIn } from "./words.js";

const FEW = 16;
const MANY = 120;
const arch = (w) => `M${-w / 2} ${w * 0.6}v${-w * 0.7}a${w / 2} ${w / 2} 0 0 1 ${w} 0v${w * 0.7}z`;
const triangle = (w) => `M0 ${-w * 0.75}l${w * 0.8} ${w * 1.4}h${-w * 1.6}z`;

const tile = ({ href, x, y, size }) =>
  make("image", { class: "tile", href, x: x.toFixed(1), y: y.toFixed(1), width: (size + 0.5).toFixed(1), height: (size + 0.5).toFixed(1) });

export class StationMap {
  // tiles: the URL of map tiles with {z}, {x} and {y}; without it the map is drawn from the coordinates alone
  constructor(svg, { say, tiles }) {
    this.svg = svg;
    this.say = say;
    this.tiles = tiles;
    this.marks = new Map();
    this.size = 0; // of a mark
    this.turn = 0; // which laying out goes on
    this.width = 0;
    // a pointer's short cut; by keyboard and for readers the sheet has the same links
    svg.addEventListener("click", (event) => {
      const id = event.target.closest("g[data-station]")?.dataset.station;
      if (id) location.assign(`/stations/${encodeURIComponent(id)}`);
    });
  }

  // Lay out all stations that have coordinates; once, and when the box or the set changes.
  async lay(houses) {
    this.turn += 1;
    const turn = this.turn;
    const placed = houses.filter((h) => h.where);
    const { clientWidth: width, clientHeight: height } = this.svg;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("aria-label", this.say("map_of", { n: placed.length }));
    this.svg.replaceChildren();
    this.marks.clear();
    this.width = width;
    if (!placed.length || !height) return;
    const view = viewOf(
      placed.map((h) => h.where),
      width,
      height,
    );
    const points = new Map(placed.map((h) => [h, view.at(h.where)]));
    if (this.tiles) this.svg.append(...tilesUnder(view, this.tiles).map(tile));
    this.size = placed.length > 400 ? 4 : placed.length > 120 ? 6 : 9;
    if (placed.length <= 300) spread(points, this.size * 1.5);
    this.names = make("g", {});
    this.svg.append(this.names);
    if (placed.length > FEW)
      for (const [region, members] of regionsOf(placed))
        this.svg.append(
          this.#label(
            region,
            members.map((h) => points.get(h)),
          ),
        );
    const put = (house) => {
      if (turn !== this.turn) return;
      const [x, y] = points.get(house);
      const link = make("g", { "data-station": house.id, transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` });
      const mark = make("path", { class: "mark" });
      link.append(make("title", {}, nameIn(house.picture.name, this.say.lang)), mark);
      this.svg.insertBefore(link, this.names);
      this.marks.set(house.id, { mark, link, x, y });
    };
    if (placed.length > MANY) await inSlices(placed, put);
    else placed.forEach(put);
    if (turn !== this.turn) return;
    const five = 5 * view.pixelsPerKm;
    if (five > 20 && five < width / 2)
      this.svg.append(
        make("path", { class: "scale", d: `M${width - 6 - five} ${height - 10}v6h${five}v-6` }),
        make("text", { class: "region", x: width - 6 - five / 2, y: height - 13 }, this.say("km5")),
      );
    this.svg.append(this.names);
  }

  paint(house) {
    const found = this.marks.get(house.id);
    if (!found) return;
    const face = house.face;
    const bad = house.trouble && house.trouble !== "closed";
    const shape = `${face.usable} ${face.because} ${bad}`;
    if (found.shape === shape) return;
    found.shape = shape;
    const size = bad ? this.size * 1.45 : this.size;
    found.mark.setAttribute("d", house.trouble === "fault" ? triangle(size * 0.8) : arch(size));
    found.mark.dataset.kind = "station";
    found.mark.dataset.usable = house.trouble === "half" ? "unknown" : face.usable;
    found.mark.dataset.because = face.because ?? "";
    if (bad) this.svg.insertBefore(found.link, this.names);
  }

  // Names of the stations in trouble (of all, if they are few), each where it covers the fewest marks.
  name(houses) {
    if (!this.names) return;
    const taken = [...this.marks.values()].map(({ x, y }) => [x - 6, y - 7, x + 6, y + 7]);
    const labels = houses
      .filter((h) => this.marks.has(h.id) && (houses.length <= FEW || ["offline", "fault", "half"].includes(h.trouble)))
      .slice(0, 14)
      .map((house) => {
        const { x, y } = this.marks.get(house.id);
        const text = shortName(nameIn(house.picture.name, this.say.lang));
        const w = [...text].reduce((n, c) => n + (c > "\u2e80" ? 12.5 : 7.5), 2);
        const inside = (l) => Math.max(0, Math.min(l, this.width - w));
        const [, left, top] = [
          [x + 10, y - 8],
          [x - 10 - w, y - 8],
          [x - w / 2, y + 9],
          [x - w / 2, y - 26],
        ]
          .map(([l, t]) => [cover(taken, inside(l), t, w), inside(l), t])
          .sort((p, q) => p[0] - q[0])[0];
        taken.push([left, top, left + w, top + 16]);
        return make("text", { class: "name", x: left.toFixed(1), y: (top + 12).toFixed(1) }, text);
      });
    this.names.replaceChildren(...labels);
  }

  #label(region, points) {
    const x = points.reduce((n, p) => n + p[0], 0) / points.length;
    const top = Math.min(...points.map((p) => p[1]));
    return make("text", { class: "region", x: x.toFixed(1), y: Math.max(12, top - 14).toFixed(1) }, region);
  }
}

// What tells one station from another: without the words that all share, and never cut within a word.
function shortName(name) {
  const own = name.replace(/驿站$|驛站$|( community)? rest station$/i, "");
  if (own > "\u2e80") return own.slice(0, 8);
  return own.length > 16 ? own.slice(0, 17).replace(/\s+\S*$/, "") : own;
}

const cover = (taken, l, t, w) =>
  taken.reduce(
    (n, k) => n + Math.max(0, Math.min(k[2], l + w) - Math.max(k[0], l)) * Math.max(0, Math.min(k[3], t + 16) - Math.max(k[1], t)),
    0,
  );

function regionsOf(houses) {
  const regions = new Map();
  for (const house of houses) if (house.region) regions.set(house.region, [...(regions.get(house.region) ?? []), house]);
  return regions.size <= 12 ? regions : new Map();
}

// Pairs that may touch: those of the same or of neighbouring cells.
function* neighbours(all, apart) {
  const cells = grouped(all, ([x, y]) => `${Math.floor(x / apart)},${Math.floor(y / apart)}`);
  const AROUND = [[0, 0], [1, 0], [0, 1], [1, 1], [1, -1]];
  for (const [name, here] of cells) {
    const [cx, cy] = name.split(",").map(Number);
    for (const [i, j] of AROUND)
      for (const p of here)
        for (const q of i || j ? (cells.get(`${cx + i},${cy + j}`) ?? []) : here.slice(here.indexOf(p) + 1)) yield [p, q];
  }
}

function spread(points, apart) {
  const all = [...points.values()];
  const rounds = all.length > MANY ? 12 : 40;
  for (let round = 0; round < rounds; round++)
    for (const [p, q] of neighbours(all, apart)) {
      const dx = p[0] - q[0];
      const dy = p[1] - q[1];
      const d = Math.hypot(dx, dy) || 0.1;
      if (d >= apart) continue;
      const push = (apart - d) / d / 4;
      p[0] += dx * push;
      p[1] += dy * push;
      q[0] -= dx * push;
      q[1] -= dy * push;
    }
}
