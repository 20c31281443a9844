// Which station to go to. The server writes the list; this renews it, takes back what has ended, and asks where one is.

import { $, setData, setText } from "./draw.js";
import { FIND } from "./find-words.js";
import { keepShell } from "./keeper.js";
import { speaker } from "./words.js";

const RENEW_MS = 30_000;
const PATIENCE_MS = 12_000;

const root = document.documentElement;
const say = speaker(root.lang, FIND);
const dark = matchMedia("(prefers-color-scheme: dark)");
// What came over the line just now holds as of its own time; what a cache had kept is over until the server has spoken.
const arrived = /** @type {PerformanceNavigationTiming | undefined} */ (performance.getEntriesByType("navigation")[0]);
let fetchedAt = arrived?.transferSize && !$("main").classList.contains("past") ? arrived.responseStart : -Infinity;
let asked = fetchedAt;

// The server's time by the list's own: it was made at data-now and has been here since fetchedAt.
const now = () => Number($("main").dataset.now) + (performance.now() - fetchedAt);

async function renew(url = location.href) {
  asked = performance.now();
  const answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => null);
  const text = answer?.ok ? await answer.text().catch(() => null) : null;
  // Its style stands in this page already, and this page's policy would refuse another's.
  const bare = text?.replace(/<style>[\s\S]*?<\/style>/g, "");
  const told = bare && new DOMParser().parseFromString(bare, "text/html").querySelector("main");
  const fresh = told && !told.classList.contains("past") ? told : null; // the service worker answers, too, with what it kept
  $(".banner").hidden = Boolean(fresh);
  setData(root, "contact", fresh ? "live" : "lost");
  if (fresh) {
    fetchedAt = asked; // no later than it was made
    fresh.classList.remove("first");
    $("main").replaceWith(document.adoptNode(fresh));
  } else setText($(".banner b"), say("find_lost", { at: $("main").dataset.at }));
  paint();
  return Boolean(fresh);
}

// At its end, or once contact is lost, an item tells of itself in the past tense.
function paint() {
  const lost = root.dataset.contact === "lost";
  for (const item of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".spot"))) {
    if (!lost && now() < Number(item.dataset.until ?? Infinity)) continue;
    item.classList.add("over");
    for (const told of /** @type {HTMLElement[]} */ ([item, ...item.querySelectorAll(".also li")]))
      if (told.dataset.usable === "yes") setData(told, "usable", "unknown");
  }
}

function light() {
  const { look } = root.dataset;
  setData(root, "theme", look && look !== "auto" ? look : dark.matches ? "night" : "day");
}

function locate() {
  const refused = () => {
    setText($(".here .result"), say("find_refused"));
    $(".ask select").focus();
  };
  if (!navigator.geolocation) return refused();
  setText($(".here .result"), say("find_wait"));
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => {
      const url = new URL(location.href);
      for (const old of ["from", "page"]) url.searchParams.delete(old);
      url.searchParams.set("near", `${coords.latitude.toFixed(4)},${coords.longitude.toFixed(4)}`);
      location.assign(url);
    },
    refused,
    { timeout: 8000, maximumAge: 60_000 },
  );
}

light();
dark.addEventListener("change", light);
$(".here").hidden = false;
$(".locate").addEventListener("click", locate);
setData(root, "contact", fetchedAt === -Infinity ? "none" : "live");
$("main").classList.remove("first", "past"); // its own clock from here on
paint();
if (fetchedAt === -Infinity) renew();
setInterval(() => {
  paint();
  if (!document.hidden && performance.now() - asked > RENEW_MS) renew();
}, 1000);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && performance.now() - asked > RENEW_MS) renew();
});
setTimeout(keepShell, 4000);

root.dataset.runs = "yes"; // see too-old.js
