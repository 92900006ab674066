import { describe, expect, it } from 'vitest';
import { createModel, loadModel, type Model } from '../../dist/index.js';
import { failure } from '../support/errors.js';
import { small, stripes } from './support.js';

// Federated averaging (McMahan et al., 2017) with nothing but saved models: the recipe is `averageModels`.

/** Where the data of a safetensors file begins, and the places of its F32 tensors in it. */
function placesOf(bytes: Uint8Array): { header: string; floats: [number, number][] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 8 + Number(view.getBigUint64(0, true));
  const header = new TextDecoder().decode(bytes.subarray(8, start));
  const { __metadata__: _, ...tensors } = JSON.parse(header) as Record<
    string,
    { dtype: string; data_offsets: [number, number] }
  >;
  const floats = Object.values(tensors).flatMap(
    ({ dtype, data_offsets: [begin, end] }): [number, number][] =>
      dtype === 'F32' ? [[start + begin, start + end]] : [],
  );
  return { header, floats };
}

/** The mean of saved models of one spec, parameters and running statistics alike, each counting by its share. */
function averageModels(models: readonly Uint8Array[], shares: readonly number[]): Uint8Array {
  const [first, ...others] = models.map(placesOf);
  if (others.some(({ header }) => header !== first!.header)) throw new Error('The models differ.');
  const result = models[0]!.slice();
  const target = new DataView(result.buffer);
  const sources = models.map(
    ({ buffer, byteOffset, byteLength }) => new DataView(buffer, byteOffset, byteLength),
  );
  for (const [begin, end] of first!.floats) {
    for (let at = begin; at < end; at += 4) {
      const mean = sources.reduce(
        (sum, source, index) => sum + shares[index]! * source.getFloat32(at, true),
        0,
      );
      target.setFloat32(at, mean, true);
    }
  }
  return result;
}

describe('setTensors', () => {
  const data = stripes(60, 1);

  it('takes over what tensors gave, here and in a worker', async () => {
    const model = await createModel(small(3, { norm: true }), { seed: 1 });
    await model.fit(data, { epochs: 3 });
    const before = model.probabilities(data.x);
    const other = await loadModel(model.save());
    await other.fit(data, { epochs: 3 });
    const tensors = other.tensors();
    model.setTensors(tensors);
    expect(model.probabilities(data.x)).toEqual(other.probabilities(data.x));
    expect(model.probabilities(data.x)).not.toEqual(before);
    // Copies: what the caller does with its own changes nothing.
    tensors.get('0.weight')!.fill(7);
    expect(model.save()).toEqual(other.save());
    const there = await loadModel(model.save(), { worker: true });
    await there.setTensors(other.tensors());
    expect(await there.save()).toEqual(other.save());
    there.dispose();
  });

  it.each<[string, string, (tensors: Map<string, unknown>) => unknown]>([
    ['shape', "tensors['0.weight'] is missing; a Float32Array is", (tensors) => tensors.delete('0.weight')],
    ['shape', 'tensors is with the tensor', (tensors) => tensors.set('9.weight', new Float32Array(1))],
    ['shape', "tensors['0.bias'] has length 1; ", (tensors) => tensors.set('0.bias', new Float32Array(1))],
    [
      'range',
      "tensors['0.bias'] is NaN; a finite number in each place is",
      (tensors) =>
        tensors.set(
          '0.bias',
          (tensors.get('0.bias') as Float32Array).map(() => Number.NaN),
        ),
    ],
    // A file that holds them is refused too.
    [
      'range',
      "tensors['1.runningVar'] is -1; what the model could have measured is",
      (tensors) => tensors.set('1.runningVar', (tensors.get('1.runningVar') as Float32Array).fill(-1)),
    ],
    [
      'range',
      "tensors['input.deviation'] is 0; what the model could have measured is",
      (tensors) => tensors.set('input.deviation', (tensors.get('input.deviation') as Float32Array).fill(0)),
    ],
  ])('refuses what are not its tensors: %s, %s', async (code, words, change) => {
    const model = await createModel(small(3, { norm: true }), { seed: 1 });
    await model.fit(data, { epochs: 1 });
    const saved = model.save();
    const tensors = model.tensors() as Map<string, unknown>;
    change(tensors);
    const error = await failure(code, () => model.setTensors(tensors as never));
    expect(error.message).toContain(words);
    expect((await failure('shape', () => model.setTensors({} as never))).message).toContain(
      'a Map of tensors by key',
    );
    expect(model.save()).toEqual(saved);
  });

  it('is refused while the model is trained', async () => {
    const model = await createModel(small(3), { seed: 1 });
    const tensors = model.tensors();
    for await (const _ of model.fit(data, { epochs: 2 })) {
      const error = await failure('usage', () => model.setTensors(tensors));
      expect(error.message).toBe(
        'The model is being trained; tensors that are set between trainings is expected.',
      );
    }
  });
});

