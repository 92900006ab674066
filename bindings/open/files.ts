import { BUILD_NAMES, type BuildName } from '../core/builds.js';

/**
 * Where each build lies beside the package's code. Bundlers copy the files that they find in exactly this form, so a page
 * has the builds that `auto` and `strict` choose from, and not the debug build.
 */
const FILES: Partial<Record<BuildName, () => URL>> = {
  simd: () => new URL('../../../build/simd.wasm', import.meta.url),
  relaxed: () => new URL('../../../build/relaxed.wasm', import.meta.url),
  'simd-mt': () => new URL('../../../build/simd-mt.wasm', import.meta.url),
  'relaxed-mt': () => new URL('../../../build/relaxed-mt.wasm', import.meta.url),
};

/** The builds that can be had: `treadle/inline` has fewer. */
export const AVAILABLE: readonly BuildName[] = BUILD_NAMES;

/** A build's address, or its bytes where the code itself holds them (`treadle/inline`). */
export function locate(build: BuildName): URL | Uint8Array {
  return FILES[build]?.() ?? new URL('debug.wasm', FILES.simd!());
}
