// The three things under the thumb: the way there, a report, stations nearby. Each in a native dialog.

import { $, el, setText } from "./draw.js";
import { distance, findNearby, nearItem } from "./near.js";
import { titleOf } from "./say.js";
import { nameIn } from "./words.js";

const SORTS = ["broken", "dirty", "wrong", "other"];

export function dialogs(place, { say, clock, picture }) {
  for (const dialog of document.querySelectorAll("dialog")) $(".close", dialog).addEventListener("click", () => dialog.close());
  way(place, say);
  report(place, say, picture);
  return around(place, say, clock);
}

function way(place, say) {
  const { lat, lon } = place;
  const name = encodeURIComponent(nameIn(place.name, say.lang));
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".address"))) setText(node, place.address);
  $(".go").hidden = lat === null;
  const links = [
    ["phone_map", `geo:${lat},${lon}?q=${lat},${lon}(${name})`],
    ["amap", `https://uri.amap.com/marker?position=${lon},${lat}&name=${name}&coordinate=wgs84&callnative=1`],
    ["tencent", `https://apis.map.qq.com/uri/v1/marker?marker=coord:${lat},${lon};title:${name}&coord_type=1&referer=yizhan`],
  ];
  $(".links").append(...links.map(([key, href]) => el("li", {}, el("a", { href, rel: "noopener noreferrer", text: say(key) }))));
  $(".go").addEventListener("click", () => $(".sheet-go").showModal());
}

function report(place, say, picture) {
  const dialog = $(".sheet-report");
  const form = $("form", dialog);
  const result = $(".result", dialog);
  $(".choices").append(
    ...SORTS.map((sort, i) => {
      const input = el("input", { type: "radio", name: "sort", value: sort });
      input.checked = i === 0;
      return el("label", {}, input, say(sort));
    }),
  );
  $(".report").addEventListener("click", () => {
    setText(result, "");
    const things = picture()?.resources ?? [];
    form.resource.replaceChildren(
      el("option", { value: "", text: say("report_whole") }),
      ...things.map((r) => el("option", { value: r.id, text: titleOf(r, place, say.lang, say) })),
    );
    dialog.showModal();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = { resource: form.resource.value || null, kind: form.sort.value, text: form.text.value.trim() };
    const answer = await fetch(`/api/v1/stations/${encodeURIComponent(place.id)}/reports`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }).catch(() => null);
    setText(result, say(answer?.ok ? "report_thanks" : answer?.status === 429 ? "report_busy" : "report_failed"));
    if (answer?.ok) form.text.value = "";
  });
}

// Returns what keeps the list true; to be called every second.
function around(place, say, clock) {
  const dialog = $(".sheet-around");
  const result = $(".result", dialog);
  let items = [];
  const fill = async (latitude, longitude) => {
    const found = latitude === null ? [] : await findNearby({ lat: latitude.toFixed(4), lon: longitude.toFixed(4), kind: "seat", clock });
    items = found.slice(0, 12).map((one) => nearItem(one, { say, link: true }));
    for (const item of items) item.paint(clock.now());
    $(".found").replaceChildren(...items.map((item) => item.node));
    return found;
  };
  const without = () => {
    setText(result, say("around_no"));
    fill(place.lat, place.lon);
  };
  const here = async ({ coords }) => {
    const found = await fill(coords.latitude, coords.longitude);
    const own = found.find((one) => one.picture.station === place.id);
    setText(result, found.length ? "" : say("around_none"));
    if (own) setText($("h1 small"), say("away", { d: distance(own.metres, say) }));
  };
  $(".around").addEventListener("click", () => dialog.showModal());
  $(".locate", dialog).addEventListener("click", () => {
    setText(result, say("around_wait"));
    if (navigator.geolocation) navigator.geolocation.getCurrentPosition(here, without, { timeout: 8000, maximumAge: 60_000 });
    else without();
  });
  return () => {
    for (const item of items) item.paint(clock.now());
  };
}
