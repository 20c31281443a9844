// A partner venue sets its status by hand; it holds until its end, never for ever.

const form = /** @type {HTMLFormElement} */ (document.querySelector("form"));
const result = /** @type {HTMLElement} */ (document.querySelector(".result"));
const token = decodeURIComponent(location.pathname.split("/").at(-1) ?? "");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const until = new Date(Date.now() + Number(form.hours.value) * 36e5);
  const body = JSON.stringify({ status: form.status.value, until: until.toISOString() });
  const answer = await fetch("/api/v1/partner/override", {
    method: "PUT",
    headers: { "content-type": "application/json", "x-partner-token": token },
    body,
  }).catch(() => null);
  result.className = answer?.ok ? "result" : "result bad";
  const said = answer?.ok ? await answer.json() : null; // it may end earlier than asked: what holds is what is shown
  const clock = new Date(said?.until ?? until).toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit" });
  result.textContent = answer?.ok
    ? `已设定，到 ${clock} 为止。 Set until ${clock}.`
    : "没有成功，请检查链接。 That failed; check the link.";
});

document.documentElement.dataset.runs = "yes"; // see too-old.js
