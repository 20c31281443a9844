// Listens through the server, and lists the devices heard with lines to copy. What devices say is only ever text here.

const form = /** @type {HTMLFormElement} */ (document.querySelector("form"));
const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
const result = /** @type {HTMLElement} */ (document.querySelector(".result"));
const found = /** @type {HTMLElement} */ (document.querySelector(".found"));
const entry = /** @type {any} */ (document.querySelector("template")).content.firstElementChild;

const REPORTS = {
  presence: "有人 presence",
  people: "人数 people",
  open: "开合 open",
  locked: "锁 locked",
  status: "状态 status",
  power_w: "功率 power",
  energy_wh: "电量 energy",
  relay: "继电器 relay",
  free: "空位 free",
  total: "总数 total",
  ready: "就绪 ready",
  battery_pct: "电池 battery",
  rssi_dbm: "信号 signal",
  fault: "故障 fault",
  firmware: "固件 firmware",
};
const WRONG = {
  401: "请先登录。 Please log in first.",
  403: "这个密钥没有权限，需要 operator。 This needs an operator's key.",
  409: "有人正在听，请稍后再试。 Somebody is listening already; try again soon.",
  503: "连不上消息总线。 The broker can't be reached.",
};

function tell(text, bad = false) {
  result.textContent = text;
  result.classList.toggle("bad", bad);
}

// Over plain http, or without leave, the clipboard is closed to pages; then the old way, by selecting.
async function copy(code) {
  const written = await navigator.clipboard?.writeText(code.textContent).then(() => true, () => false);
  if (written) return true;
  getSelection()?.selectAllChildren(code);
  return document.execCommand("copy");
}

function line(text) {
  const box = document.createElement("div");
  const code = document.createElement("code");
  const press = document.createElement("button");
  box.className = "line";
  code.textContent = text;
  press.type = "button";
  press.textContent = "复制 Copy";
  press.addEventListener("click", async () => {
    const done = await copy(code).then(
      () => true,
      () => false,
    );
    press.classList.toggle("done", done);
    press.textContent = done ? "已复制 Copied" : "请手动复制 Select";
  });
  box.append(code, press);
  return box;
}

function show(device) {
  const item = entry.cloneNode(true);
  item.querySelector("b").textContent = device.dialect;
  item.querySelector("code").textContent = device.topic;
  const told = device.reports.map((one) => REPORTS[one] ?? one).join("、") || "没有可用的内容 nothing a resource could use";
  item.querySelector(".what").textContent = `${told}　${device.messages} 条 messages${device.configured ? "　已配置 configured" : ""}`;
  if (!device.configured) item.append(...device.lines.map(line));
  return item;
}

async function listen(seconds) {
  const answer = await fetch(`/api/v1/discover?seconds=${seconds}`).catch(() => null);
  if (!answer?.ok) return tell(WRONG[answer?.status] ?? "服务器没有回答。 No answer from the server.", true);
  const { devices } = await answer.json();
  const fresh = devices.filter((one) => !one.configured);
  found.replaceChildren(...fresh.map(show), ...devices.filter((one) => one.configured).map(show));
  tell(
    `听到 ${devices.length} 台设备，其中 ${fresh.length} 台未配置。 ${devices.length} devices heard, ${fresh.length} not configured yet.`,
  );
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const seconds = Number(new FormData(form).get("seconds"));
  const end = performance.now() + seconds * 1000;
  const count = () => tell(`正在听… ${Math.max(0, Math.ceil((end - performance.now()) / 1000))} s  Listening`);
  button.disabled = true;
  found.replaceChildren();
  count();
  const ticking = setInterval(count, 500);
  await listen(seconds).finally(() => clearInterval(ticking));
  button.disabled = false;
});

document.documentElement.dataset.runs = "yes"; // see too-old.js
