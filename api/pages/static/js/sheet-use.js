// The sheet under the hand: its keys, and each row's week once it is looked at.

import { HOUR_MS } from "./time.js";
import { weekOf } from "./utilization.js";

// One tab stop for all rows; the arrows go on from there.
export function rowKeys(sheet) {
  const step = (row, by) => {
    const rows = [...document.querySelectorAll(".st:not(.out)")];
    sheet.stop(rows[rows.indexOf(row) + by])?.focus();
  };
  addEventListener("keydown", (event) => {
    const here = document.activeElement;
    const row = here?.classList.contains("st") ? here : null;
    if (event.key === "ArrowDown" && row) step(row, 1);
    else if (event.key === "ArrowUp" && row) step(row, -1);
    else return;
    event.preventDefault();
  });
}

// The week of a station is asked for when its row comes into view, two at a time, and again every hour.
export function weeksOf(sheet, clock) {
  const queue = [];
  const seen = new Set();
  const look = (entries) => {
    const fresh = entries.filter((entry) => entry.isIntersecting).map((entry) => entry.target.dataset.station);
    for (const id of fresh.filter((one) => !seen.has(one))) {
      seen.add(id);
      queue.push(id);
    }
  };
  const watcher = new IntersectionObserver(look, { root: sheet.node });
  for (const row of sheet.rows.values()) watcher.observe(row.node);
  sheet.onRow = (row) => watcher.observe(row.node);
  const work = async () => {
    const id = queue.shift();
    const week = id && (await weekOf(id, clock.show()));
    if (week === null) return; // this server has no utilisation
    if (week) sheet.week(id, week.values, week.share);
    setTimeout(work, id ? 20 : 500);
  };
  work();
  work();
  setInterval(() => queue.push(...seen), HOUR_MS);
}
