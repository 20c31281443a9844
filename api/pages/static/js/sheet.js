// Every station on one sheet, like a timetable: trouble first in each region, rows written only when they change.

import { Blocks } from "./blocks.js";
import { countText } from "./count.js";
import { grouped } from "./grouped.js";
import { el, setData, setText } from "./draw.js";
import { moment } from "./time.js";
import { usableOf, wording } from "./truth.js";
import { kindWord, nameIn } from "./words.js";

// What one may look for.
export const textOf = (house) => `${house.id} ${Object.values(house.picture.name).join(" ")} ${house.region}`.toLowerCase();

const RANK = { offline: 0, fault: 1, half: 2, null: 3, closed: 4 };

export class Sheet {
  // many: rows are made when they are first looked at
  constructor(node, columns, { say, zone, few, many = false }) {
    this.node = node;
    this.columns = columns;
    this.say = say;
    this.zone = zone;
    this.few = few;
    this.stopped = null; // the row that Tab comes to
    this.rows = new Map();
    this.sections = new Map();
    this.none = el("p", { cls: "none", text: say("none_found"), hidden: "" });
    node.style.setProperty("--kinds", columns.length);
    node.classList.toggle("many", many);
    this.blocks = many ? new Blocks(node, (house) => this.#first(house)) : null;
    /** @type {(row: any) => void} hears of each row that is made */
    this.onRow = () => {};
    this.told = new Map();
  }

  // A row that is looked at for the first time says what it would say.
  #first(house) {
    const row = this.row(house);
    this.#write(row, house, this.told.get(house.id) ?? {});
    return row.node;
  }

  row(house) {
    const found = this.rows.get(house.id);
    if (found) return found;
    const sign = el("i", { cls: "win" });
    const name = el("span", { text: nameIn(house.picture.name, this.say.lang) || house.id });
    const note = el("small");
    const cells = this.columns.map((key) =>
      el("span", { cls: "cell", data: { kind: key.split(":")[0], type: key.split(":")[1] } }, el("small"), el("b"), el("small")),
    );
    const week = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    week.setAttribute("class", "wkbars");
    week.setAttribute("viewBox", "0 0 60 15");
    week.setAttribute("aria-hidden", "true");
    const age = el("span", { cls: "age" });
    const said = el("span", { cls: "said", hidden: "" });
    const node = el(
      "a",
      { cls: "st", href: `/stations/${encodeURIComponent(house.id)}`, tabindex: "-1", data: { station: house.id, kind: "station" } },
      sign,
      el("span", { cls: "name" }, name, note),
      ...cells,
      said,
      week,
      age,
    );
    const row = {
      node,
      sign,
      note,
      said,
      cells,
      week,
      age,
    };
    this.rows.set(house.id, row);
    this.onRow(row);
    return row;
  }

  // held: somebody has taken its trouble; alarm: the gravest alert that is open there, for staff
  paint(house, now, held, alarm = null) {
    this.told.set(house.id, { now, held, alarm });
    if (!this.blocks || this.rows.has(house.id)) this.#write(this.row(house), house, { now, held, alarm });
  }

