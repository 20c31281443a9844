// One row of the board: icon, name, windows, count, word, age. Rows never move.

import { el, icon, glyph, iconOf, setData, setText } from "./draw.js";
import { countWords } from "./count.js";
import { forecast } from "./forecast.js";
import { age } from "./time.js";
import { groupTitle } from "./say.js";
import { oldest, tallyOfGroup } from "./truth.js";
import { windowsOf } from "./windows.js";
import { kindWord } from "./words.js";

export function rowOf(group, { zone, say, second, place, largest = 4.9, short = false, flow }) {
  const title = groupTitle(group, place, say);
  const own = title !== kindWord(say, group.key);
  const other = own ? groupTitle(group, place, second) : kindWord(second, group.key, short ? ".short" : "");
  const windows = windowsOf(group, { largest, say, flow });
  const least = el("span", { cls: "least" });
  const number = el("b", { cls: "num" });
  const of = el("span", { cls: "of" });
  const sign = glyph("unknown");
  const word = el("span");
  const fresh = el("span", { cls: "age" });
  const next = forecast();
  const node = el(
    "div",
    { cls: "row", data: { kind: group.kind, type: group.type } },
    icon(iconOf(group.key)),
    el(
      "div",
      { cls: "name" },
      el(
        "h2",
        {},
        title,
        " ",
        el("span", { lang: second.lang, text: other === title ? "" : other }),
      ),
      windows.box,
      next.node,
    ),
    el("div", { cls: "cnt" }, el("p", { cls: "line" }, least, number, of), el("p", { cls: "word" }, sign, word, fresh)),
  );

  function paint(now, picture, members, contact) {
    const t = tallyOfGroup({ ...group, resources: members }, picture, now);
    const words = countWords(t, { ...group, resources: members }, picture, now, zone, say);
    const at = oldest(members);
    setData(node, "usable", words.usable);
    setData(node, "form", words.form);
    setText(least, words.least);
    setText(number, words.number);
    setText(of, `/${t.total}`);
    setData(sign, "g", contact || words.glyph !== "stale" ? words.glyph : "offline");
    setText(word, words.word);
    setText(fresh, contact && at !== null && (words.form === "exact" || words.form === "atleast") ? age(at, now, say) : "");
    next.paint(contact ? words.next : null);
    windows.paint(members, picture, now, t);
  }
  return { node, paint };
}
