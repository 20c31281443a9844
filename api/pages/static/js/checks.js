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

/** @param {Report} report */
function send(report) {
  const { station: _, ...body } = report;
  return fetch(`/api/v1/stations/${station}/checks`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
    referrerPolicy: "no-referrer",
    signal: AbortSignal.timeout(15000),
  }).catch(() => null);
}

let busy = false;

// Sends what is kept, one after the other, until one can't be.
async function flush() {
  if (busy) return;
  busy = true;
  try {
    for (const report of kept().filter((one) => one.station === station)) {
      const answer = await send(report);
      if (answer?.status === 401) {
        tell("链接已失效，请重新扫码；内容仍在手机里。 This link has ended: scan the code again. Nothing is lost.", true);
        return;
      }
      if (!answer || answer.status === 429 || answer.status >= 500) break;
      keep(kept().filter((one) => one.id !== report.id));
      if (answer.ok) mark(report.check, "已保存 ✓ Saved");
      else mark(report.check, "未被接受，请联系管理员。 Not accepted; tell the operator.", true);
    }
    const left = kept().filter((one) => one.station === station).length;
    tell(left ? `${left} 项等待网络，已存在手机里，请勿清除浏览数据。 ${left} waiting for the network, kept on this phone.` : "");
  } finally {
    busy = false;
  }
}

for (const form of document.querySelectorAll("form")) {
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
    for (const details of form.querySelectorAll("details")) details.open = false;
    void flush();
  });
}

setInterval(flush, AGAIN_MS);
for (const name of ["online", "pageshow", "focus"]) addEventListener(name, () => void flush());
document.addEventListener("visibilitychange", () => void flush());
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js").catch(() => null);
void flush();

document.documentElement.dataset.runs = "yes";
