// The three things under the thumb: the way there, a report, stations nearby. Each in a native dialog.

import { $, el, icon, setText } from "./draw.js";
import { distance, findNearby } from "./near.js";
import { titleOf } from "./say.js";
import { usableOf, wording } from "./truth.js";
import { nameIn } from "./words.js";

const SORTS = ["broken", "dirty", "wrong", "other"];

export function dialogs(place, { say, clock, picture }) {
  for (const dialog of document.querySelectorAll("dialog")) $(".close", dialog).addEventListener("click", () => dialog.close());
  way(place, say);
  report(place, say, picture);
  around(place, say, clock);
}

function way(place, say) {
  const { lat, lon } = place, name = encodeURIComponent(nameIn(place.name, say.lang));
  for (const node of document.querySelectorAll(".address")) setText(node, place.address);
  $(".go").hidden = lat === null;
  const links = [["phone_map", `geo:${lat},${lon}?q=${lat},${lon}(${name})`], ["amap", `https://uri.amap.com/marker?position=${lon},${lat}&name=${name}&coordinate=wgs84&callnative=1`],
    ["tencent", `https://apis.map.qq.com/uri/v1/marker?marker=coord:${lat},${lon};title:${name}&coord_type=1&referer=yizhan`]];
  $(".links").append(...links.map(([key, href]) => el("li", {}, el("a", { href, rel: "noopener noreferrer", text: say(key) }))));
  $(".go").addEventListener("click", () => $(".sheet-go").showModal());
}

function report(place, say, picture) {
  const dialog = $(".sheet-report"), form = $("form", dialog), result = $(".result", dialog);
  $(".choices").append(...SORTS.map((sort, i) => { const input = el("input", { type: "radio", name: "sort", value: sort }); input.checked = i === 0; return el("label", {}, input, say(sort)); }));
  $(".report").addEventListener("click", () => {
    setText(result, "");
    const things = picture()?.resources ?? [];
    form.resource.replaceChildren(el("option", { value: "", text: say("report_whole") }), ...things.map((r) => el("option", { value: r.id, text: titleOf(r, place, say.lang, say) })));
    dialog.showModal();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = { resource: form.resource.value || null, kind: form.sort.value, text: form.text.value.trim() };
    const answer = await fetch(`/api/v1/stations/${encodeURIComponent(place.id)}/reports`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }).catch(() => null);
    setText(result, say(answer?.ok ? "report_thanks" : answer?.status === 429 ? "report_busy" : "report_failed"));
    if (answer?.ok) form.text.value = "";
  });
}

function around(place, say, clock) {
  const dialog = $(".sheet-around"), result = $(".result", dialog);
  $(".around").addEventListener("click", () => dialog.showModal());
  $(".locate", dialog).addEventListener("click", () => {
    setText(result, say("around_wait"));
    const here = (spot, extra) => fill(spot, extra);
    const without = () => { setText(result, say("around_no")); fill({ latitude: place.lat, longitude: place.lon }, "", true); };
    if (!navigator.geolocation) return without();
    navigator.geolocation.getCurrentPosition((found) => here(found.coords, ""), without, { timeout: 8000, maximumAge: 60_000 });
  });
  async function fill({ latitude, longitude }, extra, keep = false) {
    if (latitude == null) return;
    const found = await findNearby({ lat: latitude.toFixed(4), lon: longitude.toFixed(4), kind: "seat", clock, extra });
    if (!keep) setText(result, found.length ? "" : say("around_none"));
    const here = found.find((one) => one.picture.station === place.id);
    if (here && !keep) setText($("h1 small"), say("away", { d: distance(here.metres, say) }));
    $(".found").replaceChildren(...found.slice(0, 12).map(({ picture, tally, metres }) => el("li", { data: { kind: "seat", usable: usableOf(tally), station: picture.station } }, el("i", { cls: "win" }, el("span", {}, icon("seat"))),
      el("a", { href: `/m/${encodeURIComponent(picture.station)}` }, el("div", {}, el("b", { text: nameIn(picture.name, say.lang) }), el("small", { text: `${metres == null ? "" : distance(metres, say)}　${say("seat.free")} ${wording(tally) === "atleast" ? say("at_least") : ""}${tally.min}` }))))));
    watch(found);
  }
  // What was found ends too: at its valid_until an entry greys like everything else.
  let timer = null;
  function watch(found) {
    clearTimeout(timer);
    const now = clock.now(), ends = found.map((one) => one.picture.validUntil).filter((end) => end > now);
    if (ends.length) timer = setTimeout(() => { for (const li of document.querySelectorAll(".found li")) { li.dataset.usable = "unknown"; const small = $("small", li); small.textContent = small.textContent.replace(/[^　]*$/, say("unknown")); } }, Math.min(...ends) - now);
  }
}
