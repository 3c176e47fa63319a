// Keep the page for times without a network. The todos are in IndexedDB.

const CACHE = "page";

/** Keep the page and the files that it names. */
async function keep() {
  const page = await fetch("/");
  const files = [...(await page.clone().text()).matchAll(/(?:src|href)="(\/[^"]+)"/g)];
  const cache = await caches.open(CACHE);
  await cache.addAll(files.map(([, path]) => path));
  await cache.put("/", page);
}

async function answer(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match(request.mode === "navigate" ? "/" : request, { ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
}

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  const isOfThePage = origin === location.origin && !pathname.startsWith("/api/");
  if (request.method !== "GET" || !isOfThePage) return;
  event.respondWith(answer(request));
  if (request.mode === "navigate") event.waitUntil(keep().catch(() => {})); // it may be a newer page
});