const all = stripes(240, 1);
const fresh = stripes(150, 2);
const accuracy = (model: Model) => {
  const evaluation = model.evaluate(fresh);
  return evaluation.task === 'classification' ? evaluation.accuracy : Number.NaN;
};
/** What each of two holders has: other samples, and only one of them the last class. */
const clients = [
  (label: number, row: number) => label !== 2 && row % 2 === 0,
  (label: number, row: number) => label === 2 || row % 2 === 1,
].map((keep) => {
  const rows = all.y.flatMap((label, row) => (keep(label, row) ? [row] : []));
  return { x: rows.map((row) => all.x[row]!), y: rows.map((row) => all.y[row]!) };
});
const shares = clients.map(({ y }) => y.length / 240);

describe.each([
  ['with BatchNorm', { norm: true }],
  ['without', {}],
])('two models that are averaged, %s', (_, more) => {
  it('are a model that loads, has the mean of every tensor and predicts', async () => {
    // A model that was trained at all has the statistics of inputs, which later trainings keep.
    const base = await createModel(small(3, more), { seed: 1 });
    await base.fit({ x: all.x.slice(0, 30), y: all.y.slice(0, 30) }, { epochs: 1 });
    const trained = await Promise.all(
      clients.map(async (data) => {
        const model = await loadModel(base.save());
        await model.fit(data, { epochs: 5 });
        return model;
      }),
    );
    const averaged = await loadModel(
      averageModels(
        trained.map((model) => model.save()),
        shares,
      ),
    );
    const [one, other] = trained.map((model) => model.tensors());
    for (const [key, values] of averaged.tensors()) {
      const mean = values.map((_, i) => shares[0]! * one!.get(key)![i]! + shares[1]! * other!.get(key)![i]!);
      expect(values, key).toEqual(mean);
    }
    expect(averaged.tensors().get('input.mean')).toEqual(one!.get('input.mean'));
    expect(averaged.summary()).toBe(base.summary());
    expect(averaged.predict(fresh.x)).toHaveLength(150);
    expect([...averaged.probabilities(fresh.x)].every(Number.isFinite)).toBe(true);
  });

  it('again and again learn what neither has seen alone', async () => {
    const base = await createModel(small(3, more), { seed: 1 });
    await base.fit({ x: all.x.slice(0, 30), y: all.y.slice(0, 30) }, { epochs: 1, learningRate: 1e-6 });
    let bytes: Uint8Array = base.save();
    for (let round = 0; round < 12; round++) {
      const saved = await Promise.all(
        clients.map(async (data) => {
          const model = await loadModel(bytes);
          await model.fit(data, { epochs: 3, learningRate: 0.02, seed: round });
          const result = model.save();
          model.dispose();
          return result;
        }),
      );
      bytes = averageModels(saved, shares);
    }
    const together = await loadModel(bytes);
    const alone = await loadModel(base.save());
    await alone.fit(clients[0]!, { epochs: 36, learningRate: 0.02 });
    expect(accuracy(together)).toBeGreaterThan(0.85);
    expect(accuracy(together)).toBeGreaterThan(accuracy(alone) + 0.1);
  });
});

it('a model averaged with itself has the same bytes', async () => {
  const model = await createModel(small(3, { norm: true }));
  await model.fit(all, { epochs: 1 });
  const bytes = model.save();
  expect(averageModels([bytes, bytes], [0.5, 0.5])).toEqual(bytes);
});

it('a mean that is not finite does not load', async () => {
  const model = await createModel(small(3));
  await model.fit(all, { epochs: 1 });
  const bytes = averageModels([model.save()], [Number.NaN]);
  expect((await failure('format', () => loadModel(bytes))).message).toContain('holds NaN at element 0');
});
