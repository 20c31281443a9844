// Every state that the files had: who, when and why, and the way back to each.

import { el } from "./draw.js";
import { line, press, section } from "./setup-parts.js";
import { ask } from "./setup-store.js";
import { moment } from "./time.js";

export function versionsView(main, { store, say, zone, restore }) {
  const list = el("ol", { cls: "rows versions" });
  main.replaceChildren(section(say("ve.title"), el("p", { text: say("ve.lead") }), list));
  const load = async () => {
    const { body } = await ask("/api/v1/config/versions");
    const versions = [...(body?.versions ?? [])].sort((a, b) => b.version - a.version);
    list.replaceChildren(...(versions.length ? versions.map((one) => row(one, store, { say, zone, restore })) : [el("li", { text: say("ve.none") })]));
  };
  load();
  return load;
}

// What the server says of versions that nobody clicked, in the reader's language.
/** @type {Record<string, string>} */
const OWN = { "by hand": "ve.by_hand", "changed by hand": "ve.hand", "as it was found": "ve.found", setup: "pe.code" };
const worded = (text, say) => (OWN[text] ? say(OWN[text]) : text);

function row(one, store, { say, zone, restore }) {
  const now = one.version === store.version;
  const back = async () => {
    if (confirm(say("ve.sure", { n: one.version }))) await restore(one.version);
  };
  const when = one.at ? moment(Date.parse(one.at), Date.now(), zone, say) : "";
  const way = now ? el("em", { text: say("ve.now") }) : press(say("ve.restore"), "restore", back, "quiet");
  if (!now) way.setAttribute("aria-label", `${say("ve.restore")} ${one.version}`);
  return line({ version: one.version }, [el("b", { text: one.version }), el("span", { text: worded(one.why, say) }), el("small", { text: [worded(one.who, say), when].filter(Boolean).join(" · ") })], way);
}
