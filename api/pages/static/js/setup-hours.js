// Opening hours without syntax: three usual shapes and one for those who write it, with the coming week in plain words.

import { $, el, setText } from "./draw.js";
import { ask, problemsOf } from "./setup-store.js";
import { choice, entry, field } from "./setup-parts.js";

const ALWAYS = "24/7";
const DAILY = /^(\d\d:\d\d)-(\d\d:\d\d)$/;
const WEEK = /^Mo-Fr (\d\d:\d\d)-(\d\d:\d\d); Sa-Su (off|(\d\d:\d\d)-(\d\d:\d\d))$/;

// Which of the shapes an expression has, and the times in it.
function shapeOf(hours) {
  if (!hours || hours === ALWAYS) return { shape: "always" };
  const daily = DAILY.exec(hours);
  if (daily) return { shape: "daily", from: daily[1], to: daily[2] };
  const week = WEEK.exec(hours);
  if (week) return { shape: "week", from: week[1], to: week[2], off: week[3] === "off", from2: week[4], to2: week[5] };
  return { shape: "own", text: hours };
}

/** @type {(from: string, to: string) => [HTMLInputElement, HTMLInputElement]} */
const timed = (from, to) => [entry({ type: "time", value: from, required: "" }), entry({ type: "time", value: to, required: "" })];

// { node, value() } with the expression; `station` so that its closures and zone are in the preview.
export function hoursControl(hours, station, say) {
  const known = shapeOf(hours);
  const shape = choice(
    ["always", "daily", "week", "own"].map((one) => [one, say(`h.${one}`)]),
    known.shape,
    { name: "hours" },
  );
  const days = timed(known.from ?? "08:00", known.to ?? "22:00");
  const ends = timed(known.from2 ?? "09:00", known.to2 ?? "21:00");
  const off = el("input", { type: "checkbox" });
  off.checked = known.off ?? false;
  const own = entry({ value: known.text ?? "Mo-Fr 08:00-20:00; Sa,Su 09:00-18:00; PH off", maxlength: "1000" });
  const pair = (title, [from, to]) =>
    el("div", { cls: "pair" }, title && el("b", { text: title }), field(say("h.from"), from), field(say("h.to"), to));
  const boxes = {
    daily: pair("", days),
    week: el("div", { cls: "pairs" }, pair(say("h.weekdays"), days), pair(say("h.weekend"), ends), el("label", { cls: "tick" }, off, say("h.closed"))),
    own: field(say("h.own"), own),
  };
  const preview = el("div", { cls: "preview", "aria-live": "polite" });
  const span = ([from, to]) => `${from.value}-${to.value}`;
  const value = () =>
    ({ always: () => ALWAYS, daily: () => span(days), week: () => `Mo-Fr ${span(days)}; Sa-Su ${off.checked ? "off" : span(ends)}`, own: () => own.value.trim() })[shape.value]?.() ?? ALWAYS;
  const arrange = () => {
    for (const [name, box] of Object.entries(boxes)) box.hidden = name !== shape.value;
    if (shape.value === "daily") boxes.daily.replaceChildren(...pair("", days).childNodes);
    if (shape.value === "week") $(".pair", boxes.week).replaceChildren(...pair(say("h.weekdays"), days).childNodes);
    for (const one of ends) one.disabled = off.checked;
    look();
  };
  let asked = 0;
  const look = async () => {
    const mine = ++asked;
    const query = new URLSearchParams({ hours: value(), station: station?.id ?? "" });
    const { ok, body } = await ask(`/api/v1/setup/hours?${query}`);
    if (mine === asked) showWeek(preview, ok, body, say);
  };
  const node = el("div", { cls: "hours" }, field(say("s.hours"), shape), ...Object.values(boxes), preview);
  node.addEventListener("change", arrange);
  own.addEventListener("input", look);
  arrange();
  return { node, value };
}

function showWeek(preview, ok, body, say) {
  if (!ok) return preview.replaceChildren(el("b", { cls: "bad", text: say("h.bad") }), ...problemsOf(body).map((line) => el("p", { text: line })));
  const lines = say.lang === "en" ? body.en : body.zh;
  preview.replaceChildren(el("b", { text: say("h.week_ahead") }), ...lines.map((line) => el("p", { text: line })));
}

// { node, value() } for a place: null while nothing readable was pasted; what is saved is WGS 84.
export function placeControl(location, say) {
  let found = location ? { lat: location.lat, lon: location.lon } : null;
  const text = entry({ name: "place", inputmode: "text", maxlength: "500", value: found ? `${found.lat}, ${found.lon}` : "" });
  const system = choice(
    ["gcj02", "bd09", "wgs84"].map((one) => [one, say(`sys.${one}`)]),
    found ? "wgs84" : "gcj02",
    { name: "system" },
  );
  const address = entry({ name: "address", value: location?.address ?? "" });
  const result = el("p", { cls: "result", "aria-live": "polite" });
  const map = el("a", { rel: "noopener noreferrer", target: "_blank", text: say("s.map") });
  const show = (bad) => {
    setText(result, bad ? say("s.place_bad") : found ? say("s.place_ok", found) : "");
    result.classList.toggle("bad", bad);
    map.hidden = found === null;
    if (found) map.href = `https://uri.amap.com/marker?position=${found.lon},${found.lat}&coordinate=wgs84`;
  };
  let asked = 0;
  const look = async () => {
    const mine = ++asked;
    if (!text.value.trim()) {
      found = null;
      return show(false);
    }
    const { ok, body } = await ask(`/api/v1/setup/place?${new URLSearchParams({ text: text.value, system: system.value })}`);
    if (mine !== asked) return;
    found = ok ? { lat: body.lat, lon: body.lon } : null;
    show(!ok);
  };
  for (const node of [text, system]) node.addEventListener(node === text ? "input" : "change", look);
  show(false);
  const node = el("div", { cls: "place" }, field(say("s.place"), text, say("s.place_hint")), field(say("s.system"), system), result, map, field(say("s.address"), address));
  const value = () => (found ? { ...found, ...(address.value.trim() ? { address: address.value.trim() } : {}) } : null);
  return { node, value };
}
