import { describe, expect, test } from 'vitest';
import { TreadleError } from '../../dist/bindings/host.js';
import { fromNumpy, fromStateDict, toNumpy, toStateDict } from '../../dist/formats/naming.js';
import type { FloatTensor, Tensor } from '../../dist/formats/tensor.js';
import type { NetworkTensors } from '../../dist/model/classifier.js';
import { network } from './fixtures.js';

const float = (shape: number[], ...values: number[]): FloatTensor => ({
  dtype: 'F32',
  shape,
  data: Float32Array.from(values),
});

/** 2 -> 3 -> 2 with every value told apart. */
const SMALL: NetworkTensors = {
  dense: [
    { weight: Float32Array.of(1, 2, 3, 4, 5, 6), bias: Float32Array.of(7, 8, 9) },
    { weight: Float32Array.of(10, 11, 12, 13, 14, 15), bias: Float32Array.of(16, 17) },
  ],
  batchNorm: [
    {
      gamma: Float32Array.of(18, 19, 20),
      beta: Float32Array.of(21, 22, 23),
      runningMean: Float32Array.of(24, 25, 26),
      runningVar: Float32Array.of(27, 0, 29),
    },
  ],
  batchesTracked: 5,
};

/** torch.nn.Sequential(Linear(2, 3), BatchNorm1d(3), ReLU(), Dropout(), Linear(3, 2)).state_dict(), in its order. */
const SMALL_STATE_DICT: [string, Tensor][] = [
  ['0.weight', float([3, 2], 1, 4, 2, 5, 3, 6)],
  ['0.bias', float([3], 7, 8, 9)],
  ['1.weight', float([3], 18, 19, 20)],
  ['1.bias', float([3], 21, 22, 23)],
  ['1.running_mean', float([3], 24, 25, 26)],
  ['1.running_var', float([3], 27, 0, 29)],
  ['1.num_batches_tracked', { dtype: 'I64', shape: [], data: BigInt64Array.of(5n) }],
  ['4.weight', float([2, 3], 10, 12, 14, 11, 13, 15)],
  ['4.bias', float([2], 16, 17)],
];

const SMALL_NUMPY: [string, FloatTensor][] = [
  ['W1', float([2, 3], 1, 2, 3, 4, 5, 6)],
  ['b1', float([3], 7, 8, 9)],
  ['gamma1', float([3], 18, 19, 20)],
  ['beta1', float([3], 21, 22, 23)],
  ['running_mean1', float([3], 24, 25, 26)],
  ['running_var1', float([3], 27, 0, 29)],
  ['W2', float([3, 2], 10, 11, 12, 13, 14, 15)],
  ['b2', float([2], 16, 17)],
];

const loaded = { tensors: SMALL, inputs: 2, hidden: [3], classes: 2 };

function refusal(read: () => unknown): TreadleError {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(TreadleError);
    return error as TreadleError;
  }
  return expect.fail('nothing was thrown');
}

describe('names and layouts', () => {
  test('are those of PyTorch’s state_dict', () => {
    expect([...toStateDict(SMALL)]).toEqual(SMALL_STATE_DICT);
    expect(fromStateDict(new Map(SMALL_STATE_DICT), 'x')).toEqual(loaded);
  });

  test('are those of numpy users', () => {
    expect([...toNumpy(SMALL)]).toEqual(SMALL_NUMPY);
    expect(fromNumpy(new Map(SMALL_NUMPY), 'x')).toEqual({
      ...loaded,
      tensors: { ...SMALL, batchesTracked: 0 },
    });
  });

  test('go there and back at every depth, in whatever order the file lists them', () => {
    for (const widths of [
      [1, 1, 2],
      [784, 12, 6, 10],
      [5, 4, 3, 2, 1, 3, 7],
      [2, ...Array(14).fill(3), 2],
    ]) {
      const tensors = network(widths, 3);
      const shape = { inputs: widths[0], hidden: widths.slice(1, -1), classes: widths.at(-1) };
      const state = new Map([...toStateDict(tensors)].reverse());
      expect(fromStateDict(state, 'x')).toEqual({ tensors, ...shape });
      const arrays = new Map([...toNumpy(tensors)].reverse());
      expect(fromNumpy(arrays, 'x')).toEqual({ tensors: { ...tensors, batchesTracked: 0 }, ...shape });
    }
  });

  test('the counter is the largest of the blocks', () => {
    const state = toStateDict(network([2, 3, 4, 5, 2], 9));
    state.set('1.num_batches_tracked', { dtype: 'I64', shape: [], data: BigInt64Array.of(2n) });
    state.set('9.num_batches_tracked', { dtype: 'I64', shape: [], data: BigInt64Array.of(3n) });
    expect(fromStateDict(state, 'x').tensors.batchesTracked).toBe(9);
  });
});

