import * as v from 'valibot';
import { type NetworkSpec, type NetworkTensors, type Totals, type TrainingState, widths } from '#bindings';
import { type JsonLimits, structureProblem } from '../json.js';
import type { EpochRecord, Job } from '../records.js';
import { quote } from '../text.js';
import { decodeSafetensors, safetensorsParts, tensorOf } from '../weights/safetensors.js';
import { formatError, type Tensor } from '../weights/tensor.js';

/** Where an epoch was stopped. */
export interface StoppedEpoch {
  /** Batches of it that are trained. */
  batches: number;
  /** Sums over them. */
  totals: Totals;
  /** Time they took. */
  seconds: number;
}

/** All that a job's training goes on from. */
export interface Checkpoint {
  /** Figures of the finished epochs, in order. */
  epochs: EpochRecord[];
  /** The epoch after them, when it was stopped within; null between epochs. */
  stopped: StoppedEpoch | null;
  /** The epoch whose weights would be saved if it ended now, and those; null before the first has ended. */
  best: { epoch: number; tensors: NetworkTensors } | null;
  state: TrainingState;
}

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const figure = v.number();

/** What a checkpoint's metadata holds beside its tensors. */
const StoredRecord = v.strictObject({
  job: v.unknown(),
  epochs: v.array(
    v.strictObject({
      epoch: whole,
      trainLoss: figure,
      trainAccuracy: figure,
      valLoss: figure,
      valAccuracy: figure,
      valMacroF1: figure,
      seconds: figure,
    }),
  ),
  stopped: v.nullable(
    v.strictObject({
      batches: whole,
      totals: v.strictObject({ loss: figure, correct: whole, samples: whole }),
      seconds: figure,
    }),
  ),
  best: v.nullable(v.strictObject({ epoch: whole, batchesTracked: whole })),
  batchesTracked: whole,
  optimizerSteps: whole,
  dropoutSteps: whole,
});

/** What the record of the longest training keeps within. */
const LIMITS: JsonLimits = { depth: 4, values: 1_000_000 };

/** The metadata's only key; its value is a {@link StoredRecord} as JSON. */
const RECORD_KEY = 'treadle_checkpoint_1';

/**
 * A checkpoint as a safetensors file, in parts that follow one another. Tensors are named by group and place, such as
 * `weights/dense.0.weight`, and have treadle's own layouts; the group `best` is left out while it equals `weights`.
 * Equal checkpoints give equal bytes.
 */
export function encodeCheckpoint(job: Job, { epochs, stopped, best, state }: Checkpoint): Uint8Array[] {
  const { tensors, optimizer, dropoutSteps } = state;
  const record: v.InferInput<typeof StoredRecord> = {
    job,
    epochs,
    stopped,
    best: best && { epoch: best.epoch, batchesTracked: best.tensors.batchesTracked },
    batchesTracked: tensors.batchesTracked,
    optimizerSteps: optimizer.steps,
    dropoutSteps,
  };
  const separate = best !== null && best.tensors !== tensors;
  const named = new Map<string, Tensor>([
    ...flatten(job.spec, 'weights', tensors, STATISTICS),
    ...flatten(job.spec, 'moment1', optimizer.first, TRAINED),
    ...flatten(job.spec, 'moment2', optimizer.second, TRAINED),
    ...(separate ? flatten(job.spec, 'best', best.tensors, STATISTICS) : []),
  ]);
  return safetensorsParts(named, { [RECORD_KEY]: JSON.stringify(record) });
}

/**
 * The checkpoint in a file's bytes. Throws `format` errors that begin with `source` for bytes that are none, and for
 * one of another job than the given.
 */
export function decodeCheckpoint(bytes: Uint8Array, job: Job, source: string): Checkpoint {
  const { tensors: entries, metadata } = decodeSafetensors(bytes, source);
  const record = readRecord(metadata?.[RECORD_KEY], job, source);
  const found = new Map([...entries].map(([name, entry]) => [name, tensorOf(entry, name, source)] as const));
  const group = <Name extends string>(name: string, norms: readonly Name[]) =>
    unflatten(job.spec, name, norms, found, source);
  const { epochs, stopped, batchesTracked, optimizerSteps, dropoutSteps } = record;
  const tensors = { ...group('weights', STATISTICS), batchesTracked };
  let best: Checkpoint['best'] = null;
  if (record.best !== null) {
    const { epoch, batchesTracked } = record.best;
    const separate = found.has(`best/dense.0.weight`);
    best = { epoch, tensors: separate ? { ...group('best', STATISTICS), batchesTracked } : tensors };
  }
  const optimizer = {
    steps: optimizerSteps,
    first: group('moment1', TRAINED),
    second: group('moment2', TRAINED),
  };
  return { epochs, stopped, best, state: { tensors, optimizer, dropoutSteps } };
}

