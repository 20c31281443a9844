// The search over things to do, places and people: "/" begins, arrows choose, Enter opens, Escape ends.

import { $, el } from "./draw.js";

const MOST = 8;

// find(words): [{sort, text, note, open}]; filter(text): what else follows the words
export function search({ say, find, filter }) {
  const input = $(".find input");
  const list = $(".found");
  input.placeholder = say("find");
  input.setAttribute("aria-label", say("find"));
  list.setAttribute("aria-label", say("find"));
  let results = [];
  let chosen = 0;

  const mark = (to) => {
    chosen = results.length ? (to + results.length) % results.length : 0;
    for (const [i, node] of [...list.children].entries()) node.setAttribute("aria-selected", String(i === chosen));
    input.setAttribute("aria-activedescendant", results.length ? `found-${chosen}` : "");
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
  };
  const look = () => {
    const words = input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    filter(input.value);
    results = words.length ? find(words).slice(0, MOST) : [];
    list.hidden = !results.length;
    input.setAttribute("aria-expanded", String(results.length > 0));
    list.replaceChildren(
      ...results.map(({ sort, text, note }, i) =>
        el("li", { role: "option", id: `found-${i}` }, el("small", { text: say(`found.${sort}`) }), el("b", { text }), el("span", { text: note })),
      ),
    );
    mark(0);
  };
  const end = () => {
    input.value = "";
    look();
    input.blur();
  };
  const open = (i) => {
    const found = results[i];
    if (!found) return;
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    found.open(input);
  };
  input.addEventListener("input", look);
  input.addEventListener("focus", look);
  input.addEventListener("blur", () => setTimeout(() => (list.hidden = true), 150)); // after a press on the list
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", ({ target }) => open([...list.children].indexOf(target.closest("li"))));
  addEventListener("keydown", (event) => {
    const here = /** @type {HTMLElement | null} */ (document.activeElement);
    const typing = here?.matches?.("input, textarea, select") || document.querySelector("dialog[open]");
    if (event.key === "/" && !typing) input.focus();
    else if (here !== input) return;
    else if (event.key === "Escape") end();
    else if (event.key === "Enter") open(chosen);
    else if (event.key === "ArrowDown") mark(chosen + 1);
    else if (event.key === "ArrowUp") mark(chosen - 1);
    else return;
    event.preventDefault();
  });
  return { look };
}
