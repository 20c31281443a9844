// The overview: the first station, or all of them with how far each is; and what the house as a whole still lacks.

import { el, glyph } from "./draw.js";
import { boxStations } from "./setup-box.js";
import { checked, entry, field, form, resourcesOf, section } from "./setup-parts.js";
import { newStation } from "./setup-station-form.js";
import { evidenceIn } from "./setup-station.js";
import { ask, at } from "./setup-store.js";

const EVERY_MS = 3000;
const BOXES_EVERY_MS = 10_000;
const LOOKED_AT = 60; // stations whose documents are asked for

export function homeView(main, { store, say, save, name, link }) {
  const table = el("ul", { cls: "stations" });
  const list = el("ul", { cls: "checklist" });
  const more = el("details", {}, el("summary", { text: say("another") }));
  let heard = new Map();
  let ready = /** @type {any} */ (null);

  const paint = () => {
    table.replaceChildren(...store.stations.map((station) => row(station, heard.get(station.id), say, link)));
    list.replaceChildren(...houseLines(store, ready, name, say, link));
  };
  const look = async () => {
    ready = (await ask("/readyz")).body;
    const ids = store.stations.slice(0, LOOKED_AT).map((one) => one.id);
    const documents = await Promise.all(ids.map((id) => ask(`/api/v1/stations/${encodeURIComponent(id)}`)));
    heard = new Map(documents.filter((one) => one.ok).map(({ body }) => [body.station, evidenceIn(body)]));
    paint();
    setTimeout(look, EVERY_MS);
  };
  const ofBoxes = el("div");
  const arrange = () => {
    const first = newStation(store, { say, save });
    const lists = section(say("c.title"), list, isOpen(store) ? null : addressForm({ say, save }));
    more.replaceChildren(more.firstElementChild ?? "", first);
    const own = store.stations.length ? section(say("s.stations"), table, more) : ofBoxes.childElementCount ? more : first;
    main.replaceChildren(own, ofBoxes, lists);
  };
  const boxes = async () => {
    const node = await boxStations(store, { say, link });
    const had = ofBoxes.childElementCount > 0;
    if (node?.outerHTML !== ofBoxes.firstElementChild?.outerHTML) ofBoxes.replaceChildren(node ?? "");
    if (had !== (node !== null)) arrange();
    setTimeout(boxes, BOXES_EVERY_MS);
  };
  arrange();
  paint();
  look();
  boxes();
  return () => {
    arrange();
    paint();
  };
}

function row(station, evidence, say, link) {
  const items = resourcesOf(station);
  const n = items.filter((item) => !["never", undefined].includes(evidence?.get(item.id))).length;
  const whole = items.length > 0 && n === items.length && station.hours && station.location;
  return el(
    "li",
    { data: { station: station.id } },
    glyph(whole ? "yes" : "unknown"),
    el("a", { href: link(`/setup/stations/${encodeURIComponent(station.id)}`), text: say.of(station.name) || station.id }),
    el("span", { text: say("st.of", { n, of: items.length }) }),
    el("small", { text: whole ? say("c.done") : say("st.lacks", { what: lacking(station, n, items.length, say) }) }),
  );
}

function lacking(station, n, of, say) {
  const lacks = [];
  if (!station.location) lacks.push(say("s.place"));
  if (!station.hours) lacks.push(say("s.hours"));
  if (!resourcesOf(station).length) lacks.push(say("p.title"));
  else if (n < of) lacks.push(say("st.silent", { n: of - n }));
  return lacks.join(say.lang === "en" ? ", " : "、");
}

// Whether phones know an address of ours that is not this machine's own name for itself.
function isOpen(store) {
  const { api = {} } = store.config;
  return Boolean(api.public_url) || !/^(127\.|localhost|\[::1\])/.test(api.listen ?? "127.0.0.1");
}

function addressForm({ say, save }) {
  const url = entry({ type: "url", required: "", placeholder: "http://192.168.1.20:8080", pattern: "https?://.+" });
  const act = () => save([{ op: "add", path: at("api", "public_url"), value: url.value.trim().replace(/\/+$/, "") }], say("c.url"));
  return el("details", {}, el("summary", { text: say("c.url_set") }), form("save-url", say("save"), act, field(say("c.url_field"), url, say("c.url_hint"))));
}

function houseLines(store, ready, name, say, link) {
  const { alerts = {} } = store.config;
  const reaches = (alerts.routes ?? []).length > 0 && (alerts.channels ?? []).length > 0;
  const broker = ready?.status === "ready" || ready?.status === "degraded";
  const way = (href, text) => el("a", { href: link(href), text });
  return [
    checked(broker, say("c.broker"), broker ? null : el("small", { text: (ready?.trouble ?? []).join("; ") })),
    checked(reaches, say("c.channel"), reaches ? null : way("/setup/channels", say("nav.channels"))),
    checked(name !== "setup", say("c.admin"), name !== "setup" ? null : way("/setup/people", say("pe.make"))),
    checked(isOpen(store), say("c.url")),
  ];
}
