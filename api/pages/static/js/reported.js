// What visitors said of a station, and what became of it.

import { get } from "./deeds.js";
import { $, el, setText } from "./draw.js";
import { whoOf } from "./items.js";
import { thingOf } from "./say.js";
import { moment } from "./time.js";

const MOST = 12;

export async function paintReports(station, picture, now, { zone, say }) {
  const url = `/api/v1/alerts?kind=reported&limit=${MOST}&station=${encodeURIComponent(station)}`;
  const alerts = (await get(url))?.alerts ?? null;
  $(".reports").hidden = alerts === null;
  if (alerts === null) return;
  const at = (text) => moment(Date.parse(text), now, zone, say);
  const lines = alerts.flatMap((alert) => {
    const words = alert.history.filter((line) => line.action === "commented" && line.by === "visitor");
    return (words.length ? words : [{ at: alert.opened_at, text: null }]).map((line) => ({ alert, ...line }));
  });
  const thing = ({ resource }) => picture?.resources.find((r) => r.id === resource);
  setText($(".reports .n"), lines.length ? "" : say("no_reports"));
  $(".reports ol").replaceChildren(
    ...lines.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at)).map(({ alert, at: when, text }) =>
      el(
        "li",
        { data: { state: alert.state } },
        el("time", { text: at(when) }),
        el("p", {}, el("b", { text: thing(alert) ? thingOf(thing(alert), say) : say("whole") }), `　${sortOf(alert, say)}　`, text ? `“${text}”` : say("no_words")),
        el("span", { text: becameOf(alert, at, say) }),
        alert.state === "closed" ? null : el("button", { type: "button", cls: "open", data: { item: alert.id }, text: say("more") }),
      ),
    ),
  );
}

const sortOf = (alert, say) => (say.has(`cause.${alert.cause}`) ? say(`cause.${alert.cause}`) : alert.cause);

function becameOf(alert, at, say) {
  if (alert.state === "open") return say("became_open");
  const last = alert.history.findLast((line) => line.action === alert.state);
  return say(alert.state === "closed" ? "became_closed" : "became_held", { who: whoOf(last?.by, say), at: at(alert.changed_at) });
}
