// Tells once what was done, with the way back. There is one on the page and one in the sheet, which is above the page.

import { el } from "./draw.js";

const STAYS_MS = 30_000;

export class Notice {
  #timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);

  // say: words; after: what to do once something was taken back
  constructor(/** @type {any} */ say, /** @type {() => Promise<void>} */ after) {
    this.say = say;
    this.after = after;
    this.nodes = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".notice")]);
  }

  // answer: of a deed
  tell(/** @type {string} */ what, /** @type {{ok: boolean, why: string, told?: any, undo: (() => Promise<any>) | null}} */ answer) {
    const waits = answer.told?.box?.state === "waiting" ? this.say("waits") : "";
    const text = answer.ok ? this.say(`did.${what}`) + waits : this.say("refused", { why: answer.why || this.say("failed") });
    this.#show(text, answer.undo, !answer.ok);
  }

  #show(/** @type {string} */ text, /** @type {(() => Promise<any>) | null} */ undo, bad = false) {
    clearTimeout(this.#timer);
    for (const node of this.nodes) node.replaceChildren();
    const node = this.nodes.find((one) => one.closest("dialog")?.open) ?? this.nodes.find((one) => !one.closest("dialog"));
    if (!node) return;
    node.classList.toggle("bad", bad);
    const back = undo === null ? null : el("button", { type: "button", cls: "undo", data: { deed: "undo" }, text: this.say("undo") });
    back?.addEventListener("click", () => this.#undo(/** @type {() => Promise<any>} */ (undo)));
    node.replaceChildren(el("span", { text }), ...(back ? [back] : []));
    this.#timer = setTimeout(() => node.replaceChildren(), STAYS_MS);
  }

  async #undo(/** @type {() => Promise<any>} */ undo) {
    const answer = await undo();
    await this.after();
    this.#show(answer.ok ? this.say("did.undo") : this.say("refused", { why: answer.why || this.say("failed") }), null, !answer.ok);
  }

  clear() {
    for (const node of this.nodes) node.replaceChildren();
  }
}