  #write(row, house, { now = null, held = false, alarm = null }) {
    const { say } = this;
    const face = house.face;
    row.sign.className = face.because === "fault" ? "g" : "win";
    setData(row.sign, "g", face.because === "fault" ? "fault" : null);
    setData(row.node, "usable", face.usable);
    setData(row.node, "because", face.because);
    setData(row.node, "trouble", house.trouble);
    for (const [i, cell] of row.cells.entries()) this.#cell(cell, house.tallies.get(this.columns[i]));
    const at = (ms) => moment(ms, now ?? house.picture.asOf, this.zone, say);
    const last = house.silentSince();
    const opens = house.picture.openUntil;
    const instead =
      {
        offline: house.picture.doc.watched === false ? say("alert.shard_away") : last ? say("no_station", { at: at(last) }) : say("never"),
        closed: opens ? say("closed_opens", { at: at(opens) }) : say("closed"),
      }[house.trouble] ?? "";
    setText(row.said, instead);
    row.node.classList.toggle("told", instead !== "");
    setData(row.node, "alarm", alarm);
    const bad = house.trouble === "fault" ? say("fault") : alarm ? say(`alarm_${alarm}`) : "";
    setText(row.note, [this.few ? house.region : "", bad, (house.trouble || alarm) && held ? say("held") : ""].filter(Boolean).join(" "));
    row.note.className = held ? "held" : bad && alarm !== "info" ? "bad" : "";
  }

  #cell(cell, t) {
    const [least, number, of] = cell.children;
    const form = t && wording(t);
    setData(cell, "usable", t ? usableOf(t) : null);
    const counted = form === "exact" || form === "atleast";
    setText(least, !t ? "–" : form === "atleast" ? this.say("at_least_short") : counted ? "" : countText(t, this.say, "_short"));
    setText(number, counted ? t.min : "");
    setText(of, t ? `/${t.total}` : "");
  }

  // Put rows in their order; only called when a station's trouble changed. A few stations make one list, with the region beside the name.
  arrange(houses) {
    if (this.blocks) return this.#inBlocks(houses);
    const focused = document.activeElement;
    const parts = [];
    for (const [region, members] of grouped(houses, (house) => (this.few ? "" : house.region))) {
      if (!this.sections.has(region)) this.sections.set(region, this.#heading(region, members.length));
      members.sort((a, b) => RANK[a.trouble] - RANK[b.trouble]);
      parts.push(this.sections.get(region), ...members.map((house) => this.row(house).node));
    }
    this.node.replaceChildren(this.none, ...parts);
    this.stop(this.stopped ?? this.node.querySelector(".st"));
    if (focused instanceof HTMLElement && focused.classList.contains("st")) focused.focus({ preventScroll: true });
  }

  #inBlocks(houses) {
    this.houses = houses;
    const parts = [...grouped(houses.filter((house) => this.#fits(house)), (house) => house.region)];
    this.none.hidden = parts.length > 0;
    const shown = parts.map(([region, members]) => {
      if (!this.sections.has(region)) this.sections.set(region, this.#heading(region, members.length));
      return [this.sections.get(region), members.sort((a, b) => RANK[a.trouble] - RANK[b.trouble])];
    });
    this.blocks?.set(shown.length ? shown : [[this.none, []]]);
  }

  #fits(house) {
    return (this.words ?? []).every((word) => textOf(house).includes(word));
  }

  // One tab stop for all rows; the arrows go on from there.
  stop(row) {
    if (!row) return row;
    if (this.stopped) this.stopped.tabIndex = -1;
    this.stopped = row;
    row.tabIndex = 0;
    return row;
  }

  #heading(region, count) {
    const { say } = this;
    return el(
      "div",
      { cls: "rg", data: { region } },
      el("h3", {}, region || say(this.few ? "all" : "other_region"), el("small", { text: say("stations_n", { n: count }) })),
      ...this.columns.map((key) => el("span", { text: kindWord(say, key, say.has(`${key}.short`) ? ".short" : ".col") })),
      el("span", { cls: "wk", text: say("week") }),
    );
  }

  // Bars of a week: null is unknown. values 0 to 1.
  week(id, values, share) {
    const row = this.rows.get(id);
    if (!row) return;
    const step = 60 / values.length;
    row.week.replaceChildren(
      ...values.map((value, i) => {
        const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
        const height = value === null ? 14 : Math.max(0.6, value * 14);
        for (const [k, v] of Object.entries({
          x: (i * step).toFixed(1),
          y: (15 - height).toFixed(1),
          width: (step - 0.6).toFixed(1),
          height: height.toFixed(1),
          class: value === null ? "u" : i >= values.length - 4 ? "now" : "",
        }))
          bar.setAttribute(k, v);
        return bar;
      }),
    );
    setText(row.age, share === null ? "" : `${Math.round(share * 100)}%`);
  }

  // Only what matches stays.
  // houses: by id
  filter(text, houses) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.join(" ") === (this.words ?? []).join(" ")) return;
    this.words = words;
    if (this.blocks) return this.houses && this.#inBlocks(this.houses);
    let shown = 0;
    const left = new Set();
    for (const [id, row] of this.rows) {
      const out = !this.#fits(houses.get(id));
      if (!out) left.add(houses.get(id).region);
      row.node.classList.toggle("out", out);
      if (!out) shown += 1;
    }
    for (const [region, node] of this.sections)
      node.classList.toggle("out", words.length > 0 && !this.few && !left.has(region));
    this.none.hidden = shown > 0;
  }
}
