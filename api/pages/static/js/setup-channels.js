// Who is told of alerts: a channel is tried with a message that looks like an alert, and saved with its secret in a file of its own.

import { el, setText } from "./draw.js";
import { choice, entry, field, form, line, press, section } from "./setup-parts.js";
import { at, problemsOf, send } from "./setup-store.js";

const KINDS = ["wecom", "dingtalk", "feishu", "webhook", "smtp"];
const SIGNED = ["dingtalk", "feishu", "webhook"];

export function channelsView(main, { store, say, save }) {
  const arrange = () => {
    const { channels = [], routes = [] } = store.config.alerts ?? {};
    const rows = channels.map((channel) => row(channel, routes, { say, save }));
    main.replaceChildren(
      section(say("ch.title"), channels.length ? el("ul", { cls: "rows" }, ...rows) : el("p", { text: say("ch.none") })),
      adding(store, { say, save }),
    );
  };
  arrange();
  return arrange;
}

function row(channel, routes, { say, save }) {
  const away = async () => {
    if (!confirm(say("sure_remove", { what: channel.id }))) return;
    // Routes that name it alone go with it; of others it is taken out.
    const changes = [...routes.entries()].reverse().flatMap(([n, route]) => withoutChannel(n, route, channel.id));
    await save([...changes, { op: "remove", path: at("alerts", "channels", channel.id) }], `${say("remove")}: ${channel.id}`);
  };
  const button = press(say("remove"), "remove-channel", away, "quiet");
  button.setAttribute("aria-label", `${say("remove")} ${channel.id}`);
  const kind = say.has(`channel.${channel.kind}`) ? say(`channel.${channel.kind}`) : channel.kind;
  return line({ channel: channel.id }, [el("b", { text: channel.id }), el("span", { text: kind })], button);
}

function withoutChannel(n, route, id) {
  if (!route.channels.includes(id)) return [];
  const left = route.channels.filter((one) => one !== id);
  if (!left.length) return [{ op: "remove", path: at("alerts", "routes", n) }];
  return [{ op: "replace", path: at("alerts", "routes", n, "channels"), value: left }];
}

// The fields of each kind; what is secret stands in `secrets`, under the option that names its file.
function controls(say) {
  const secret = () => entry({ type: "password", autocomplete: "new-password", maxlength: "2000" });
  const tick = el("input", { type: "checkbox" });
  const all = {
    url: secret(),
    secret: secret(),
    host: entry(),
    sender: entry({ type: "email" }),
    to: entry(),
    username: entry(),
    password: secret(),
    private: tick,
  };
  const named = Object.entries(all).map(([name, node]) => [name, name === "private" ? el("label", { cls: "tick" }, node, say("asked.private")) : field(say(`asked.${name}`), node)]);
  return { all, boxes: Object.fromEntries(named) };
}

const fieldsOf = (kind) => (kind === "smtp" ? ["host", "sender", "to", "username", "password"] : ["url", ...(SIGNED.includes(kind) ? ["secret"] : []), ...(kind === "webhook" ? ["private"] : [])]);

// The channel as the configuration has it, without secrets; they come apart, by the option that names their file.
function written(id, kind, all) {
  const plain = { id, kind };
  if (kind !== "smtp") {
    if (all.private.checked && kind === "webhook") Object.assign(plain, { allow_private: true });
    const secrets = { url_file: all.url.value.trim(), secret_file: SIGNED.includes(kind) ? all.secret.value.trim() : "" };
    return { plain, secrets };
  }
  const to = all.to.value.split(/[,，;；\s]+/).filter(Boolean);
  Object.assign(plain, { host: all.host.value.trim(), sender: all.sender.value.trim(), to });
  if (all.username.value.trim()) Object.assign(plain, { username: all.username.value.trim() });
  return { plain, secrets: { password_file: all.username.value.trim() ? all.password.value : "" } };
}

function adding(store, { say, save }) {
  const kind = choice(
    KINDS.map((one) => [one, say(`channel.${one}`)]),
    "wecom",
    { name: "kind" },
  );
  const taken = new Set((store.config.alerts?.channels ?? []).map((one) => one.id));
  let n = 1;
  while (taken.has(n === 1 ? "duty" : `duty-${n}`)) n++;
  const id = entry({ value: n === 1 ? "duty" : `duty-${n}`, pattern: "[a-z0-9\\-]{1,64}", required: "" });
  const { all, boxes } = controls(say);
  const result = el("p", { cls: "result", role: "status" });
  const tell = (text, bad = false) => {
    setText(result, text);
    result.classList.toggle("bad", bad);
  };
  const arrange = () => {
    for (const [name, box] of Object.entries(boxes)) box.hidden = !fieldsOf(kind.value).includes(name);
    tell("");
  };
  kind.addEventListener("change", arrange);
  arrange();

  // Secrets are kept once, and used for the test and for the save alike; an address needs no file to be tried.
  const kept = new Map();
  const complete = async (trial = false) => {
    const { plain, secrets } = written(id.value, kind.value, all);
    for (const [option, value] of Object.entries(secrets)) {
      if (trial && option === "url_file") Object.assign(plain, { url: value });
      if (!value || (trial && option === "url_file")) continue;
      const key = `${option} ${value}`;
      if (!kept.has(key)) {
        const { ok, body } = await send("/api/v1/setup/secrets", { name: `${id.value}-${option.replace("_file", "")}`, value });
        if (!ok) throw new Error(problemsOf(body).join("; "));
        kept.set(key, body.file);
      }
      plain[option] = kept.get(key);
    }
    return plain;
  };
  const test = async () => {
    tell(say("ch.testing"));
    try {
      const { ok, body } = await send("/api/v1/setup/channels/test", { channel: await complete(true) });
      if (ok && body.sent) tell(say("ch.sent"));
      else tell(say("ch.failed", { why: ok ? body.wrong : problemsOf(body).join("; ") }), true);
    } catch (error) {
      tell(say("ch.failed", { why: String(error) }), true);
    }
  };
  const act = async () => {
    try {
      const channel = await complete();
      const changes = [{ op: "add", path: at("alerts", "channels", channel.id), value: channel }, routed(store, channel.id)];
      await save(changes, `${say("ch.title")}: ${channel.id}`, result);
    } catch (error) {
      tell(String(error), true);
    }
  };
  const node = form("add-channel", say("save"), act, field(say("ch.kind"), kind), field(say("ch.id"), id), ...Object.values(boxes), el("small", { text: say("ch.secret_note") }), result);
  node.querySelector(".send")?.prepend(press(say("ch.test"), "test-channel", test));
  return section(say("ch.add"), el("p", { text: say("ch.lead") }), node);
}

// The first route that fits everything tells it, too; without one there is a new one.
function routed(store, id) {
  const routes = store.config.alerts?.routes ?? [];
  const n = routes.findIndex((route) => ["stations", "regions", "kinds"].every((key) => !route[key]?.length) && !route.hours);
  if (n < 0) return { op: "add", path: at("alerts", "routes", routes.length), value: { channels: [id] } };
  return { op: "replace", path: at("alerts", "routes", n, "channels"), value: [...routes[n].channels, id] };
}
