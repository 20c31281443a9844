// Logs in without leaving the page, so that a wrong key is told here. Without script the form works by itself.

const form = document.querySelector("form");
const result = document.querySelector(".result");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  result.textContent = "";
  const answer = await fetch("/login", { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "manual" }).catch(
    () => null,
  );
  if (answer && (answer.ok || answer.type === "opaqueredirect")) return location.assign("/");
  result.className = "result bad";
  result.textContent =
    answer?.status === 401 ? "密钥不对、已过期或已撤销。 Unknown, expired or revoked key." : "服务器没有回答。 No answer from the server.";
});
