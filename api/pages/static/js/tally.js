// One tap: what people who rest here work as. Nobody is asked twice in a month, and nothing is kept of who it was.

import { $, el, setText } from "./draw.js";
import { storage } from "./keeper.js";

const ASKED = "yizhan:tally"; // the month in which this phone last answered
const OCCUPATIONS = ["sanitation", "food_delivery", "courier", "ride_hailing", "freight", "security", "construction", "other"];

export function askTally(place, say) {
  const month = new Date().toISOString().slice(0, 7);
  if (storage.get(ASKED) === month) return;
  const section = $(".tally");
  const result = $(".result", section);
  const buttons = OCCUPATIONS.map((name) => el("button", { type: "button", "data-occupation": name, text: say(`work_${name}`) }));
  $(".work", section).replaceChildren(...buttons);
  section.hidden = false;
  $(".work", section).addEventListener("click", async (event) => {
    const name = /** @type {HTMLElement} */ (event.target).dataset.occupation;
    if (!name) return;
    const answer = await fetch(`/api/v1/stations/${encodeURIComponent(place.id)}/tally`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ occupation: name }),
    }).catch(() => null);
    setText(result, say(answer?.ok ? "tally_thanks" : "report_failed"));
    if (!answer?.ok) return;
    storage.set(ASKED, month);
    $(".work", section).hidden = true;
  });
}
