// The doorway: the one number a visitor came for, with its windows beside it.

import { $, el, icon, setData, setText } from "./draw.js";
import { countWords, unitOf } from "./count.js";
import { forecast } from "./forecast.js";
import { age } from "./time.js";
import { oldest, tallyOfGroup } from "./truth.js";
import { windowsOf } from "./windows.js";
import { kindWord } from "./words.js";

export function heroOf(group, { zone, say, second, largest, flow }) {
  const windows = windowsOf(group, { largest, say, flow });
  const least = el("span", { cls: "least" });
  const number = el("b", { cls: "num" });
  const rest = el("b");
  const most = el("div", { cls: "most hatch" }, rest);
  const next = forecast();
  const plateWord = el("b");
  const plateNote = el("span");
  const plate = el("div", { cls: "plate" }, plateWord, plateNote);
  const total = el("p", { cls: "tot" });
  const fresh = el("span", { cls: "age" });
  const near = el("div", { cls: "near", hidden: "" });
  const title = el("h2", { text: kindWord(say, group.key, ".free") });
  const node = el(
    "section",
    { cls: "hero", data: { kind: group.kind, type: group.type } },
    el("div", { cls: "arch" }, least, number, most, next.node, plate),
    el(
      "div",
      { cls: "what" },
      el("div", { cls: "title" }, group.kind === "seat" ? null : icon(group.type ?? group.kind), title),
      el("span", { lang: second.lang, text: kindWord(second, group.key, ".free") }),
      el("div", { cls: "sum" }, total, fresh),
      windows.box,
      near,
    ),
  );

  function paint(now, picture, members, contact) {
    const t = tallyOfGroup({ ...group, resources: members }, picture, now);
    const words = countWords(t, { ...group, resources: members }, picture, now, zone, say);
    const counted = words.form === "exact" || words.form === "atleast";
    setData(node, "usable", words.usable);
    setData(node, "form", words.form);
    setText(least, words.least);
    setText(number, counted ? words.number : "");
    setData(number, "digits", String(words.number).length);
    most.hidden = words.form !== "atleast";
    setText(rest, words.form === "atleast" ? say("more_unknown", { n: t.max - t.min, unit: unitOf(group, say) }) : "");
    next.paint(contact ? words.next : null);
    plate.hidden = counted;
    setText(plateWord, counted ? "" : say(words.form));
    setText(plateNote, counted ? "" : words.word);
    setText(total, say("in_all", { n: t.total, unit: unitOf(group, say) }));
    const at = oldest(members);
    setText(fresh, counted && contact && at !== null ? say("updated", { age: age(at, now, say) }) : "");
    windows.paint(members, picture, now, t);
  }
  return { node, paint, near, windows: $(".wins", node) };
}
