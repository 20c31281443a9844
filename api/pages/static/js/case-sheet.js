// One thing that needs a person, whole: what, where, since when, what was said and tried, and everything that can be done about it.

import { $, el, glyph, setText } from "./draw.js";
import { ENDS, endIn } from "./deeds.js";
import { mutedUntil, nextStep, provedByHand, whoOf } from "./items.js";
import { posts } from "./needs.js";
import { howLong, moment } from "./time.js";

const LINES = { closed: "order_closed", reopened: "order_reopened" };

export class CaseSheet {
  /** @type {any} */
  item = null;

  // acted(what, item, given): carries a deed out; clock: the server's
  constructor({ say, zone, staff, clock, acted }) {
    this.say = say;
    this.zone = zone;
    this.staff = staff;
    this.clock = clock;
    this.acted = acted;
    this.dialog = $("dialog.case");
    const form = $(".deeds", this.dialog);
    $(".shut", this.dialog).addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", () => this.#closed());
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("click", ({ target }) => this.#press(target.closest("[data-deed]")));
    setText($(".shut", this.dialog), say("close_sheet"));
    this.#lay(form);
  }

  open(item) {
    this.item = item;
    this.from = /** @type {HTMLElement | null} */ (document.activeElement);
    if (!this.dialog.open) this.dialog.showModal();
    this.#assignees();
    this.#paint();
    $("h2", this.dialog).focus();
  }

  // items: as they are now; what is no longer among them is over
  refresh(items) {
    if (!this.dialog.open || !this.item) return;
    const now = items.find((one) => one.id === this.item.id);
    this.item = now ?? { ...this.item, over: true };
    this.#paint();
  }

  #closed() {
    this.item = null;
    this.from?.isConnected && this.from.focus();
  }

