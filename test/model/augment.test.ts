import { describe, expect, it } from 'vitest';
import { createModel, type FitOptions, loadCore, mlp } from '../../dist/index.js';
import { uniform } from '../core/support.js';
import { failure } from '../support/errors.js';
import { trained } from './support.js';

// Images that are changed before each step. What the change itself is, test/kernels/augment.spec.ts compares with its twin.

const [HEIGHT, WIDTH] = [6, 7];
const next = uniform(3);
const images = Uint8Array.from({ length: 60 * HEIGHT * WIDTH }, () => (next() < 0.4 ? 0 : 255 * next()));
const labels = Array.from({ length: 60 }, (_, row) => row % 3);
const data = { x: images, y: labels };
const mirrored = {
  x: images.map((_, at) => {
    const column = at % WIDTH;
    return images[at - column + WIDTH - 1 - column]!;
  }),
  y: labels,
};
const SPEC = mlp({
  inputs: HEIGHT * WIDTH,
  hidden: [40, 24],
  outputs: 3,
  norm: true,
  dropout: 0.2,
  inputType: 'u8',
  shape: [HEIGHT, WIDTH],
});
const MOVES = { share: 0.7, rotation: 20, zoom: 0.1, aspect: 0.1, shear: 0.1, shift: 1 };
const OPTIONS: FitOptions = { epochs: 4, batchSize: 16, validation: 0.2 };

async function outcome(options: FitOptions, given: Parameters<typeof fit>[0] = data, more = {}) {
  return fit(given, options, more);
}
async function fit(given: typeof data | (typeof data)[], options: FitOptions, more: object) {
  const model = await createModel(SPEC, { seed: 5, ...more });
  return trained(model, await model.fit(given as never, options));
}

describe('augment', () => {
  it('that changes no image trains to the bytes of none', async () => {
    const plain = await outcome(OPTIONS);
    for (const augment of [{ share: 0 }, { flip: 0 }, {}, { ...MOVES, share: 0 }, { ...MOVES, until: 0 }])
      expect((await outcome({ ...OPTIONS, augment })).equals(plain)).toBe(true);
  });

  it('that flips all images trains to the bytes of mirrored ones', async () => {
    const options = { ...OPTIONS, validation: data };
    const expected = await outcome(options, mirrored);
    expect((await outcome({ ...options, augment: { flip: 1, share: 0 } })).equals(expected)).toBe(true);
    expect((await outcome({ ...options, augment: { ...MOVES, flip: 1, until: 0 } })).equals(expected)).toBe(
      true,
    );
  });

  it('moves images until its share of the epochs is over, and differs from epoch to epoch', async () => {
    const whole = await outcome({ ...OPTIONS, augment: MOVES });
    expect((await outcome({ ...OPTIONS, augment: { ...MOVES, until: 1 } })).equals(whole)).toBe(true);
    const half = await outcome({ ...OPTIONS, augment: { ...MOVES, until: 0.5 } });
    expect(half.equals(whole)).toBe(false);
    // The epochs before are the same.
    const losses = async (until: number) => {
      const model = await createModel(SPEC, { seed: 5 });
      const { epochs } = await model.fit(data, { ...OPTIONS, augment: { ...MOVES, until } });
      return epochs.map(({ trainLoss }) => trainLoss);
    };
    const [one, other] = [await losses(1), await losses(0.5)];
    expect(one.slice(0, 2)).toEqual(other.slice(0, 2));
    expect(one[2]).not.toBe(other[2]);
  });

  it('gives the same bytes with 1, 2 and 3 threads, and in a worker', async () => {
    const core = await loadCore({ build: 'simd-mt' });
    const options = { ...OPTIONS, augment: { ...MOVES, flip: 0.5 } };
    const one = await outcome(options, data, { core });
    for (const threads of [2, 3])
      expect((await outcome(options, data, { core, threads })).equals(one)).toBe(true);
    const here = await createModel(SPEC, { seed: 5, core });
    await here.fit(data, options);
    const there = await createModel(SPEC, { seed: 5, core, worker: true });
    await there.fit(data, options);
    expect(await there.save()).toEqual(here.save());
    there.dispose();
  });

  it.each(['resident', 'streamed'])('goes on to the same bytes: %s', async (how) => {
    const batches = [0, 20, 40].map((from) => ({
      x: images.subarray(from * HEIGHT * WIDTH, (from + 20) * HEIGHT * WIDTH),
      y: labels.slice(from, from + 20),
    }));
    const given = how === 'resident' ? data : (batches as never);
    const { validation: _, batchSize, ...rest } = OPTIONS;
    const options = {
      ...rest,
      ...(how === 'resident' && { batchSize }),
      epochs: 6,
      augment: { ...MOVES, flip: 0.5, until: 0.7 },
    };
    const steady = await createModel(SPEC, { seed: 5 });
    await steady.fit(given, options);
    const checkpoints: Parameters<NonNullable<FitOptions['onCheckpoint']>>[0][] = [];
    const first = await createModel(SPEC, { seed: 5 });
    await first.fit(given, { ...options, onCheckpoint: (one) => void checkpoints.push(one) });
    const second = await createModel(SPEC, { seed: 5 });
    await second.fit(given, { ...options, checkpoint: checkpoints[2]! });
    expect(second.save()).toEqual(steady.save());
  });

  it('works out the statistics of averaged weights from images that are flipped as in training', async () => {
    const options: FitOptions = {
      ...OPTIONS,
      average: { type: 'last', epochs: 2 },
      augment: { flip: 0, share: 0 },
    };
    const { augment: _, ...plain } = options;
    expect((await outcome(options)).equals(await outcome(plain))).toBe(true);
  });

  it.each<[string, string, unknown]>([
    ['range', 'augment.flip is 2; a number from 0 to 1 is', { flip: 2 }],
    ['range', 'augment.rotation is -1; a number from 0 to 180 is', { rotation: -1 }],
    ['range', 'augment.zoom is NaN; a number from 0 to 0.5 is', { zoom: Number.NaN }],
    ['range', 'augment.until is 1.5; a number from 0 to 1 is', { until: 1.5 }],
    ['usage', "augment has the unknown key 'blur'", { blur: 1 }],
    ['usage', 'augment is null; an object', null],
  ])('refuses %s: %s', async (code, words, augment) => {
    const model = await createModel(SPEC, { seed: 5 });
    const error = await failure(code, () => model.fit(data, { ...OPTIONS, augment: augment as never }));
    expect(error.message).toContain(words);
  });

  it('is refused for inputs that are no images', async () => {
    const floats = await createModel(mlp({ inputs: 4, hidden: [3], outputs: 2 }));
    const x = [[1, 2, 3, 4]];
    const error = await failure('usage', () => floats.fit({ x, y: [0] }, { augment: {} }));
    expect(error.message).toBe(
      'augment is given (the inputs have no shape); u8 inputs of shape [height, width] or [height, width, channels] is expected.',
    );
  });
});
