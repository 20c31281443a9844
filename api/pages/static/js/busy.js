// Busy hours: fetched when one comes near to them. Without script a link leads to the same on a page of its own.

import { $ } from "./draw.js";

export function showBusy() {
  const section = $(".busy");
  const link = /** @type {HTMLAnchorElement} */ ($("a", section));
  const watch = new IntersectionObserver(async (seen) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    watch.disconnect();
    const answer = await fetch(link.href).catch(() => null);
    if (!answer?.ok) return; // the link stays
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const told = page.querySelector(".busy");
    if (told) section.replaceWith(document.adoptNode(told));
  });
  watch.observe(section);
}
