// A page that was open once opens again without a network: it then shows its last picture, marked as old.
// Only the shell is kept. Data is never cached here: what the server wrote into a page is marked as past before it is kept.

const CACHE = "yizhan-shell";
const SHELL = /^\/(static\/|screen\/|m$|m\/|c\/)/;

const PATIENCE_MS = 20_000; // a slow line brings a page in ten seconds

const worker = /** @type {any} */ (self); // a page's types are checked, not a worker's

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(begin()));

// The first visit came without us: its page is kept, too.
async function begin() {
  await worker.clients.claim();
  for (const client of await worker.clients.matchAll({ type: "window" })) await keepPage(client.url).catch(() => {});
}

async function keepPage(address) {
  if (!SHELL.test(new URL(address).pathname)) return;
  const cache = await caches.open(CACHE);
  const page = await fetch(address);
  const text = await page.clone().text();
  await store(cache, new Request(address), page);
  for (const [, file] of text.matchAll(/(?:src|href)="(\/static\/[^"]+)"/g)) await kept(new Request(file));
}

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
    return await store(cache, request, await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) }));
  } catch {
    return (await cache.match(nameOf(request), { ignoreSearch: asks(request) })) ?? Response.error();
  }
}

// /m is one page, whatever was asked there.
const asks = (request) => new URL(request.url).pathname === "/m";
const nameOf = (request) => (asks(request) ? new URL("/m", request.url).href : request);

async function store(cache, request, response) {
  if (!response.ok) return response;
  const build = /^\/static\/(\w+)\//.exec(new URL(request.url).pathname)?.[1];
  if (build)
    for (const old of await cache.keys())
      if (old.url.includes("/static/") && !old.url.includes(`/static/${build}/`)) await cache.delete(old);
  await cache.put(nameOf(request), build ? response.clone() : await asPast(response.clone()));
  return response;
}

// Without a single value that looks live.
async function asPast(response) {
  if (!/text\/html/.test(response.headers.get("content-type") ?? "")) return response;
  const text = (await response.text()).replace('<main class="first"', '<main class="first past"').replaceAll('data-usable="yes"', 'data-usable="unknown"');
  return new Response(text, { status: response.status, headers: response.headers });
}
