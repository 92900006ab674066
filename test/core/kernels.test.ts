import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  DEFAULT_KERNELS,
  describeKernels,
  type GemmShape,
  type Kernels,
  loadCore,
  parseKernels,
  prepareProduct,
  revectorize,
} from '../../dist/bindings/host.js';
import { calibrate, suitKernels } from '../../dist/bindings/open/calibrate.js';
import { cores } from './support.js';

// That every choice of kernels trains to the same bytes is shown in compressed.test.ts.

afterEach(() => {
  vi.unstubAllEnvs();
});

const choices: [string, Kernels][] = [
  ['4x8/16', { tileHeight: 4, sparseWidth: 16 }],
  ['4x8/32', { tileHeight: 4, sparseWidth: 32 }],
  ['4x8/64', { tileHeight: 4, sparseWidth: 64 }],
  ['6x8/16', { tileHeight: 6, sparseWidth: 16 }],
  ['6x8/32', { tileHeight: 6, sparseWidth: 32 }],
  ['6x8/64', { tileHeight: 6, sparseWidth: 64 }],
];

describe('a choice of kernels', () => {
  it.each(choices)('is written %s', (text, kernels) => {
    expect(parseKernels(text)).toEqual(kernels);
    expect(describeKernels(kernels)).toBe(text);
  });

  it('is none where nothing is written', () => {
    expect(parseKernels(undefined)).toBeUndefined();
    expect(parseKernels('')).toBeUndefined();
  });

  it.each(['5x8/16', '4x8/8', '4x8', '4x16/16', ' 4x8/16', '4x8/160', '4X8/16'])(
    "is refused as '%s', with what is expected",
    (text) => {
      expect(() => parseKernels(text)).toThrow(
        expect.objectContaining({
          code: 'usage',
          message: `TREADLE_KERNELS is ${text}; 4x8 or 6x8, then /16, /32 or /64, is expected.`,
          subject: 'TREADLE_KERNELS',
          found: text,
        }),
      );
    },
  );
});

describe('a core is loaded', () => {
  it.each(choices)('with the kernels of TREADLE_KERNELS: %s', async (text, kernels) => {
    vi.stubEnv('TREADLE_KERNELS', text);
    expect((await loadCore({ build: 'simd' })).kernels).toEqual(kernels);
    expect((await loadCore({ build: 'debug' })).kernels).toEqual(kernels);
  });

  it('with the kernels asked for, before those of TREADLE_KERNELS', async () => {
    vi.stubEnv('TREADLE_KERNELS', '4x8/16');
    const kernels = { tileHeight: 6, sparseWidth: 32 } as const;
    expect((await loadCore({ build: 'simd', kernels })).kernels).toEqual(kernels);
  });

  it.each(choices)('and keeps the kernels asked for when it is compiled anew: %s', async (_, kernels) => {
    const core = await loadCore({ build: 'simd', kernels });
    expect(core.kernelsForced).toBe(true);
    expect((await suitKernels({ ...core, revectorized: true })).kernels).toEqual(kernels);
  });

  it('not at all with a TREADLE_KERNELS that is none', async () => {
    vi.stubEnv('TREADLE_KERNELS', 'fast');
    await expect(loadCore({ build: 'simd' })).rejects.toMatchObject({ code: 'usage', found: 'fast' });
  });

  it('with kernels found by calibration, or the default ones in the debug build', async () => {
    vi.stubEnv('TREADLE_KERNELS', '');
    const { kernels, revectorized } = await loadCore({ build: 'simd' });
    expect(choices.map(([text]) => text)).toContain(describeKernels(kernels));
    expect(revectorized).toBe(false);
    expect((await loadCore({ build: 'debug' })).kernels).toEqual(DEFAULT_KERNELS);
  });
});

it.each(cores)('calibration changes nothing but the kernels: $build', async (core) => {
  const { kernels, ...rest } = await calibrate(core);
  const { kernels: _, ...before } = core;
  expect(rest).toEqual(before);
  expect(choices.map(([, choice]) => choice)).toContainEqual(kernels);
});

it('calibration leaves a core as it is where the clock stands still', async () => {
  const [core] = cores;
  expect(await calibrate(core!, () => 0)).toBe(core);
});

describe.each(cores)('a prepared product in the build $build', (core) => {
  // Neither tile divides m, nor a panel n, nor a K-block k.
  const shape = { m: 23, n: 45, k: 300 };
  const forms: [GemmShape['form'], boolean][] = [
    ['NN', false],
    ['TN', false],
    ['NT', false],
    ['NN', true],
  ];
  const rows = Array.from({ length: shape.m }, (_, row) => row);

  it.each(forms)('%s is near float64, compressed: %s', (form, compressed) => {
    const unit = shape.k * 2 ** -24;
    for (const [text, kernels] of choices) {
      const product = prepareProduct(core, { form, ...shape }, { compressed, density: 0.5, kernels });
      product.pack();
      // C is zero until it is multiplied, and its elements are sums of about 150 products of up to 1/4 in size.
      expect(Math.min(...rows.map(product.rowError)), text).toBeGreaterThan(0.1);
      product.multiply();
      // A running f32 sum of k products, each of at most 1/4: |error| <= k u / (1 - k u) k / 4 (Higham, 3.1).
      const errors = rows.map(product.rowError);
      expect(Math.max(...errors), text).toBeLessThan(((unit / (1 - unit)) * shape.k) / 4);
      expect(Math.max(...errors), text).toBeGreaterThan(0);
    }
  });

  it('keeps the share of A that it is given', () => {
    for (const compressed of [false, true]) {
      const empty = prepareProduct(core, { form: 'NN', ...shape }, { compressed, density: 0 });
      empty.pack();
      empty.multiply();
      expect(Math.max(...rows.map(empty.rowError))).toBe(0);
    }
  });
});

describe('joining 128-bit operations', () => {
  const [major] = process.versions.node.split('.').map(Number);

  it.skipIf(major! >= 22)('leaves the core as it is where V8 cannot', async () => {
    for (const core of cores) expect(await revectorize(core)).toBe(core);
  });

  it('leaves the debug build as it is', async () => {
    const debug = cores.find(({ build }) => build === 'debug')!;
    expect(await revectorize(debug)).toBe(debug);
  });
});
