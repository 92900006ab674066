/** Set while the page is loaded anew to be isolated: it is tried once. */
const TRIED = 'treadle-isolating';

/** What a visitor does to a page, so that it must not be loaded anew under their hand. */
const USES = ['pointerdown', 'keydown', 'drop'] as const;

/**
 * Starts the service worker: the page works offline from now on. On a host that does not isolate it, the page is loaded anew
 * once, through the service worker, which does, unless the visitor has begun to use it: then the next visit is isolated.
 */
export async function startOffline(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  let isUsed = false;
  const use = (): void => {
    isUsed = true;
  };
  for (const type of USES) addEventListener(type, use, { once: true, capture: true });
  try {
    await navigator.serviceWorker.register('./sw.js');
    await navigator.serviceWorker.ready;
  } catch {
    return; // A private window, or a file from disk: everything but this works there too.
  }
  if (crossOriginIsolated || isUsed || sessionStorage.getItem(TRIED) !== null) return;
  sessionStorage.setItem(TRIED, 'yes');
  location.reload();
}
