// Every station on one sheet, like a timetable: trouble first in each region, rows written only when they change.

import { countText } from "./count.js";
import { grouped } from "./grouped.js";
import { el, setData, setText } from "./draw.js";
import { moment } from "./time.js";
import { usableOf, wording } from "./truth.js";
import { kindWord, nameIn } from "./words.js";

const RANK = { offline: 0, fault: 1, half: 2, null: 3, closed: 4 };

export class Sheet {
  constructor(node, columns, { say, zone, few }) {
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
      text: `${house.id} ${Object.values(house.picture.name).join(" ")} ${house.region}`.toLowerCase(),
    };
    this.rows.set(house.id, row);
    return row;
  }

  // held: stations whose trouble somebody has taken
  paint(house, now, held) {
    const row = this.row(house);
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
        offline: last ? say("no_station", { at: at(last) }) : say("never"),
        closed: opens ? say("closed_opens", { at: at(opens) }) : say("closed"),
      }[house.trouble] ?? "";
    setText(row.said, instead);
    row.node.classList.toggle("told", instead !== "");
    setText(
      row.note,
      [this.few ? house.region : "", house.trouble === "fault" ? say("fault") : "", house.trouble && held ? say("held") : ""]
        .filter(Boolean)
        .join(" "),
    );
    row.note.className = held ? "held" : house.trouble === "fault" ? "bad" : "";
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
  filter(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of this.rows.values()) {
      const out = !words.every((word) => row.text.includes(word));
      row.node.classList.toggle("out", out);
      if (!out) shown += 1;
    }
    for (const [region, node] of this.sections)
      node.classList.toggle(
        "out",
        words.length > 0 &&
          ![...this.rows.values()].some((row) => row.text.includes(region.toLowerCase()) && !row.node.classList.contains("out")),
      );
    this.none.hidden = shown > 0;
  }
}
