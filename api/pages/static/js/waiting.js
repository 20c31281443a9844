// At a centre: what staff said for the station of a box, and what the box has made of it. For staff, so it comes with its words when it is asked for.

const EVERY_MS = 15_000;
const SOON_MS = 1_500; // while anything waits
const DONE_SHOWN_MS = 900_000;

/** @type {Record<string, string[]>} */
const WORDS = {
  title: ["下到箱子的事", "下到箱子的事", "Sent down to the box"],
  up: ["箱子 {box} 在线", "箱子 {box} 連線中", "box {box}: line up"],
  down: ["箱子 {box} 断线", "箱子 {box} 斷線", "box {box}: line down"],
  unknown: ["箱子 {box} 线路未知", "箱子 {box} 線路未知", "box {box}: line not known"],
  waiting: ["等待箱子", "等待箱子", "Waits for the box"],
  done: ["箱子已办", "箱子已辦", "Done at the box"],
  refused: ["箱子拒绝", "箱子拒絕", "The box refuses"],
  expired: ["没办成", "沒辦成", "Not done in time"],
  until: ["最晚 {at}", "最晚 {at}", "until {at}"],
  override: ["手动设定", "手動設定", "Set by hand"],
  config: ["配置", "設定", "Configuration"],
  check: ["巡检", "巡檢", "Check"],
  acknowledge: ["确认告警", "確認告警", "Acknowledge"],
  close: ["关闭告警", "關閉告警", "Close an alert"],
  comment: ["留言", "留言", "Comment"],
  mute: ["静音", "靜音", "Mute"],
  undo: ["撤销", "撤銷", "Take back"],
  undo_order: ["撤回一步", "撤回一步", "Take a step back"],
  assign: ["派单", "派單", "Order"],
  accept: ["接单", "接單", "Accept"],
  verify: ["验收", "驗收", "Verify"],
  report: ["访客反馈", "訪客回饋", "A visitor's report"],
  "do.done": ["报完成", "報完成", "Report as done"],
  "there is no such alert here": ["箱子那边没有这条告警", "箱子那邊沒有這則告警", "there is no such alert there"],
  "there is no such open alert here": ["那边的告警已经结束", "那邊的告警已經結束", "the alert is over there"],
  "there is no such order here": ["箱子那边没有这张工单", "箱子那邊沒有這張工單", "there is no such order there"],
  "the configuration of the box was changed meanwhile; read it again, look, and send the change anew": [
    "箱子那边的配置已被改过，请核对后再改一次",
    "箱子那邊的設定已被改過，請核對後再改一次",
    "the box's files were changed meanwhile; look, and change it again",
  ],
  version: ["第 {n} 版", "第 {n} 版", "version {n}"],
  "no such place": ["箱子那边没有这个位置", "箱子那邊沒有這個位置", "there is no such place there"],
};
/** @type {Record<string, number>} */
const COLUMN = { "zh-Hans": 0, "zh-Hant": 1, en: 2 };

const node = (/** @type {string} */ tag, /** @type {object} */ given, /** @type {(Node | string)[]} */ ...children) => {
  const made = Object.assign(document.createElement(tag), given);
  made.append(...children);
  return made;
};

export class Waiting {
  /** @type {any[]} */
  errands = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer = undefined;
  #before = "";

  /**
   * `lists` are filled with what was said; one with `data-only="waiting"` with what waits alone. `changed` is called when the box has answered.
   * @param {{ station: string, lang: string, zone: string, lists: HTMLElement[], changed?: () => void, only?: string }} given
   */
  constructor({ station, lang, zone, lists, changed = () => {}, only = "" }) {
    this.station = station;
    this.column = COLUMN[lang] ?? 0;
    this.lists = lists;
    this.changed = changed;
    this.only = only;
    this.head = node("span", { className: "n" });
    this.clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone || undefined, month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });
  }

  say(/** @type {string} */ key, /** @type {Record<string, string>} */ values = {}) {
    const text = (WORDS[key] ?? [key, key, key])[this.column];
    return text.replace(/\{(\w+)\}/g, (/** @type {string} */ _, /** @type {string} */ name) => values[name] ?? "");
  }

  #at(/** @type {string} */ time) {
    const parts = Object.fromEntries(this.clock.formatToParts(Date.parse(time)).map(({ type, value }) => [type, value]));
    return `${parts.month}-${parts.day} ${parts.hour}:${parts.minute}`;
  }

  // How the box has it now; then again, sooner while anything waits.
  async look() {
    clearTimeout(this.#timer);
    const answer = await fetch("/api/v1/boxes").catch(() => null);
    const told = answer?.ok ? await answer.json().catch(() => null) : null;
    if (told) this.#take(told.boxes);
    clearTimeout(this.#timer); // another look may have ended meanwhile
    this.#timer = setTimeout(() => this.look(), this.#waits() ? SOON_MS : EVERY_MS);
  }

  #waits() {
    return this.errands.some((errand) => errand.state === "waiting");
  }

  #take(/** @type {any[]} */ boxes) {
    const box = boxes.find((one) => one.stations.includes(this.station));
    const recent = Date.now() - DONE_SHOWN_MS;
    const mine = (/** @type {any} */ errand) => errand.station === this.station && (!this.only || errand.what === this.only) && (errand.state !== "done" || Date.parse(errand.at) > recent);
    this.errands = boxes.flatMap((one) => one.errands).filter(mine);
    this.head.textContent = box ? this.say(box.line, { box: box.box }) : "";
    for (const list of this.lists) {
      const shown = list.dataset.only ? this.errands.filter((errand) => errand.state === list.dataset.only) : this.errands;
      list.replaceChildren(...shown.map((errand) => this.#line(errand)));
      list.hidden = shown.length === 0;
    }
    const now = JSON.stringify(this.errands.map(({ at, state }) => [at, state]));
    if (this.#before && this.#before !== now) this.changed();
    this.#before = now;
  }

  // The box's own words, but for those that are known in every language.
  #why(/** @type {string} */ why) {
    const version = /^version (\d+)$/.exec(why);
    return version ? this.say("version", { n: version[1] }) : this.say(why);
  }

  #line(/** @type {any} */ errand) {
    const { state, what, by, at, until, why } = errand;
    const more = state === "waiting" ? this.say("until", { at: this.#at(until) }) : this.#why(why);
    const said = [this.say(WORDS[`do.${what}`] ? `do.${what}` : what), by, this.#at(at), more].filter(Boolean).join(" · ");
    const line = node("li", {}, node("b", { textContent: this.say(state) }), "　", node("span", { textContent: said }));
    line.dataset.state = state;
    return line;
  }
}

// On the page of a station: a list of its own below what is set by hand, and what waits in the sheet of a case.
export function onStation(/** @type {string} */ station, /** @type {() => void} */ changed) {
  const { lang, dataset } = document.documentElement;
  const list = node("ul", { className: "words-now", hidden: true });
  const waits = node("ul", { className: "facts", hidden: true });
  waits.dataset.only = "waiting";
  const waiting = new Waiting({ station, lang, zone: dataset.zone ?? "", lists: [list, waits], changed });
  const title = node("h2", {}, node("b", { textContent: waiting.say("title") }), waiting.head);
  document.querySelector("section.piles")?.after(node("section", { className: "piles for-box" }, title, list));
  document.querySelector("dialog.case .facts")?.after(waits);
  // Whatever is done is told there.
  const done = new MutationObserver(() => waiting.look());
  for (const notice of document.querySelectorAll(".notice")) done.observe(notice, { childList: true });
  waiting.look();
}
