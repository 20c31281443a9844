// Makes a passkey. All else on the page works without script.

import { known, made, tell } from "./passkeys.js";

const button = /** @type {HTMLButtonElement | null} */ (document.querySelector(".add-passkey"));
const result = /** @type {HTMLElement} */ (document.querySelector(".passkeys .result"));
/** @type {Record<string, {refused: string, failed: string}>} */
const WORDS = {
  "zh-Hans": { refused: "没有添加：取消了，或这台设备上已经有了。", failed: "没有添加，请重试。" },
  "zh-Hant": { refused: "沒有加入：取消了，或這臺裝置上已經有了。", failed: "沒有加入，請重試。" },
  en: { refused: "Not added: it was cancelled, or this device has one already.", failed: "Not added: try again." },
};
const words = WORDS[document.documentElement.lang] ?? WORDS["zh-Hans"];

async function add() {
  result.textContent = "";
  const { status, told } = await tell("/account/passkeys/options", {});
  if (status !== 200) return failed(told?.detail ?? words.failed);
  const credential = await made(told).catch(() => null);
  if (credential === null) return failed(words.refused);
  const kept = await tell("/account/passkeys", { credential });
  if (kept.status !== 201) return failed(kept.told?.detail ?? words.failed);
  location.reload();
}

function failed(/** @type {string} */ text) {
  result.textContent = text;
}

if (button && known()) {
  button.hidden = false;
  button.addEventListener("click", add);
}
