// One station: its checklist, its devices, its places, its name and hours. The list ends when everything was heard.

import { el, setText } from "./draw.js";
import { boxSection } from "./setup-box.js";
import { Devices } from "./setup-devices.js";
import { checked, placeName, press, resourcesOf, section } from "./setup-parts.js";
import { places } from "./setup-places.js";
import { basics } from "./setup-station-form.js";
import { ask, at, send } from "./setup-store.js";

const EVERY_MS = 2000;

// What the present document says of each resource and instrument: live, stale, …, never.
export function evidenceIn(document) {
  const found = new Map();
  for (const area of document?.areas ?? [])
    for (const item of [...(area.resources ?? []), ...(area.instruments ?? [])]) found.set(item.id, item.evidence);
  return found;
}

// `box`: one has it, and its devices speak there.
export function stationView(main, id, { store, say, save, link, zone, box: ofBox }) {
  const station = () => store.station(id);
  if (!station()) return main.replaceChildren(el("p", { cls: "bad", text: say("st.gone") }));
  let evidence = new Map();
  let known = false;
  const list = el("ul", { cls: "checklist" });
  const devices = ofBox ? null : new Devices({ say, save, station, heardChanged: () => tell() });
  const sent = ofBox ? boxSection(id, { say, zone, changed: () => told() }) : null;
  const box = el("div");
  const basicBox = el("div");
  let placed = places(station(), { say, save, evidence: () => null });

  const arrange = () => {
    placed = places(station(), { say, save, evidence: (one) => (known ? (evidence.get(one) ?? "never") : null) });
    box.replaceChildren(placed.node);
    ways.replaceChildren(links(station(), { link, say, save, ofBox }));
    basicBox.replaceChildren(basics(station(), { say, save }));
    tell();
  };
  const tell = () => list.replaceChildren(...lines(station(), evidence, devices?.fresh() ?? null, say));
  // Whatever the box tells is shown, but under nobody's hands.
  const told = async () => {
    const before = store.etag;
    if ([box, basicBox].some((part) => part.contains(document.activeElement))) return;
    await store.load();
    if (store.etag !== before) arrange();
  };
  const look = async () => {
    const { ok, body } = await ask(`/api/v1/stations/${encodeURIComponent(id)}`);
    if (ok && station()) {
      evidence = evidenceIn(body);
      known = true;
      placed.paint();
      tell();
    }
    if (ofBox) await told();
    setTimeout(look, EVERY_MS);
  };
  const title = el("h2", { cls: "title", text: say.of(station().name) || id });
  const ways = el("div");
  main.replaceChildren(title, ways, sent?.node ?? "", section(say("c.title"), list), devices?.node ?? "", box, basicBox);
  arrange();
  look();
  devices?.begin();
  return () => {
    if (!station()) return location.assign(link("/setup"));
    setText(title, say.of(station().name) || id);
    arrange();
    devices?.paint();
    sent?.look();
  };
}

// The link behind the code of checks, with what is usually looked at where nothing is said yet.
async function makeChecks(station, { say, save }) {
  const { ok, body } = await send("/api/v1/setup/secrets", { name: `${station.id.slice(0, 50)}_checks` });
  if (!ok) return;
  const here = (key, value) => ({ op: "add", path: at("stations", station.id, key), value });
  const aeds = resourcesOf(station).filter((item) => item.kind === "safety");
  const usual = [
    ...(aeds.length ? [{ id: "aed", of: aeds.map((item) => item.id), every: "day" }] : []),
    { id: "door", every: "day", entry: true },
    { id: "tidy", every: "day", ask: { zh: say.chinese("l.tidy"), en: say.english("l.tidy") } },
  ];
  const changes = [here("checks_token_file", body.file), ...(station.checks?.length ? [] : [here("checks", usual)])];
  await save(changes, say("l.checks"));
}

const links = (station, { link, say, save, ofBox }) =>
  el(
    "p",
    { cls: "ways" },
    el("a", { cls: "btn", href: link(`/screen/${station.id}`), text: say("l.wall") }),
    el("a", { cls: "btn", href: link(`/m/${station.id}`), text: say("l.phone") }),
    ofBox ? null : el("a", { cls: "btn", href: `/setup/stations/${encodeURIComponent(station.id)}/sheet`, text: say("l.sheet") }),
    ofBox || station.checks_token_file ? null : press(say("l.checks"), "make-checks", () => makeChecks(station, { say, save })),
  );

function lines(station, evidence, fresh, say) {
  const items = resourcesOf(station);
  const silent = items.filter((item) => (evidence.get(item.id) ?? "never") === "never");
  const useful = (fresh ?? []).filter((device) => device.offers.length && (!device.station || device.station === station.id));
  const names = silent.map((item) => placeName(item, say));
  const shown = names.length > 6 ? [...names.slice(0, 6), "…"] : names;
  const rows = [
    checked(Boolean(station.name?.zh || station.name?.en), say("c.name")),
    checked(Boolean(station.location), say("c.place")),
    checked(Boolean(station.hours), say("c.hours")),
    checked(items.length > 0, items.length ? say("c.places", { n: items.length }) : say("c.no_places")),
    checked(
      items.length > 0 && silent.length === 0,
      say("c.heard", { n: items.length - silent.length, of: items.length }),
      shown.length ? el("small", { text: say("c.never", { ids: shown.join(say.lang === "en" ? ", " : "、") }) }) : null,
    ),
  ];
  // Always so many lines: what stands below must not move under somebody's finger.
  if (fresh) rows.push(checked(useful.length === 0, useful.length ? say("c.waiting", { n: useful.length }) : say("c.used")));
  if (rows.every((row) => row.className === "done")) rows.push(checked(true, say("c.done")));
  return rows;
}
