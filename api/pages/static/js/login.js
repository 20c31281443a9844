// Logs in without leaving the page, so that a wrong key is told here. Without script the form works by itself.

import { known, tell, used } from "./passkeys.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector("form"));
const result = /** @type {HTMLElement} */ (document.querySelector("form .result"));

// Where one came from, if that is a page of ours. The whole address: a path alone may begin with //, which is a host.
function next() {
  const wanted = new URLSearchParams(location.search).get("next") ?? "/";
  const url = new URL(wanted, location.origin);
  return url.origin === location.origin ? url.href : "/";
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  result.textContent = "";
  const answer = await fetch("/login", { method: "POST", body: new URLSearchParams(/** @type {any} */ (new FormData(form))), redirect: "manual" }).catch(
    () => null,
  );
  if (answer && (answer.ok || answer.type === "opaqueredirect")) return location.assign(next());
  result.className = "result bad";
  result.textContent =
    { 401: "密钥不对、已过期或已撤销。 Unknown, expired or revoked key.", 429: "错误次数太多，请稍后再试。 Too many wrong keys; try again in a moment." }[answer?.status] ??
    "服务器没有回答。 No answer from the server.";
});

async function byPasskey() {
  result.textContent = "";
  result.className = "result bad";
  const { status, told } = await tell("/login/passkey/options", {});
  const credential = status === 200 ? await used(told).catch(() => null) : null;
  if (credential === null) {
    result.textContent = "没有登录：取消了，或这里没有您的通行密钥。 Not logged in: cancelled, or there is no passkey of yours.";
    return;
  }
  const answer = await tell("/login/passkey", { credential });
  if (answer.status === 200) return location.assign(next());
  result.textContent =
    { 401: "没有登录：这把通行密钥在这里无效。 Not logged in: this passkey is not good here.", 429: "错误次数太多，请稍后再试。 Too many failures; try again in a moment." }[
      answer.status
    ] ?? "服务器没有回答。 No answer from the server.";
}

const passkey = /** @type {HTMLButtonElement} */ (document.querySelector(".by-passkey"));
if (passkey.dataset.can === "yes" && known()) {
  passkey.hidden = false;
  passkey.addEventListener("click", byPasskey);
}

document.documentElement.dataset.runs = "yes"; // see too-old.js
