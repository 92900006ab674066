import { relaxedSimd, simd, threads } from 'wasm-feature-detect';
import { TreadleError } from '../errors/errors.js';
import { problem } from '../errors/problem.js';

/** What tells a build of the core from the others: compiler flags only, the source is one. */
export interface Build {
  /** Uses relaxed SIMD: faster, and its last bits are left to the processor. */
  readonly relaxed: boolean;
  /** Has shared memory, so that helper threads can join. */
  readonly threads: boolean;
  /** Optimised; the debug build checks every precondition instead. */
  readonly optimized: boolean;
}

/** Every build, by its name: `build/<name>.wasm`. */
export const BUILDS = {
  debug: { relaxed: false, threads: false, optimized: false },
  simd: { relaxed: false, threads: false, optimized: true },
  relaxed: { relaxed: true, threads: false, optimized: true },
  'simd-mt': { relaxed: false, threads: true, optimized: true },
  'relaxed-mt': { relaxed: true, threads: true, optimized: true },
} as const satisfies Record<string, Build>;
export type BuildName = keyof typeof BUILDS;
/** The names of all builds. */
export const BUILD_NAMES = Object.keys(BUILDS) as readonly BuildName[];

/**
 * What may be asked for. `auto`: the fastest that the engine can run. `strict`: the fastest without relaxed operations,
 * whose results WebAssembly leaves to the engine; its weights are the same bytes on every engine and machine.
 */
export type BuildChoice = 'auto' | 'strict' | BuildName;
/** All that may be asked for: see {@link BuildChoice}. */
export const BUILD_CHOICES: readonly BuildChoice[] = ['auto', 'strict', ...BUILD_NAMES];

/** What the JavaScript engine offers to WebAssembly. */
export interface EngineFeatures {
  simd: boolean;
  relaxedSimd: boolean;
  /** Shared memory and atomics; in a browser only on a cross-origin isolated page. */
  threads: boolean;
}

/** Asked once: each time, the probe of threads leaves a message channel open, and no flag changes its answer. */
let shared: Promise<boolean> | undefined;

/**
 * Probes the engine; each probe validates a small module, none runs.
 *
 * @example if ((await detectFeatures()).threads) console.log('helper threads can be had');
 */
export async function detectFeatures(): Promise<EngineFeatures> {
  shared ??= threads();
  const [hasSimd, hasRelaxed, hasThreads] = await Promise.all([simd(), relaxedSimd(), shared]);
  return { simd: hasSimd, relaxedSimd: hasRelaxed, threads: hasThreads };
}

/** What a build asks of the engine. */
export function needs(build: BuildName): (keyof EngineFeatures)[] {
  const features: (keyof EngineFeatures)[] = ['simd'];
  if (BUILDS[build].relaxed) features.push('relaxedSimd');
  if (BUILDS[build].threads) features.push('threads');
  return features;
}

const FEATURE_WORDS: Record<keyof EngineFeatures, string> = {
  simd: 'WebAssembly SIMD',
  relaxedSimd: 'WebAssembly relaxed SIMD',
  threads: 'WebAssembly threads (shared memory)',
};

/** What `auto` and `strict` try before `simd`, the fastest first. */
const PREFERRED: Record<'auto' | 'strict', BuildName[]> = {
  auto: ['relaxed-mt', 'relaxed', 'simd-mt'],
  strict: ['simd-mt'],
};

/**
 * The build to load for what is asked for, one of BUILD_CHOICES, of those that there are.
 * Throws `engine` when the engine lacks what the build needs, `usage` for a name that is not a choice.
 */
export function chooseBuild(
  wanted: string,
  features: EngineFeatures,
  available: readonly BuildName[] = BUILD_NAMES,
): BuildName {
  if (wanted === 'auto' || wanted === 'strict') {
    const able = PREFERRED[wanted].find(
      (build) => available.includes(build) && lacking(build, features).length === 0,
    );
    return able ?? chooseBuild('simd', features);
  }
  const build = available.find((name) => name === wanted);
  if (build === undefined) {
    throw problem('usage', {
      subject: 'build',
      found: `'${wanted}'`,
      expected: `one of ${['auto', 'strict', ...available].join(', ')}`,
    });
  }
  const missing = lacking(build, features);
  if (missing.length > 0) {
    const expected = missing.map((feature) => FEATURE_WORDS[feature]).join(' and ');
    throw new TreadleError(
      'engine',
      `The build '${build}' needs ${expected}, which this JavaScript engine does not have.`,
      {
        subject: build,
        found: features,
        expected,
      },
    );
  }
  return build;
}

function lacking(build: BuildName, features: EngineFeatures): (keyof EngineFeatures)[] {
  return needs(build).filter((feature) => !features[feature]);
}