describe('counters, which inference does not need,', () => {
  test.each([
    [['1.num_batches_tracked'], 9],
    [['1.num_batches_tracked', '5.num_batches_tracked'], 0],
  ])('may be left out: %j', (left, batchesTracked) => {
    const tensors = network([4, 3, 5, 2], 9);
    const state = toStateDict(tensors);
    for (const name of left) state.delete(name);
    expect(fromStateDict(state, 'x').tensors).toEqual({ ...tensors, batchesTracked });
  });
});

describe('a set of tensors that is no network is refused, naming', () => {
  const stateOf = (change: (tensors: Map<string, Tensor>) => void) => {
    const tensors = toStateDict(network([4, 3, 5, 2]));
    change(tensors);
    return () => fromStateDict(tensors, 'w.safetensors');
  };

  const needed = [...toStateDict(network([4, 3, 5, 2])).keys()].filter((name) => !name.includes('tracked'));
  test.each(needed)('the missing %s, and nothing else', (name) => {
    const error = refusal(stateOf((tensors) => tensors.delete(name)));
    expect(error.code).toBe('shape');
    expect(error.message).toBe(`w.safetensors is not a complete dense network: "${name}" is missing.`);
  });

  test.each([...toNumpy(network([4, 3, 5, 2])).keys()])('the missing %s of a pickle', (name) => {
    const arrays = toNumpy(network([4, 3, 5, 2]));
    arrays.delete(name);
    const error = refusal(() => fromNumpy(arrays, 'w.pkl'));
    expect(error.message).toBe(`w.pkl is not a complete dense network: "${name}" is missing.`);
  });

  test('everything that is wrong at once', () => {
    const error = refusal(
      stateOf((tensors) => {
        tensors.delete('0.bias');
        tensors.set('1.weight', float([4], 1, 2, 3, 4));
        tensors.set('5.num_batches_tracked', float([], 1));
        tensors.set('8.weight', float([2, 4], ...Array(8).fill(0)));
        tensors.set('4.weight', float([15], ...Array(15).fill(0)));
        tensors.set('fc.weight', float([0]));
        tensors.set('7.bias', float([0]));
      }),
    );
    expect(error.message).toBe(
      'w.safetensors is not a complete dense network: "0.bias" is missing, ' +
        '"1.weight" has shape [4] where [3] is expected, "4.weight" has shape [15] where [5, 3] is expected, ' +
        '"5.num_batches_tracked" is F32 where I64 is expected, "8.weight" has shape [2, 4] where [2, 5] is expected, ' +
        '"fc.weight" is not expected, "7.bias" is not expected.',
    );
  });

  test('a break in the chain of widths', () => {
    const first = toNumpy(network([4, 3, 5, 2]));
    const other = toNumpy(network([4, 3, 6, 2]));
    for (const name of ['W3', 'b3']) first.set(name, other.get(name)!);
    expect(refusal(() => fromNumpy(first, 'x')).message).toContain(
      '"W3" has shape [6, 2] where [5, 2] is expected',
    );
  });

  test('a network without hidden blocks, without tensors, and with one class', () => {
    const single = new Map([...toStateDict(network([4, 3, 2]))].slice(0, 2));
    expect(refusal(() => fromStateDict(single, 'x')).message).toContain('"4.weight" is missing');
    const none = refusal(() => fromNumpy(new Map(), 'x'));
    expect(none.message.match(/is missing/g)).toHaveLength(8);
    const oneClass = refusal(() => fromNumpy(toNumpyUnchecked([3, 4, 1]), 'x'));
    expect(oneClass.message).toContain('layer boundary 2 is 1 wide where 2 to 1048576 is expected');
  });

  test('a width of zero', () => {
    const error = refusal(() => fromNumpy(toNumpyUnchecked([0, 4, 2]), 'x'));
    expect(error.message).toContain('layer boundary 0 is 0 wide where 1 to 1048576 is expected');
  });

  test('no more than forty problems, and how many are left', () => {
    const strays = new Map<string, FloatTensor>();
    for (let index = 0; index < 1000; index++) strays.set(`x${index}`, float([0]));
    const error = refusal(() => fromNumpy(strays, 'x'));
    expect(error.message).toContain('"x31" is not expected, and 968 more.');
    strays.set('W999999999', float([0]));
    expect(refusal(() => fromNumpy(strays, 'x')).message).toContain('and 969 more.');
  });

  /** Arrays of any widths, also of those that `toNumpy` refuses. */
  function toNumpyUnchecked([inputs, hidden, classes]: [number, number, number]) {
    const zeros = (...shape: number[]) =>
      float(shape, ...Array(shape.reduce((product, size) => product * size)).fill(0));
    return new Map([
      ['W1', zeros(inputs, hidden)],
      ...['b1', 'gamma1', 'beta1', 'running_mean1', 'running_var1'].map(
        (name) => [name, zeros(hidden)] as const,
      ),
      ['W2', zeros(hidden, classes)],
      ['b2', zeros(classes)],
    ]);
  }
});

