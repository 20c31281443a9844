import { dropPhoto, keepPhoto, photosOf, scaled } from "./photos.js";

// What somebody found is kept on the phone until the server has it; without this script the same form is sent as it is.

/** @typedef {{station: string, id: string, check: string, at: string, result: string, note: string, expires?: string, count?: number}} Report */

const KEPT = "yizhan-checks";
const AGAIN_MS = 5000;
const station = document.documentElement.dataset.station ?? "";
const token = decodeURIComponent(location.pathname.split("/").at(-1) ?? "");
const waiting = /** @type {HTMLElement} */ (document.querySelector(".waiting"));

let memory = "[]"; // where the browser lets us keep nothing

/** @returns {Report[]} */
function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? memory);
  } catch {
    return JSON.parse(memory);
  }
}

/** @param {Report[]} reports */
function keep(reports) {
  memory = JSON.stringify(reports);
  try {
    localStorage.setItem(KEPT, memory);
  } catch {
    // then it lasts as long as the page
  }
}

// A random UUID; crypto.randomUUID is not there without https.
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** @param {string} text @param {boolean} [bad] */
function tell(text, bad = false) {
  waiting.textContent = text;
  waiting.hidden = text === "";
  waiting.className = bad ? "waiting bad" : "waiting";
}

/** @param {string} check @param {string} text @param {boolean} [bad] */
function mark(check, text, bad = false) {
  const item = /** @type {HTMLElement | null} */ (document.querySelector(`li[data-check="${check}"]`));
  const line = item?.querySelector(".said");
  if (!item || !line) return;
  line.textContent = text;
  line.className = bad ? "said bad" : "said";
  item.dataset.done = "";
}

/** @param {string} method @param {string} path @param {string} type @param {BodyInit} body @param {number} within_ms */
function bring(method, path, type, body, within_ms) {
  return fetch(`/api/v1/stations/${station}/checks${path}`, {
    method,
    headers: { "content-type": type, authorization: `Bearer ${token}` },
    body,
    referrerPolicy: "no-referrer",
    signal: AbortSignal.timeout(within_ms),
  }).catch(() => null);
}

/** @param {Report} report */
function send(report) {
  const { station: _, ...body } = report;
  return bring("POST", "", "application/json", JSON.stringify(body), 15000);
}

// Whether one can't be brought now, so that it and what follows wait. The link may have ended: that is told.
/** @param {Response | null} answer */
function waits(answer) {
  ended ||= answer?.status === 401;
  return !answer || answer.status === 401 || answer.status === 429 || answer.status >= 500;
}

const mine = () => kept().filter((one) => one.station === station);

// Reports first, one after the other, until one can't be brought.
async function sendReports() {
  for (const report of mine()) {
    const answer = await send(report);
    if (waits(answer)) return false;
    keep(kept().filter((one) => one.id !== report.id));
    if (answer?.ok) mark(report.check, "已保存 ✓ Saved");
    else mark(report.check, "未被接受，请联系管理员。 Not accepted; tell the operator.", true);
  }
  return true;
}

// Photos of reports that the server has.
async function sendPhotos() {
  for (const { id, check, photo } of await photosOf(station)) {
    if (mine().some((report) => report.id === id)) continue;
    const answer = await bring("PUT", `/${id}/photo`, "image/jpeg", photo, 60000);
    if (waits(answer)) return;
    await dropPhoto(id);
    mark(check, answer?.ok ? "已保存，照片也已保存 ✓ Saved, with its photo" : "照片未被接受。 The photo was not accepted.", !answer?.ok);
  }
}

let busy = false;
let ended = false;

async function flush() {
  if (busy) return;
  busy = true;
  ended = false;
  try {
    if (await sendReports()) await sendPhotos();
    const left = new Set([...mine(), ...(await photosOf(station))].map((one) => one.id)).size;
    const waiting = `${left} 项等待网络，已存在手机里，请勿清除浏览数据。 ${left} waiting for the network, kept on this phone.`;
    if (ended) tell("链接已失效，请重新扫码；内容仍在手机里。 This link has ended: scan the code again. Nothing is lost.", true);
    else tell(left ? waiting : "");
  } finally {
    busy = false;
  }
}

/** @type {Map<HTMLFormElement, Promise<Blob | null>>} */
const chosen = new Map();

// A photo is made small while somebody still looks at the thing.
/** @param {HTMLFormElement} form */
function takePhotos(form) {
  const label = /** @type {HTMLElement | null} */ (form.querySelector(".photo"));
  const input = /** @type {HTMLInputElement | null} */ (form.querySelector('input[type="file"]'));
  if (!label || !input) return;
  label.hidden = false;
  input.addEventListener("change", () => {
    const file = input.files?.[0];
    if (file) chosen.set(form, scaled(file));
    else chosen.delete(form);
    showChosen(label, Boolean(file));
  });
}

/** @param {HTMLElement} label @param {boolean} is */
function showChosen(label, is) {
  label.toggleAttribute("data-chosen", is);
  const text = label.querySelector("b");
  if (text) text.textContent = is ? "已拍 ✓ 随结果保存" : "拍照";
}

// The report is kept before this, so that nothing waits for a photo.
/** @param {HTMLFormElement} form @param {Report} report */
async function keepChosen(form, report) {
  const photo = chosen.get(form);
  if (!photo) return;
  chosen.delete(form);
  for (const input of form.querySelectorAll('input[type="file"]')) /** @type {HTMLInputElement} */ (input).value = "";
  for (const label of form.querySelectorAll(".photo")) showChosen(/** @type {HTMLElement} */ (label), false);
  const blob = await photo;
  if (blob) await keepPhoto({ id: report.id, station, check: report.check, photo: blob });
  else mark(report.check, "照片不能读取，其余照常发送。 The photo can't be read; the rest is sent.", true);
}

for (const form of document.querySelectorAll("form")) {
  takePhotos(form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = /** @type {HTMLButtonElement | null} */ (/** @type {SubmitEvent} */ (event).submitter);
    const given = new FormData(form);
    /** @type {Report} */
    const report = {
      station,
      id: uuid(),
      check: String(given.get("check")),
      at: new Date().toISOString(),
      result: button?.value ?? "ok",
      note: String(given.get("note") ?? "").slice(0, 300),
    };
    const expires = given.get("expires");
    const count = given.get("count");
    if (expires) report.expires = String(expires);
    if (count) report.count = Number(count);
    keep([...kept(), report]);
    mark(report.check, report.result === "ok" ? "正常，发送中… OK, sending" : "已记录问题，发送中… Noted, sending");
    for (const details of form.querySelectorAll("details[open]")) {
      /** @type {HTMLDetailsElement} */ (details).open = false;
      details.querySelector("summary")?.focus(); // what had the focus is not to be seen any more
    }
    void keepChosen(form, report).then(flush);
  });
}

setInterval(flush, AGAIN_MS);
for (const name of ["online", "pageshow", "focus"]) addEventListener(name, () => void flush());
document.addEventListener("visibilitychange", () => void flush());
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js").catch(() => null);
void flush();

document.documentElement.dataset.runs = "yes";