  #press(button) {
    if (!button || button.disabled || !this.item) return;
    const what = button.dataset.deed;
    const given = this.#given(what);
    if (what === "comment" && !given.text) return $(".words", this.dialog).focus();
    this.acted(what, this.item, given, button);
    if (what === "comment" || what === "close") $(".words", this.dialog).value = "";
  }

  #given(what) {
    const now = this.clock.show();
    const value = (name) => $(`[name=${name}]`, this.dialog).value;
    if (what === "mute") return { until: endIn(Number(value("mute_for")), now) };
    if (what === "override") return { status: "maintenance", until: endIn(Number(value("repair_for")), now) };
    if (what === "order") return { assignee: value("assignee"), title: this.item.title ?? "work" };
    return { text: value("text").trim() };
  }

  // The deeds that take a choice; they stay, so that what is being entered stays.
  #lay(form) {
    const { say } = this;
    const hours = (name, chosen) => {
      const select = el("select", { name }, ...ENDS.map((n) => el("option", { value: n, text: n < 24 || n % 24 ? say("hours_n", { n }) : say("days_n", { n: n / 24 }) })));
      select.value = chosen;
      return select;
    };
    const row = (deed, label, field, text = say(deed)) =>
      el("p", { cls: "choice", data: { row: deed } }, el("label", {}, el("span", { text: label }), field), el("button", { type: "button", data: { deed }, text }));
    form.append(
      el("p", { cls: "steps" }),
      row("comment", say("comment"), el("textarea", { name: "text", cls: "words", rows: 2, maxlength: 1000, placeholder: say("comment_hint") })),
      row("order", say("order_to"), el("select", { name: "assignee" })),
      row("override", say("repair_for"), hours("repair_for", 4), say("set_repair")),
      row("mute", say("mute_for"), hours("mute_for", 4)),
    );
  }

  #assignees() {
    const mine = this.staff.who?.name ?? "";
    const others = this.staff.workersAt(this.item.station).filter((one) => one.name !== mine);
    $("[name=assignee]", this.dialog).replaceChildren(
      el("option", { value: mine, text: `${mine}（${this.say("me")}）` }),
      ...others.map((one) => el("option", { value: one.name, text: one.name })),
    );
  }

  #paint() {
    const { say, item, dialog } = this;
    const now = this.clock.now() ?? Date.now();
    const at = (ms) => moment(ms, now, this.zone, say);
    $("h2", dialog).replaceChildren(glyph(item.glyph), el("b", { text: item.what }));
    dialog.classList.toggle("hot", item.hot);
    const place = el("a", { href: `/stations/${encodeURIComponent(item.station ?? "")}`, text: item.name });
    $(".where", dialog).replaceChildren(...(item.station ? [place] : [item.name]), item.region ? `　${item.region}` : "");
    const facts = [
      item.alert ? say(`severity_${item.alert.severity}`) : "",
      item.since ? say("open_since", { age: howLong(now - item.since, say), at: at(item.since) }) : "",
      item.why,
      item.alert && mutedUntil(item.alert, now) ? say("muted_until", { at: at(mutedUntil(item.alert, now)) }) : "",
      item.over ? say("gone") : "",
    ];
    $(".facts", dialog).replaceChildren(...facts.filter(Boolean).map((text) => el("li", { text })));
    $(".course", dialog).replaceChildren(...(item.alert || item.order ? [posts(item, say)] : []));
    this.#history(at);
    this.#offer();
  }

  #history(at) {
    const { say, item, dialog } = this;
    const said = (item.alert?.history ?? []).filter((line) => line.action === "commented" && line.by === "visitor");
    $(".said", dialog).replaceChildren(...said.map((line) => el("blockquote", {}, el("small", { text: `${say("visitor_said")}　${at(Date.parse(line.at))}` }), el("p", { text: line.text }))));
    const lines = [
      ...(item.alert?.history ?? []).filter((line) => !said.includes(line)),
      ...(item.order?.history ?? []).map((line) => ({ ...line, action: LINES[line.action] ?? line.action, text: line.action === "assigned" ? item.order.assignee : line.text })),
    ].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
    $(".history", dialog).replaceChildren(...lines.map((line) => el("li", {}, el("time", { text: at(Date.parse(line.at)) }), el("span", { text: didBy(line, say, at) }))));
    $(".so-far", dialog).hidden = lines.length === 0;
  }

  // Only what fits now is offered.
  #offer() {
    const { say, item, dialog } = this;
    const acts = this.staff.acts && !item.over;
    $(".deeds", dialog).hidden = !acts;
    if (!acts) return;
    const step = nextStep(item);
    const buttons = [
      step ? el("button", { type: "button", cls: "main", data: { deed: step }, text: say(step) }) : null,
      item.alert && item.alert.state === "open" && step !== "acknowledge" ? el("button", { type: "button", data: { deed: "acknowledge" }, text: say("acknowledge") }) : null,
      item.alert && !item.order && step === "acknowledge" ? el("button", { type: "button", data: { deed: "accept" }, text: say("accept") }) : null,
      item.order?.state === "assigned" ? el("button", { type: "button", data: { deed: "done" }, text: say("done") }) : null,
      item.alert ? el("button", { type: "button", data: { deed: "close" }, text: say("close") }) : null,
    ].filter((node) => node !== null);
    const next = $(".steps", dialog);
    const shape = buttons.map((node) => node.dataset.deed).join();
    if (next.dataset.shape !== shape) {
      next.dataset.shape = shape;
      next.replaceChildren(...buttons);
    }
    const shown = { comment: item.alert, order: !item.order, override: item.resource && item.station, mute: item.alert };
    for (const row of /** @type {NodeListOf<HTMLElement>} */ (dialog.querySelectorAll("[data-row]"))) row.hidden = !shown[row.dataset.row ?? ""];
    $(".proof", dialog).hidden = !(item.order && item.alert && !provedByHand(item));
    setText($(".proof", dialog), $(".proof", dialog).hidden ? "" : say("sensor_proves"));
  }
}

function didBy(line, say, at) {
  const who = whoOf(line.by, say);
  const ends = line.action === "muted" ? Date.parse(line.text) : 0;
  const action = line.action === "muted" && ends <= Date.parse(line.at) ? "unmuted" : line.action;
  const text = line.action === "muted" ? at(ends) : (line.text ?? "");
  return say.has(`did_by.${action}`) ? say(`did_by.${action}`, { who, text }) : `${who} ${action}`;
}
