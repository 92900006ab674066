import type { BuildName } from '../core/builds.js';
import { describeKernels, type Kernels, parseKernels } from '../core/kernels.js';

/** Where a page keeps the kernels that it has found: they hold for its browser's version. */
const KEY = 'treadle-kernels';

/** What a page has to keep texts in; reading it throws where the user allows no storage. */
function storage() {
  return (
    globalThis as {
      localStorage?: { getItem(key: string): string | null; setItem(key: string, value: string): void };
    }
  ).localStorage;
}

function browser(): string {
  return (globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent ?? '';
}

/** The kernels that this browser was found to run a build fastest with; null where that is not known. */
export function keptKernels(build: BuildName): Kernels | null {
  try {
    const kept = JSON.parse(storage()?.getItem(KEY) ?? '{}') as { browser?: unknown } & Record<
      string,
      unknown
    >;
    return (kept.browser === browser() && parseKernels(String(kept[build] ?? ''))) || null;
  } catch {
    return null;
  }
}

/** Keeps them. Where nothing can be kept they are found anew each time. */
export function keepKernels(build: BuildName, kernels: Kernels): void {
  try {
    const kept = JSON.parse(storage()?.getItem(KEY) ?? '{}') as { browser?: unknown };
    const others = kept.browser === browser() ? kept : {};
    storage()?.setItem(
      KEY,
      JSON.stringify({ ...others, browser: browser(), [build]: describeKernels(kernels) }),
    );
  } catch {
    // Calibration costs no more than before.
  }
}
