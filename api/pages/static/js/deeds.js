// What staff do, each with how it is taken back. Every deed answers {ok, why, undo}: `why` is the server's sentence when it refused.

const API = "/api/v1";

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<{ok: boolean, why: string, told: any}>}
 */
async function send(method, path, body = {}) {
  const answer = await fetch(API + path, {
    method,
    credentials: "same-origin",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  }).catch(() => null);
  const told = await answer?.json().catch(() => null);
  return { ok: answer?.ok === true, why: answer?.ok ? "" : (told?.detail ?? ""), told };
}

// null when it can't be had
export const get = (/** @type {string} */ url) =>
  fetch(url, { credentials: "same-origin" })
    .then((r) => (r.ok ? r.json() : null))
    .catch(() => null);

const post = (/** @type {string} */ path, /** @type {object} */ body = {}) => send("POST", path, body);
const name = encodeURIComponent;
const alertStep = (/** @type {any} */ { alert }, /** @type {string} */ step, /** @type {object} */ body = {}) =>
  post(`/alerts/${name(alert.id)}/${step}`, body);
const orderStep = (/** @type {any} */ { order }, /** @type {string} */ step) => post(`/orders/${name(order.id)}/${step}`);
const undoAlert = (/** @type {any} */ item) => () => alertStep(item, "undo");
const undoOrder = (/** @type {any} */ order) => () => post(`/orders/${name(order.id)}/undo`);

// An order for myself, accepted at once; taking it back withdraws it.
async function takeOn(/** @type {any} */ item, /** @type {string} */ me) {
  const given = await post("/orders", item.alert ? { alert: item.alert.id, assignee: me } : { station: item.station, title: item.title, assignee: me });
  if (!given.ok) return { ...given, undo: null };
  const undo = undoOrder(given.told);
  return withUndo(post(`/orders/${name(given.told.id)}/accept`), () => async () => {
    await undo();
    return undo();
  });
}

async function withUndo(/** @type {Promise<any>} */ asked, /** @type {(told: any) => (() => Promise<any>) | null} */ undo) {
  const answer = await asked;
  return { ...answer, undo: answer.ok ? undo(answer.told) : null };
}

// The pile's own no is no success.
async function pileDeed(/** @type {any} */ { station, device }, /** @type {string} */ deed) {
  const answer = await post(`/stations/${name(station)}/piles/${name(device)}`, { do: deed });
  const said = answer.told?.error?.code ?? answer.told?.result?.status;
  const refused = answer.ok && (answer.told?.error || ["Rejected", "UnlockFailed", "NotSupported"].includes(said));
  return refused ? { ...answer, ok: false, why: said } : answer;
}

/** @type {Record<string, (item: any) => () => Promise<any>>} */
const BACK_AT_PILE = {
  out_of_service: (item) => () => pileDeed(item, "in_service"),
  in_service: (item) => () => pileDeed(item, "out_of_service"),
};

// item: {alert, order, station, resource} as in items.js; given: what the form holds.
/** @type {Record<string, (item: any, given: any) => Promise<{ok: boolean, why: string, undo: (() => Promise<any>) | null}>>} */
const DEEDS = {
  acknowledge: (item) => withUndo(alertStep(item, "acknowledge"), () => undoAlert(item)),
  close: (item, { text }) => withUndo(alertStep(item, "close", text ? { text } : {}), () => undoAlert(item)),
  comment: (item, { text }) => withUndo(alertStep(item, "comment", { text }), () => null), // said is said
  mute: (item, { until }) => withUndo(alertStep(item, "mute", { until }), () => undoAlert(item)),
  order: (item, { assignee, title }) =>
    withUndo(post("/orders", item.alert ? { alert: item.alert.id, assignee } : { station: item.station, resource: item.resource, title, assignee }), undoOrder),
  accept: (item, { me }) => (item.order ? withUndo(orderStep(item, "accept"), undoOrder) : takeOn(item, me)),
  done: (item) => withUndo(orderStep(item, "done"), undoOrder),
  verify: (item) => withUndo(orderStep(item, "verify"), undoOrder),
  pile: (item, { deed }) => withUndo(pileDeed(item, deed), () => BACK_AT_PILE[deed]?.(item) ?? null),
  override: (item, { status, until, resource = item.resource, area }) =>
    override(item.station, { status, until, ...(resource ? { resource } : area ? { area } : {}) }),
};

/** @type {(what: string, item: any, given?: any) => Promise<{ok: boolean, why: string, undo: (() => Promise<any>) | null}>} */
export const act = (what, item, given = {}) => DEEDS[what](item, given);

// What is set by hand at a station; null when it can't be asked.
export async function wordsAt(/** @type {string} */ station) {
  return (await get(`${API}/stations/${name(station)}/override`))?.words ?? null;
}

// Undo sets again what stood there before, or takes back what was set.
async function override(/** @type {string} */ station, /** @type {any} */ word) {
  const path = `/stations/${name(station)}/override`;
  const same = (/** @type {any} */ one) => (one.resource ?? null) === (word.resource ?? null) && (one.area ?? null) === (word.area ?? null);
  const before = ((await wordsAt(station)) ?? []).filter((/** @type {any} */ one) => same(one) && !one.partner && one.until);
  const place = word.resource ? { resource: word.resource } : word.area ? { area: word.area } : {};
  const back = async () => {
    let answer = await send("PUT", path, place);
    for (const { status, until, note } of before) answer = await send("PUT", path, { ...place, status, until, note });
    return answer;
  };
  const wanted = word.status ? { ...place, status: word.status, until: word.until } : place;
  return withUndo(send("PUT", path, wanted), () => back);
}

// The ends that can be chosen, in hours; `day` is until midnight where the station is, so it is worked out by whoever knows that.
export const ENDS = [1, 4, 12, 24, 72, 168];
export const endIn = (/** @type {number} */ hours, /** @type {number} */ now) => new Date(now + hours * 36e5).toISOString();
