// What is under the thumb: the way there, and a report. Each in a native dialog.

import { $, el, setText } from "./draw.js";
import { titleOf } from "./say.js";
import { nameIn } from "./words.js";

const SORTS = ["broken", "dirty", "wrong", "other"];

const THANKS_MS = 2500; // so long the thanks are read, then the form gives way

export function dialogs(place, { say, picture }) {
  for (const dialog of document.querySelectorAll("dialog")) $(".close", dialog).addEventListener("click", () => dialog.close());
  way(place, say);
  report(place, say, picture);
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
    if (!answer?.ok) return;
    form.text.value = "";
    setTimeout(() => dialog.close(), THANKS_MS);
  });
}