describe('values that cannot be weights are refused', () => {
  test.each([
    ['4.weight', 2, Number.NaN, '"4.weight" holds NaN at element 2; a finite number is expected'],
    ['0.bias', 0, Infinity, '"0.bias" holds Infinity at element 0; a finite number is expected'],
    ['1.running_mean', 1, -Infinity, '"1.running_mean" holds -Infinity at element 1; a finite number is'],
    ['1.running_var', 1, -0.5, '"1.running_var" holds -0.5 at element 1; a finite number from 0 is expected'],
  ])('in %s', (name, index, value, message) => {
    const state = toStateDict(SMALL);
    const tensor = state.get(name) as FloatTensor;
    state.set(name, { ...tensor, data: tensor.data.with(index, value) });
    const error = refusal(() => fromStateDict(state, 'w'));
    expect(error.code).toBe('range');
    expect(error.message).toContain(`w: ${message}`);
  });

  test.each([-1n, 2n ** 62n])('in the counter: %s', (count) => {
    const state = toStateDict(SMALL);
    state.set('1.num_batches_tracked', { dtype: 'I64', shape: [], data: BigInt64Array.of(count) });
    expect(refusal(() => fromStateDict(state, 'w')).code).toBe('range');
  });

  test('before they are written', () => {
    const diverged = structuredClone(SMALL);
    diverged.dense[1]!.weight[3] = Number.NaN;
    expect(refusal(() => toStateDict(diverged)).code).toBe('range');
    expect(refusal(() => toNumpy(diverged)).code).toBe('range');
    const torn = structuredClone(SMALL);
    torn.dense[0]!.weight = new Float32Array(7);
    expect(refusal(() => toNumpy(torn)).code).toBe('shape');
    const flat = { ...SMALL, batchNorm: [] };
    expect(refusal(() => toStateDict(flat)).message).toContain('"1.weight" is missing');
  });
});
