/**
 * Makes the page work offline after the first visit, and gives every answer the headers that isolate the page, for hosts that
 * cannot: only so may it share memory between threads. The build puts FILES and VERSION before this.
 */
declare const FILES: readonly string[];
declare const VERSION: string;
declare const self: ServiceWorkerGlobalScope;

const KEPT = `treadle-${VERSION}`;

self.addEventListener('install', (event) => {
  event.waitUntil(
    (async () => {
      const kept = await caches.open(KEPT);
      await kept.addAll(['./', ...FILES.filter((name) => name !== 'index.html')]);
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys())
        if (name.startsWith('treadle-') && name !== KEPT) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  event.respondWith(answer(request, url));
});

/** What is kept, or else what the host says, which is kept then. */
async function answer(request: Request, url: URL): Promise<Response> {
  const kept = await caches.open(KEPT);
  const address =
    request.mode === 'navigate' ? new URL('./', self.location.href).href : url.href.split('#')[0]!;
  const found = await kept.match(address);
  if (found !== undefined) return isolated(found);
  const fetched = await fetch(request);
  if (fetched.ok && fetched.status === 200) {
    try {
      await kept.put(address, fetched.clone());
    } catch {
      // The browser has no room for it: the page has its answer all the same.
    }
  }
  return isolated(fetched);
}

/** The same answer with the headers that isolate a page. */
function isolated(response: Response): Response {
  const headers = new Headers(response.headers);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

export {};
