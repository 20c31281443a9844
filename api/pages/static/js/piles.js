// The charging piles that are connected: who they are, and what operators may do at each.

import { get } from "./deeds.js";
import { $, el } from "./draw.js";
import { thingOf } from "./say.js";

const AT_A_CONNECTOR = ["unlock", "out_of_service", "in_service"];

export class Piles {
  // acted(what, item, given, button): carries a deed out; picture(): the station as it is shown
  constructor(/** @type {{station: string, say: any, acts: () => boolean, acted: Function, picture: () => any}} */ { station, say, acts, acted, picture }) {
    this.station = station;
    this.say = say;
    this.acts = acts;
    this.acted = acted;
    this.picture = picture;
    $(".piles ul").addEventListener("click", ({ target }) => target.closest("[data-deed]") && this.#press(target.closest("[data-deed]")));
  }

  // Only a station with chargers is asked for.
  async paint() {
    const has = this.picture()?.resources.some((/** @type {any} */ one) => one.kind === "charger");
    const found = has ? await pilesAt(this.station) : [];
    $(".piles").hidden = found.length === 0;
    $(".piles ul").replaceChildren(...found.map((pile) => this.#line(pile)));
  }

  #line(/** @type {any} */ pile) {
    const who = [pile.charge_point, pile.vendor, pile.model, pile.firmware, pile.protocol, pile.operator === "away" && this.say("alert.operator_away")].filter(Boolean).join(" · ");
    const connectors = pile.devices.map((/** @type {string} */ device) =>
      el("li", { data: { device } }, el("span", { text: this.#nameOf(device) }), ...this.#buttons(device, AT_A_CONNECTOR)),
    );
    return el("li", {}, el("b", { text: who }), ...this.#buttons(pile.devices[0], ["reset"]), el("ul", {}, ...connectors));
  }

  #buttons(/** @type {string} */ device, /** @type {string[]} */ deeds) {
    if (!this.acts()) return [];
    return deeds.map((deed) => el("button", { type: "button", data: { deed, device }, text: this.say(`pile.${deed}`) }));
  }

  #nameOf(/** @type {string} */ device) {
    const found = this.picture()?.resources.find((/** @type {any} */ one) => one.id === device);
    return found ? thingOf(found, this.say) : device;
  }

  #press(/** @type {any} */ button) {
    const { deed, device } = button.dataset;
    this.acted("pile", { station: this.station, device }, { deed }, button);
  }
}

// Empty when they can't be asked.
async function pilesAt(/** @type {string} */ station) {
  return /** @type {any[]} */ ((await get(`/api/v1/stations/${encodeURIComponent(station)}/piles`))?.piles ?? []);
}
