import { describe, expect, it } from 'vitest';
import { chooseBuild, createMemory, loadCore, measurePeak, TreadleError } from '../../dist/bindings/host.js';
import { cores } from './support.js';

const all = { simd: true, relaxedSimd: true, threads: true };

describe('the build is', () => {
  it.each([
    [all, 'relaxed-mt'],
    [{ ...all, threads: false }, 'relaxed'],
    [{ ...all, relaxedSimd: false }, 'simd-mt'],
    [{ simd: true, relaxedSimd: false, threads: false }, 'simd'],
  ])('the fastest that the engine can run: %o -> %s', (features, build) => {
    expect(chooseBuild('auto', features)).toBe(build);
    expect(chooseBuild('debug', features)).toBe('debug');
  });

  it.each([
    [all, 'simd-mt'],
    [{ ...all, relaxedSimd: false }, 'simd-mt'],
    [{ ...all, threads: false }, 'simd'],
    [{ simd: true, relaxedSimd: false, threads: false }, 'simd'],
  ])('in strict mode the fastest without relaxed operations: %o -> %s', (features, build) => {
    expect(chooseBuild('strict', features)).toBe(build);
  });

  it.each([
    ['auto', { simd: false, relaxedSimd: false, threads: false }, 'engine', 'needs WebAssembly SIMD, which'],
    ['strict', { simd: false, relaxedSimd: false, threads: true }, 'engine', 'needs WebAssembly SIMD, which'],
    [
      'relaxed-mt',
      { simd: true, relaxedSimd: false, threads: false },
      'engine',
      'relaxed SIMD and WebAssembly threads',
    ],
    ['fast', all, 'usage', "build is 'fast'; one of auto, strict, debug, simd"],
  ])('refused: %s', (wanted, features, code, words) => {
    let error: unknown;
    try {
      chooseBuild(wanted, features);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(TreadleError);
    expect((error as TreadleError).code).toBe(code);
    expect((error as TreadleError).message).toContain(words);
  });

  it('taken from TREADLE_BUILD where nothing else is asked for', async () => {
    process.env.TREADLE_BUILD = 'simd';
    try {
      expect((await loadCore()).build).toBe('simd');
      expect((await loadCore({ build: 'debug' })).build).toBe('debug');
      expect((await loadCore({ build: 'strict' })).build).toBe('simd-mt');
    } finally {
      delete process.env.TREADLE_BUILD;
    }
  });
});

it('a build takes nothing but memory and a way to sleep from its host, so that no mathematics of an engine is in its results', () => {
  for (const { build, module } of cores) {
    const names = WebAssembly.Module.imports(module).map(({ name }) => name);
    const own = build === 'debug' ? ['abort'] : build.endsWith('-mt') ? ['nap'] : [];
    expect(names, build).toEqual([...own, 'memory']);
  }
});

it('memory over 4 GiB is refused', () => {
  expect(() => createMemory('simd', 2 ** 32 + 1)).toThrow('at most 4 GiB');
});

it('the measured peak is a number, and every product a share of it', () => {
  const { peakGflops, gemm } = measurePeak(cores[1]!, [{ form: 'TN', m: 20, n: 30, k: 40 }]);
  expect(peakGflops).toBeGreaterThan(0);
  expect(gemm[0]!.peakFraction).toBeCloseTo(gemm[0]!.gflops / peakGflops, 12);
});
