/** Set while the page is loaded anew to be isolated: it is tried once. */
const TRIED = 'treadle-isolating';

/**
 * Starts the service worker: the page works offline from now on. On a host that does not isolate it, the page is loaded anew
 * once, through the service worker, which does.
 */
export async function startOffline(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  try {
    await navigator.serviceWorker.register('./sw.js');
    await navigator.serviceWorker.ready;
  } catch {
    return; // A private window, or a file from disk: everything but this works there too.
  }
  if (crossOriginIsolated || sessionStorage.getItem(TRIED) !== null) return;
  sessionStorage.setItem(TRIED, 'yes');
  location.reload();
}
