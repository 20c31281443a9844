// Who is not in yet: the one-time code from the log, or an administrator's key. A code in the address is entered by itself.

import { el, setText } from "./draw.js";
import { ask } from "./setup-store.js";
import { entry, field, form } from "./setup-parts.js";

const post = (url, fields) =>
  fetch(url, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" }).then(
    (answer) => answer.ok || answer.type === "opaqueredirect",
    () => false,
  );

// Replaces the page's content; on success the page is loaded anew, without the code in its address.
export async function door(main, { say, role }) {
  const code = location.hash.slice(1);
  const { body } = await ask("/setup/door");
  if (code) history.replaceState(null, "", location.pathname + location.search);
  if (code && role === null && body?.code && (await post("/setup/enter", { code }))) return location.reload();
  main.replaceChildren(el("section", { cls: "door" }, el("h2", { text: say("door.title") }), ...parts(say, role, body?.code, code)));
  main.querySelector("input")?.focus();
}

function parts(say, role, open, code) {
  const found = [];
  if (role !== null) found.push(el("p", { cls: "bad", role: "alert", text: say("door.role") }));
  if (code && !open) found.push(el("p", { cls: "bad", role: "alert", text: say("door.wrong") }));
  if (open) found.push(asking(say, "code", "/setup/enter", entry({ required: "", autocapitalize: "characters", value: code }), say("door.code_hint"), say("door.wrong"), code));
  const key = entry({ type: "password", required: "", autocomplete: "current-password" });
  found.push(asking(say, "key", "/login", key, null, say("door.wrong_key"), ""));
  return found;
}

function asking(say, name, url, control, hint, wrong, tried) {
  const result = el("p", { cls: "result bad", role: "alert" });
  setText(result, tried ? wrong : "");
  const enter = async () => {
    setText(result, "");
    if (await post(url, { [name]: control.value })) location.reload();
    else setText(result, wrong);
  };
  return form("enter", say("door.enter"), enter, field(say(`asked.${name}`), control, hint), result);
}
