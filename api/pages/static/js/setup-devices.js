// Devices heard on the broker, while the page is open: what each says right now, and a click to make it a place's sensor.
// What devices say is only ever text here.

import { el, setText } from "./draw.js";
import { allTold, keyOf, kindName, placeName, press, resourcesOf, section, span } from "./setup-parts.js";
import { ask } from "./setup-store.js";
import { useDevice } from "./setup-use.js";

const EVERY_MS = 1200;

// The place that a device most likely is for: the first of its kind without a device; else a new one.
export function targetOf(offer, station) {
  const key = keyOf(offer.resource);
  const places = resourcesOf(station).filter((item) => item.kind === offer.kind && !item.source && !item.device);
  return places.find((item) => keyOf(item) === key) ?? places[0] ?? null;
}

// Of several offers the one that this station has a place waiting for, else the likeliest.
const bestOf = (device, station) => device.offers.find((offer) => targetOf(offer, station)) ?? device.offers[0];

export class Devices {
  rows = new Map();
  /** @type {any} */
  open = null;
  /** @type {ReturnType<typeof setTimeout> | number} */
  timer = 0;
  /** @type {any[]} */
  heard = [];

  // `station()` is the present one; `heardChanged` hears of each look.
  /** @param {{ say: any, save: any, station: () => any, heardChanged?: (heard: any[]) => void }} given */
  constructor({ say, save, station, heardChanged = () => {} }) {
    this.say = say;
    this.save = save;
    this.station = station;
    this.heardChanged = heardChanged;
    this.status = el("p", { cls: "listening", role: "status" });
    this.list = el("ul", { cls: "devices" });
    this.used = el("ul", { cls: "devices used" });
    this.usedTitle = el("summary");
    this.usedBox = el("details", {}, this.usedTitle, this.used);
    this.usedBox.hidden = true;
    this.node = section(say("d.title"), el("p", { text: say("d.lead") }), this.status, this.list, this.usedBox);
    setText(this.status, say("d.connecting"));
  }

  begin() {
    const look = async () => {
      if (!document.hidden) await this.look();
      this.timer = setTimeout(look, EVERY_MS);
    };
    look();
  }

  async look() {
    const { ok, body, status } = await ask("/api/v1/setup/devices");
    if (!ok) return setText(this.status, this.say("d.trouble", { why: status ? (body?.detail ?? status) : this.say("no_answer") }));
    this.heard = body.devices;
    this.tell(body);
    this.paint();
    this.open?.hear(this.heard);
    this.heardChanged(this.heard);
  }

  fresh() {
    return this.heard.filter((device) => !device.configured);
  }

  tell(body) {
    const { say } = this;
    if (body.trouble) return setText(this.status, body.trouble === "connecting" ? say("d.connecting") : say("d.trouble", { why: body.trouble }));
    const parts = [say("d.listening", { s: span(body.for_s, say), n: this.fresh().length })];
    if (body.full) parts.push(say("d.full"));
    if (body.left_out) parts.push(say("d.left_out", { n: body.left_out }));
    setText(this.status, parts.join(say.lang === "en" ? ". " : "。"));
  }

  paint() {
    const useful = [...this.fresh()].sort((a, b) => Number(b.offers.length > 0) - Number(a.offers.length > 0));
    this.fill(this.list, useful);
    const used = this.heard.filter((device) => device.configured);
    this.fill(this.used, used);
    this.usedBox.hidden = used.length === 0;
    setText(this.usedTitle, this.say("d.show_used", { n: used.length }));
  }

  // Rows stay where they are, so that nobody's finger misses: only new ones come, at the end.
  fill(list, devices) {
    const keep = new Set();
    for (const device of devices) {
      const key = `${device.dialect} ${device.topic}`;
      let row = this.rows.get(key);
      if (!row) {
        row = this.row(device);
        this.rows.set(key, row);
      }
      row.paint(device);
      if (row.node.parentNode !== list) list.append(row.node);
      keep.add(row.node);
    }
    for (const node of [...list.children]) if (!keep.has(node)) node.remove();
  }

  row(device) {
    const { say } = this;
    const [says, about, ways] = [el("p", { cls: "says" }), el("small"), el("p", { cls: "ways" })];
    const who = el("p", { cls: "who" }, el("b", { text: nameOf(device) }), el("code", { text: device.topic }));
    const node = el("li", { data: { topic: device.topic } }, who, says, about, ways);
    const row = { node, shown: "", present: device };
    const paint = (now) => {
      row.present = now;
      const offer = now.offers.length ? bestOf(now, this.station()) : null;
      setText(says, offer ? allTold(offer.says, say) || say("u.quiet") : whyNot(now, say));
      setText(about, [now.dialect, say("d.ago", { s: span(now.age_s, say) }), this.elsewhere(now)].filter(Boolean).join(" · "));
      this.offer(row, ways, offer);
    };
    return { node, paint };
  }

  // A device of ours speaks for its own station alone.
  elsewhere(device) {
    return device.station && device.station !== this.station()?.id ? this.say("d.other_station", { station: device.station }) : "";
  }

  // The one click; it is made anew only when it would say something else.
  offer(row, ways, offer) {
    const { say } = this;
    const device = row.present;
    if (device.configured) return ways.replaceChildren(say("d.configured"));
    const target = offer ? targetOf(offer, this.station()) : null;
    const what = offer ? (target ? placeName(target, say) : kindName(keyOf(offer.resource), say)) : "";
    const wanted = offer && this.station() && !this.elsewhere(device) ? `${offer.kind} ${what}` : "";
    if (wanted === row.shown) return;
    row.shown = wanted;
    const act = () => this.use(row.present, offer.kind);
    ways.replaceChildren(...(wanted ? [press(say("d.use_as", { what }), "use-device", act, "main")] : []));
  }

  use(device, kind) {
    this.open = useDevice(device, kind, { say: this.say, save: this.save, station: this.station() }, () => {
      this.open = null;
    });
  }
}

const nameOf = (device) => device.topic.split("/").filter((one) => !["config", "state", "up", "event"].includes(one)).pop() || device.topic;

const whyNot = (device, say) => `${say("d.useless")}: ${[...new Set(device.refused.map((one) => say(`why.${one.reason}`)))].join(say.lang === "en" ? "; " : "；")}`;
