// What people found on their rounds (巡检), the newest first, with their photos: for staff.

import { get } from "./deeds.js";
import { $, el, setText } from "./draw.js";
import { moment } from "./time.js";

const MOST = 8;

export async function paintRounds(station, now, { zone, say }) {
  const url = `/api/v1/stations/${encodeURIComponent(station)}/checks`;
  const checks = (await get(`${url}?limit=${MOST}`))?.checks ?? [];
  $(".rounds").hidden = checks.length === 0;
  setText($(".rounds .n"), say("last_n", { n: checks.length }));
  const photo = ({ id }) => {
    const source = `${url}/${id}/photo`;
    return el("a", { href: source, target: "_blank" }, el("img", { src: source, alt: say("round_photo"), loading: "lazy" }));
  };
  $(".rounds ol").replaceChildren(
    ...checks.map((one) =>
      el(
        "li",
        { data: { result: one.result } },
        el("time", { text: moment(Date.parse(one.at), now, zone, say) }),
        el("p", {}, el("b", { text: one.check }), `　${say(one.result === "ok" ? "round_ok" : "round_problem")}　`, one.note ? `“${one.note}”` : ""),
        el("span", { text: one.by === "link" ? say("round_link") : one.by }),
        one.photo ? photo(one) : null,
      ),
    ),
  );
}
