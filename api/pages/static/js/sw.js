// A page that was open once opens again without a network: it then shows its last picture, marked as old.
// Only the shell is kept. Data is never cached here: the page itself decides what is still true.

const CACHE = "yizhan-shell";
const SHELL = /^\/(static\/|screen\/|m\/|c\/)/;

const worker = /** @type {any} */ (self); // a page's types are checked, not a worker's

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin || !SHELL.test(url.pathname)) return;
  event.respondWith(url.pathname.startsWith("/static/") ? kept(event.request) : fresh(event.request));
});

// The URL of a static file names its build: what is kept is right.
async function kept(request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(request)) ?? store(cache, request, await fetch(request));
}

async function fresh(request) {
  const cache = await caches.open(CACHE);
  try {
    return store(cache, request, await fetch(request, { signal: AbortSignal.timeout(5000) }));
  } catch {
    return (await cache.match(request)) ?? Response.error();
  }
}

async function store(cache, request, response) {
  if (!response.ok) return response;
  const build = /^\/static\/(\w+)\//.exec(new URL(request.url).pathname)?.[1];
  if (build)
    for (const old of await cache.keys())
      if (old.url.includes("/static/") && !old.url.includes(`/static/${build}/`)) await cache.delete(old);
  await cache.put(request, response.clone());
  return response;
}
