// Keys: who holds one, what it allows and how far it reaches. A new one is shown once.

import { el, setText } from "./draw.js";
import { choice, entry, field, form, line, press, section } from "./setup-parts.js";
import { ask, problemsOf, send } from "./setup-store.js";

const ROLES = ["operator", "viewer", "admin"];

export function peopleView(main, { store, say }) {
  const list = el("ul", { cls: "rows" });
  const made = el("div", { cls: "made", role: "status" });
  const load = async () => {
    const { ok, body } = await ask("/api/v1/setup/keys");
    list.replaceChildren(...(ok ? body.keys.map((key) => row(key, say, load)) : [el("li", { cls: "bad", text: problemsOf(body).join("; ") })]));
  };
  main.replaceChildren(section(say("pe.title"), el("p", { text: say("pe.lead") }), made, list), making(store, say, made, load));
  load();
  return () => {};
}

function row(key, say, load) {
  const reach = [...key.stations, ...key.regions.map((one) => one.replace(/^\//, ""))].join(say.lang === "en" ? ", " : "、") || say("pe.everywhere");
  const until = key.expires ? say("pe.until", { at: key.expires.slice(0, 10) }) : say("pe.forever");
  const end = async () => {
    if (!confirm(say("pe.sure", { name: key.name }))) return;
    await ask(`/api/v1/setup/keys/${encodeURIComponent(key.id)}`, { method: "DELETE" });
    await load();
  };
  const button = key.own ? el("em", { text: say("pe.own") }) : press(say("pe.end"), "end-key", end, "quiet");
  button.setAttribute("aria-label", `${button.textContent} ${key.name}`);
  if (key.own) button.removeAttribute("aria-label");
  const name = key.name === "setup" ? say("pe.code") : key.name;
  return line({ key: key.id }, [el("b", { text: name }), el("span", { text: say(`role.${key.role}`) }), el("small", { text: `${reach} · ${until}` })], button);
}

function making(store, say, made, load) {
  const name = entry({ required: "", maxlength: "60", name: "who" });
  const role = choice(
    ROLES.map((one) => [one, say(`role.${one}`)]),
    "operator",
    { name: "role" },
  );
  const reach = choice([["", say("pe.everywhere")], ...store.stations.map((one) => [one.id, say.of(one.name) || one.id])], "", { name: "reach" });
  const days = entry({ type: "number", min: "1", max: "3650", inputmode: "numeric", name: "days" });
  const result = el("p", { cls: "result bad", role: "alert" });
  const act = async () => {
    setText(result, "");
    const wanted = { name: name.value, role: role.value, stations: reach.value ? [reach.value] : [], days: days.value ? Number(days.value) : null };
    const { ok, body } = await send("/api/v1/setup/keys", wanted);
    if (!ok) return setText(result, problemsOf(body).join("; "));
    show(made, name.value, body.key, say);
    name.value = "";
    await load();
  };
  return section(
    say("pe.make"),
    form("add-key", say("pe.make"), act, field(say("pe.name"), name), field(say("pe.role"), role), field(say("pe.stations"), reach), field(say("pe.days"), days), result),
  );
}

function show(made, name, key, say) {
  const code = el("code", { text: key });
  const copy = press(say("pe.copy"), "copy-key", async () => {
    const done = await navigator.clipboard?.writeText(key).then(
      () => true,
      () => false,
    );
    if (!done) getSelection()?.selectAllChildren(code);
    if (done || document.execCommand("copy")) copy.textContent = say("pe.copied");
  });
  made.replaceChildren(el("p", { text: say("pe.made", { name }) }), code, copy);
}
