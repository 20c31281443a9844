// The overview: the first station, or all of them with how far each is; and what the house as a whole still lacks.

import { el, glyph } from "./draw.js";
import { checked, resourcesOf, section } from "./setup-parts.js";
import { newStation } from "./setup-station-form.js";
import { evidenceIn } from "./setup-station.js";
import { ask } from "./setup-store.js";

const EVERY_MS = 3000;
const LOOKED_AT = 60; // stations whose documents are asked for

export function homeView(main, { store, say, save, name }) {
  const table = el("ul", { cls: "stations" });
  const list = el("ul", { cls: "checklist" });
  const more = el("details", {}, el("summary", { text: say("another") }));
  let heard = new Map();
  let ready = /** @type {any} */ (null);

  const paint = () => {
    table.replaceChildren(...store.stations.map((station) => line(station, heard.get(station.id), say)));
    list.replaceChildren(...houseLines(store, ready, name, say));
  };
  const look = async () => {
    ready = (await ask("/readyz")).body;
    const ids = store.stations.slice(0, LOOKED_AT).map((one) => one.id);
    const documents = await Promise.all(ids.map((id) => ask(`/api/v1/stations/${encodeURIComponent(id)}`)));
    heard = new Map(documents.filter((one) => one.ok).map(({ body }) => [body.station, evidenceIn(body)]));
    paint();
    setTimeout(look, EVERY_MS);
  };
  const arrange = () => {
    const form = newStation(store, { say, save });
    if (!store.stations.length) return main.replaceChildren(form, section(say("c.title"), list));
    more.replaceChildren(more.firstElementChild ?? "", form);
    main.replaceChildren(section(say("s.stations"), table, more), section(say("c.title"), list));
  };
  arrange();
  paint();
  look();
  return () => {
    arrange();
    paint();
  };
}

function line(station, evidence, say) {
  const items = resourcesOf(station);
  const n = items.filter((item) => !["never", undefined].includes(evidence?.get(item.id))).length;
  const whole = items.length > 0 && n === items.length && station.hours && station.location;
  return el(
    "li",
    { data: { station: station.id } },
    glyph(whole ? "yes" : "unknown"),
    el("a", { href: `/setup/stations/${encodeURIComponent(station.id)}`, text: say.of(station.name) || station.id }),
    el("span", { text: say("st.of", { n, of: items.length }) }),
    el("small", { text: [say(whole ? "c.done" : "st.lacks"), ...lacking(station, say)].join(say.lang === "en" ? ": " : "：") }),
  );
}

function lacking(station, say) {
  const lacks = [];
  if (!station.location) lacks.push(say("s.place"));
  if (!station.hours) lacks.push(say("s.hours"));
  if (!resourcesOf(station).length) lacks.push(say("p.title"));
  return lacks.length ? [lacks.join(say.lang === "en" ? ", " : "、")] : [];
}

function houseLines(store, ready, name, say) {
  const { alerts = {}, api = {} } = store.config;
  const reaches = (alerts.routes ?? []).length > 0 && (alerts.channels ?? []).length > 0;
  const broker = ready?.status === "ready" || ready?.status === "degraded";
  const open = Boolean(api.public_url) || !/^(127\.|localhost|\[::1\])/.test(api.listen ?? "127.0.0.1");
  const way = (href, text) => el("a", { href, text });
  return [
    checked(broker, say("c.broker"), broker ? null : el("small", { text: (ready?.reasons ?? []).join("; ") })),
    checked(reaches, say("c.channel"), reaches ? null : way("/setup/channels", say("nav.channels"))),
    checked(name !== "setup", say("c.admin"), name !== "setup" ? null : way("/setup/people", say("pe.make"))),
    checked(open, say("c.url"), open ? null : el("small", { text: say("c.url_hint") })),
  ];
}
