import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TreadleError } from '../../dist/bindings/host.js';
import { decodeJobCheckpoint, encodeJobCheckpoint } from '../../dist/experiment/job-checkpoint.js';
import { decodeSafetensors, encodeSafetensors, tensorOf } from '../../dist/formats/safetensors.js';
import type { Tensor } from '../../dist/formats/tensor.js';
import type { Job } from '../../dist/results/records.js';
import type { Checkpoint } from '../../dist/train/loop.js';
import { failure } from '../support/errors.js';
import { anyCheckpoint, checkpointOf, jobOf } from './checkpoints.js';

const FILE = 'runs/x/checkpoints/tiny.safetensors';
const KEY = 'treadle_checkpoint_2';

function encode(job: Job, checkpoint: Checkpoint): Uint8Array {
  return new Uint8Array(Buffer.concat(encodeJobCheckpoint(job, checkpoint)));
}

/** Every array as its bytes: NaNs count by their bits, and no value is equal to another of its kind. */
function exact(tree: unknown): unknown {
  if (tree instanceof Float32Array)
    return Buffer.from(tree.buffer, tree.byteOffset, tree.byteLength).toString('hex');
  if (tree instanceof Map) return [...tree].map(exact);
  if (Array.isArray(tree)) return tree.map(exact);
  if (typeof tree !== 'object' || tree === null) return tree;
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, exact(value)]));
}

const job = jobOf();
const separate = checkpointOf(job, 3);
separate.best = { epoch: 1, tensors: checkpointOf(job, 1).state.tensors, batchesTracked: 5 };
const WHOLE = encode(job, separate);

/** The file with its tensors and its record changed, well-formed as safetensors. */
function changed(
  change: (tensors: Map<string, Tensor>, record: Record<string, unknown>) => void,
): Uint8Array {
  const { tensors, metadata } = decodeSafetensors(WHOLE, FILE);
  const named = new Map([...tensors].map(([name, entry]) => [name, tensorOf(entry, name, FILE)] as const));
  const record = JSON.parse(metadata![KEY]!);
  change(named, record);
  return encodeSafetensors(named, { [KEY]: JSON.stringify(record) });
}

describe('a checkpoint', () => {
  it('comes back exactly as it was', () => {
    fc.assert(
      fc.property(anyCheckpoint, ({ job, checkpoint }) => {
        const decoded = decodeJobCheckpoint(encode(job, checkpoint), job, FILE);
        expect(exact(decoded)).toEqual(exact(checkpoint));
      }),
    );
  });

  it('is the same bytes again when it is decoded and encoded', () => {
    fc.assert(
      fc.property(anyCheckpoint, ({ job, checkpoint }) => {
        const bytes = encode(job, checkpoint);
        expect(Buffer.compare(encode(job, structuredClone(checkpoint)), bytes)).toBe(0);
        const decoded = decodeJobCheckpoint(bytes, job, FILE);
        expect(Buffer.compare(encode(job, decoded), bytes)).toBe(0);
      }),
    );
  });

  it('keeps the best weights once while they are the present ones, and apart when they are not', () => {
    const names = (checkpoint: Checkpoint) => [
      ...decodeSafetensors(encode(job, checkpoint), FILE).tensors.keys(),
    ];
    const shared = checkpointOf(job, 3);
    expect(names(shared).some((name) => name.startsWith('best/'))).toBe(false);
    expect(names(separate).some((name) => name.startsWith('best/'))).toBe(true);
    const decoded = decodeJobCheckpoint(encode(job, shared), job, FILE);
    expect(decoded.best!.tensors).toBe(decoded.state.tensors);
  });

  it('names its tensors by group and place, in shapes that other programs read', () => {
    const { tensors } = decodeSafetensors(WHOLE, FILE);
    expect(Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]))).toMatchObject({
      'weights/0.weight': [3, 4],
      'weights/8.bias': [2],
      'weights/5.runningVar': [2],
      'slot0/4.weight': [4, 2],
      'slot1/1.beta': [4],
      'best/1.runningMean': [4],
    });
    expect([...tensors.keys()]).not.toContain('slot0/1.runningMean');
  });

  it('does not copy the tensors it is made of', () => {
    const parts = encodeJobCheckpoint(job, separate);
    const weight = separate.state.tensors.get('0.weight')!;
    expect(parts.some(({ buffer }) => buffer === weight.buffer)).toBe(true);
  });
});

