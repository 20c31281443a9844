// What is set by hand at a station: shown with who said so and until when, set with an end, and taken back.

import { $, el, setText } from "./draw.js";
import { ENDS, endIn, wordsAt } from "./deeds.js";
import { thingOf } from "./say.js";
import { moment } from "./time.js";
import { nameIn } from "./words.js";

const STATUSES = ["maintenance", "closed", "open", "staff_only", "free", "busy"];
const AGAIN_MS = 1500; // what is set travels to the gateway and comes back as state

export class ByHand {
  // acted(what, item, given, button): carries a deed out
  constructor({ station, zone, say, clock, acts, acted, picture }) {
    this.station = station;
    this.zone = zone;
    this.say = say;
    this.clock = clock;
    this.acts = acts;
    this.acted = acted;
    this.picture = picture;
    this.form = $(".by-hand form");
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("click", ({ target }) => target.closest("[data-deed]") && this.#set(target.closest("[data-deed]")));
    $(".words-now").addEventListener("click", ({ target }) => target.closest("[data-deed]") && this.#takeBack(target.closest("[data-deed]")));
  }

  // Once the places are known.
  lay() {
    const { say, form } = this;
    if (form.childElementCount || !this.acts()) return;
    const { resources } = this.picture();
    const areas = [...new Map(resources.map((r) => [r.area, r.areaName]))];
    const option = (value, text) => el("option", { value, text });
    const field = (key, name, options) => el("label", {}, el("span", { text: say(key) }), el("select", { name }, ...options));
    form.append(
      field("by_hand_of", "of", [
        option("", say("whole")),
        ...areas.map(([id, name]) => option(`area:${id}`, nameIn(name, say.lang) || id)),
        ...resources.map((r) => option(`resource:${r.id}`, thingOf(r, say))),
      ]),
      field("by_hand_as", "as", STATUSES.map((one) => option(one, say(`set.${one}`)))),
      field("by_hand_for", "hours", ENDS.map((n) => option(n, n < 24 || n % 24 ? say("hours_n", { n }) : say("days_n", { n: n / 24 })))),
      el("button", { type: "button", cls: "main", data: { deed: "override" }, text: say("override") }),
    );
    form.hours.value = 4;
  }

  async paint() {
    const { say } = this;
    const words = await wordsAt(this.station);
    $(".by-hand").hidden = words === null || (!words.length && !this.acts());
    if (words === null) return;
    this.words = words;
    const now = this.clock.show();
    const line = (word, i) =>
      el(
        "li",
        {},
        el("span", {
          text: say("set_now", { what: this.#nameOf(word), as: say(`set.${word.status}`), at: word.until ? moment(Date.parse(word.until), now, this.zone, say) : "–", who: word.by || say("own") }) + (word.waits_for ? say("waits") : ""),
        }),
        this.acts() && !word.partner && word.until ? el("button", { type: "button", data: { deed: "override", i }, text: say("take_back") }) : null,
      );
    $(".words-now").replaceChildren(...words.map(line));
    setText($(".by-hand .n"), words.length ? "" : say("nothing_by_hand"));
  }

  #nameOf({ area, resource }) {
    const { say } = this;
    const found = this.picture()?.resources.find((r) => (resource ? r.id === resource : r.area === area));
    if (resource) return found ? thingOf(found, say) : resource;
    return area ? nameIn(found?.areaName, say.lang) || area : say("whole");
  }

  async #set(button) {
    const { form } = this;
    const [sort, id] = form.of.value.split(":");
    const place = { resource: sort === "resource" ? id : null, area: sort === "area" ? id : undefined };
    await this.acted("override", { station: this.station }, { status: form.as.value, until: endIn(Number(form.hours.value), this.clock.show()), ...place }, button);
    setTimeout(() => this.paint(), AGAIN_MS);
  }

  async #takeBack(button) {
    const { area, resource } = this.words[Number(button.dataset.i)];
    await this.acted("override", { station: this.station }, { status: null, resource, area: area ?? undefined }, button);
    setTimeout(() => this.paint(), AGAIN_MS);
  }
}
