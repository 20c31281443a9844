// At a centre: stations that boxes have. Their lines stand in the boxes' files; what is changed here goes down, and the box judges it.

import { el, glyph } from "./draw.js";
import { section } from "./setup-parts.js";
import { ask } from "./setup-store.js";
import { Waiting } from "./waiting.js";

// Who has it, how its line is, and what became of the changes that were sent down. `changed`: the box has answered.
export function boxSection(station, { say, zone, changed }) {
  const list = el("ul", { cls: "sent", hidden: "" });
  const waiting = new Waiting({ station, lang: say.lang, zone, lists: [list], changed, only: "config" });
  const node = section(say("bx.title"), el("p", {}, waiting.head), el("p", { text: say("bx.lead") }), list);
  waiting.look();
  return { node, look: () => waiting.look() };
}

const LINE = { up: ["yes", "bx.up"], down: ["offline", "bx.down"], unknown: ["unknown", "bx.unknown"] };

// Those of boxes that are not in our own files; null where there are none.
export async function boxStations(store, { say, link }) {
  const { body } = await ask("/api/v1/boxes");
  const rows = (body?.boxes ?? []).flatMap((box) => box.stations.map((station) => ({ station, box })));
  const others = rows.filter(({ station }) => !store.station(station));
  if (!others.length) return null;
  const listed = await ask("/api/v1/stations");
  const names = new Map((listed.body?.stations ?? []).map((one) => [one.station, one.name]));
  const row = ({ station, box }) =>
    el(
      "li",
      { data: { station } },
      glyph(LINE[box.line][0]),
      el("a", { href: link(`/setup/stations/${encodeURIComponent(station)}`), text: say.of(names.get(station) ?? {}) || station }),
      el("span", { text: say(LINE[box.line][1]) }),
      el("small", { text: say("bx.of", { box: box.box }) }),
    );
  return section(say("bx.stations"), el("ul", { cls: "stations" }, ...others.map(row)));
}