describe('refused as a checkpoint', () => {
  const refuse = async (bytes: Uint8Array, of: Job = job) => {
    const error = await failure('format', () => decodeJobCheckpoint(bytes, of, FILE));
    expect(error.message).toMatch(/^runs\/x\/checkpoints\/tiny\.safetensors: [^\n]* expected\.$/);
    expect(error.subject).toBe(FILE);
    return error.message;
  };

  it('no bytes at all, and bytes that are no safetensors file', async () => {
    await refuse(new Uint8Array(0));
    await refuse(Buffer.from('{"not": "safetensors"}'));
  });

  it('a file that was cut anywhere', () => {
    fc.assert(
      fc.property(fc.nat(WHOLE.length - 1), (length) => {
        expect(() => decodeJobCheckpoint(WHOLE.slice(0, length), job, FILE)).toThrow(TreadleError);
      }),
    );
  });

  it('a file with any byte changed, unless it is one of a value', () => {
    fc.assert(
      fc.property(fc.nat(WHOLE.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const bytes = WHOLE.slice();
        bytes[at]! ^= by;
        try {
          decodeJobCheckpoint(bytes, job, FILE);
        } catch (error) {
          // Nothing but treadle's own error, whatever the bytes.
          expect(error).toBeInstanceOf(TreadleError);
          expect(error).toMatchObject({ code: 'format', subject: FILE });
        }
      }),
    );
  });

  it('a file without the record, or with one that is not JSON', async () => {
    const { tensors } = decodeSafetensors(WHOLE, FILE);
    const named = new Map([...tensors].map(([name, entry]) => [name, tensorOf(entry, name, FILE)] as const));
    for (const metadata of [{}, { format: 'pt' }, { [KEY]: '' }, { [KEY]: '{"job":' }]) {
      expect(await refuse(encodeSafetensors(named, metadata as Record<string, string>))).toContain(KEY);
    }
    for (const text of ['null', '3', '[]', '"x"']) await refuse(encodeSafetensors(named, { [KEY]: text }));
  });

  it.each(['of', 'epochs', 'stopped', 'best', 'batchesTracked', 'optimizerSteps', 'dropoutSteps'])(
    'a record without %s',
    async (key) => {
      await refuse(
        changed((_, record) => {
          delete record[key];
        }),
      );
    },
  );

  it.each<[string, string, unknown]>([
    ['epochs', 'epochs', 3],
    ['epochs', 'epochs.0', [3]],
    ['epochs', 'epochs.0.trainLoss', [{ ...separate.epochs[0], trainLoss: null }]],
    ['epochs', 'epochs.0.epoch', [{ ...separate.epochs[0], epoch: 1.5 }]],
    ['stopped', 'stopped.batches', { batches: -1, totals: {}, seconds: 0 }],
    ['stopped', 'stopped.totals.loss', { batches: 1, totals: { correct: 0, samples: 0 }, seconds: 0 }],
    ['best', 'best.epoch', { epoch: '1', batchesTracked: 5 }],
    ['batchesTracked', 'batchesTracked', -1],
    ['optimizerSteps', 'optimizerSteps', 0.5],
    ['dropoutSteps', 'dropoutSteps', '7'],
    ['more', 'more', 1],
  ])('a record whose %s is wrong at %s', async (key, place, value) => {
    const message = await refuse(
      changed((_, record) => {
        record[key] = value;
      }),
    );
    expect(message).toContain(`: ${place} is `);
  });

  it.each<[string, (record: Record<string, unknown>) => void]>([
    ['a best epoch that is not finished', (record) => Object.assign(record.best as object, { epoch: 4 })],
    ['a best epoch before the first', (record) => Object.assign(record.best as object, { epoch: 0 })],
    ['no best epoch of those finished', (record) => Object.assign(record, { best: null })],
    ['a best epoch of none', (record) => Object.assign(record, { epochs: [] })],
    ['epochs out of order', (record) => (record.epochs as unknown[]).reverse()],
    [
      'more epochs than the job has',
      (record) =>
        Object.assign(record, {
          epochs: Array.from({ length: 21 }, (_, index) => ({ ...separate.epochs[0], epoch: index + 1 })),
        }),
    ],
  ])('a record with %s', async (_, change) => {
    await refuse(changed((_, record) => change(record)));
  });

  it('a record that is wrong, in plain words', async () => {
    const wrong = [
      { batchesTracked: 'x' },
      { batchesTracked: -1 },
      { epochs: {} },
      { more: 1 },
      { optimizerSteps: undefined },
    ];
    for (const change of wrong) {
      expect(await refuse(changed((_, record) => Object.assign(record, change)))).not.toContain('Invalid');
    }
  });

  it('a file in which any tensor is missing', async () => {
    for (const name of decodeSafetensors(WHOLE, FILE).tensors.keys()) {
      // Without the first of the best, they count as the present ones.
      if (name === 'best/0.weight') continue;
      expect(await refuse(changed((tensors) => tensors.delete(name)))).toContain(
        `tensor "${name}" is missing`,
      );
    }
  });

  it('a file in which any tensor has another shape or type', async () => {
    for (const [name, { shape }] of decodeSafetensors(WHOLE, FILE).tensors) {
      const flat = shape.length === 2 ? [shape[1]!, shape[0]!] : [1, ...shape];
      const reshaped = changed((tensors) => {
        tensors.set(name, { ...tensors.get(name)!, shape: [...flat, 1] } as Tensor);
      });
      expect(await refuse(reshaped)).toContain(`tensor "${name}" is F32 of shape [${flat},1]`);
      const counts = changed((tensors) => {
        const data = new BigInt64Array(shape.reduce((product, size) => product * size));
        tensors.set(name, { dtype: 'I64', shape, data });
      });
      expect(await refuse(counts)).toContain(`tensor "${name}" is I64`);
    }
  });

  it.each<[string, Partial<Job>]>([
    ['id', { id: 'tiny_0.2' }],
    ['learning rate', { learningRate: 0.2 }],
    ['dropout', { spec: { ...job.spec, dropout: 0.4 } }],
    ['width', { spec: { ...job.spec, hidden: [4, 3] } }],
    ['epochs', { epochs: 21 }],
    ['batch size', { batchSize: 5 }],
    ['seed', { seed: 1 }],
    ['kept epoch', { keep: 'last' }],
    ['build', { build: 'relaxed' }],
    ['parent', { parent: 'tiny_1' }],
  ])('a checkpoint of a job with another %s', async (_, change) => {
    const other = jobOf(change);
    const message = await refuse(WHOLE, other);
    expect(message).toContain(`a checkpoint of ${JSON.stringify(job)}`);
    expect(message).toContain(JSON.stringify(other));
  });
});