function readRecord(text: string | undefined, job: Job, source: string): v.InferOutput<typeof StoredRecord> {
  let json: unknown;
  try {
    if (structureProblem(text ?? '', LIMITS) === null) json = JSON.parse(text ?? '');
  } catch {
    throw formatError(source, `the metadata has no ${RECORD_KEY} in JSON`, 'a checkpoint');
  }
  const result = v.safeParse(StoredRecord, json);
  if (!result.success) {
    const path = v.getDotPath(result.issues[0]) ?? RECORD_KEY;
    throw formatError(source, `${path} is missing or wrong`, "a checkpoint's record");
  }
  const record = result.output;
  if (JSON.stringify(record.job) !== JSON.stringify(job)) {
    throw formatError(source, `it is a checkpoint of ${JSON.stringify(record.job)}`, JSON.stringify(job));
  }
  const { epochs, stopped, best } = record;
  const done = epochs.length;
  if (epochs.some(({ epoch }, index) => epoch !== index + 1)) {
    throw formatError(source, `its epochs are ${epochs.map(({ epoch }) => epoch)}`, '1, 2 and so on');
  }
  if (done > job.epochs || (done === job.epochs && stopped !== null)) {
    throw formatError(source, `it is in epoch ${done + 1}`, `an epoch up to ${job.epochs}`);
  }
  const isBest = best === null ? done === 0 : best.epoch >= 1 && best.epoch <= done;
  if (!isBest) throw formatError(source, `its best epoch is ${best?.epoch ?? 'none'}`, `one of its ${done}`);
  return record;
}

/** BatchNorm's tensors in a network, and those of them that Adam trains. */
const TRAINED = ['gamma', 'beta'] as const;
const STATISTICS = [...TRAINED, 'runningMean', 'runningVar'] as const;

type Group<Name extends string> = {
  dense: { weight: Float32Array; bias: Float32Array }[];
  batchNorm: Record<Name, Float32Array>[];
};

/** Name and shape of every tensor of a group. */
function places(spec: NetworkSpec, norms: readonly string[]): { name: string; shape: number[] }[] {
  const sizes = widths(spec);
  return [
    ...sizes.slice(1).flatMap((outputs, layer) => [
      { name: `dense.${layer}.weight`, shape: [sizes[layer]!, outputs] },
      { name: `dense.${layer}.bias`, shape: [outputs] },
    ]),
    ...spec.hidden.flatMap((width, block) =>
      norms.map((name) => ({ name: `batchNorm.${block}.${name}`, shape: [width] })),
    ),
  ];
}

function flatten<Name extends string>(
  spec: NetworkSpec,
  group: string,
  { dense, batchNorm }: Group<Name>,
  norms: readonly Name[],
): [string, Tensor][] {
  const values = [
    ...dense.flatMap(({ weight, bias }) => [weight, bias]),
    ...batchNorm.flatMap((norm) => norms.map((name) => norm[name])),
  ];
  return places(spec, norms).map(({ name, shape }, index) => [
    `${group}/${name}`,
    { dtype: 'F32', shape, data: values[index]! },
  ]);
}

function unflatten<Name extends string>(
  spec: NetworkSpec,
  group: string,
  norms: readonly Name[],
  found: ReadonlyMap<string, Tensor>,
  source: string,
): Group<Name> {
  const values = new Map(
    places(spec, norms).map(({ name, shape }) => {
      const full = `${group}/${name}`;
      const tensor = found.get(full);
      if (tensor?.dtype !== 'F32' || tensor.shape.join() !== shape.join()) {
        const is = tensor === undefined ? 'missing' : `${tensor.dtype} of shape [${tensor.shape}]`;
        throw formatError(source, `tensor ${quote(full)} is ${is}`, `F32 of shape [${shape}]`);
      }
      return [name, tensor.data] as const;
    }),
  );
  return {
    dense: widths(spec)
      .slice(1)
      .map((_, layer) => ({
        weight: values.get(`dense.${layer}.weight`)!,
        bias: values.get(`dense.${layer}.bias`)!,
      })),
    batchNorm: spec.hidden.map(
      (_, block) =>
        Object.fromEntries(norms.map((name) => [name, values.get(`batchNorm.${block}.${name}`)!])) as Record<
          Name,
          Float32Array
        >,
    ),
  };
}
