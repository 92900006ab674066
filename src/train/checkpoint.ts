import * as v from 'valibot';
import { sizeOf, type TensorKey, type TensorRow, type Tensors, tensorTable } from '#bindings';
import { type JsonLimits, structureProblem } from '../json.js';
import { classifierModel } from '../model/classifier.js';
import type { Job } from '../records.js';
import { quote } from '../text.js';
import { decodeSafetensors, safetensorsParts, tensorOf } from '../weights/safetensors.js';
import { formatError, type Tensor } from '../weights/tensor.js';
import type { Checkpoint, EpochFigures } from './loop.js';

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
      totals: v.strictObject({ loss: figure, weight: figure, correct: whole, samples: whole }),
      seconds: figure,
    }),
  ),
  best: v.nullable(v.strictObject({ epoch: whole, batchesTracked: whole })),
  steps: whole,
  batchesTracked: whole,
  optimizerSteps: whole,
  dropoutSteps: whole,
});

/** What the record of the longest training keeps within. */
const LIMITS: JsonLimits = { depth: 4, values: 1_000_000 };

/** The metadata's only key; its value is a {@link StoredRecord} as JSON. */
const RECORD_KEY = 'treadle_checkpoint_2';

/** Groups of tensors: the weights, the optimiser's slots, and the best epoch's weights while they differ. */
const WEIGHTS = 'weights';
const BEST = 'best';
const slotGroup = (slot: number) => `slot${slot}`;

/**
 * A checkpoint as a safetensors file, in parts that follow one another. Tensors are named by group and key, such as
 * `weights/0.weight`, and have treadle's own layouts; the group `best` is left out while it equals `weights`.
 * Equal checkpoints give equal bytes.
 */
export function encodeCheckpoint(
  job: Job,
  { epochs, steps, stopped, best, state }: Checkpoint,
): Uint8Array[] {
  const { tensors, optimizer, dropoutSteps, batchesTracked } = state;
  const record: v.InferInput<typeof StoredRecord> = {
    job,
    epochs: epochs as v.InferInput<typeof StoredRecord>['epochs'],
    stopped,
    best: best && { epoch: best.epoch, batchesTracked: best.batchesTracked },
    steps,
    batchesTracked,
    optimizerSteps: optimizer.steps,
    dropoutSteps,
  };
  const { all, trained } = rowsOf(job);
  const separate = best !== null && best.tensors !== tensors;
  const named = new Map<string, Tensor>([
    ...namedGroup(WEIGHTS, all, tensors),
    ...optimizer.slots.flatMap((slot, index) => namedGroup(slotGroup(index), trained, slot)),
    ...(separate ? namedGroup(BEST, all, best.tensors) : []),
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
  const { all, trained } = rowsOf(job);
  const { stopped, steps, batchesTracked, optimizerSteps, dropoutSteps } = record;
  const tensors = readGroup(WEIGHTS, all, found, source);
  let best: Checkpoint['best'] = null;
  if (record.best !== null) {
    const separate = found.has(`${BEST}/${all[0]!.key}`);
    best = { ...record.best, tensors: separate ? readGroup(BEST, all, found, source) : tensors };
  }
  const slots = [0, 1].map((slot) => readGroup(slotGroup(slot), trained, found, source));
  return {
    epochs: record.epochs as EpochFigures[],
    steps,
    stopped,
    best,
    state: { tensors, optimizer: { steps: optimizerSteps, slots }, dropoutSteps, batchesTracked },
  };
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

/** The tensors of a job's model, and those of them that the optimiser trains. */
function rowsOf(job: Job): { all: readonly TensorRow[]; trained: readonly TensorRow[] } {
  const all = tensorTable(classifierModel(job.spec));
  return { all, trained: all.filter(({ trained }) => trained) };
}

function namedGroup(group: string, rows: readonly TensorRow[], tensors: Tensors): [string, Tensor][] {
  return rows.map(({ key, shape }) => [
    `${group}/${key}`,
    { dtype: 'F32', shape: [...shape], data: tensors.get(key)! },
  ]);
}

function readGroup(
  group: string,
  rows: readonly TensorRow[],
  found: ReadonlyMap<string, Tensor>,
  source: string,
): Tensors {
  return new Map<TensorKey, Float32Array>(
    rows.map(({ key, shape }) => {
      const name = `${group}/${key}`;
      const tensor = found.get(name);
      if (
        tensor?.dtype !== 'F32' ||
        tensor.shape.join() !== shape.join() ||
        tensor.data.length !== sizeOf(shape)
      ) {
        const is = tensor === undefined ? 'missing' : `${tensor.dtype} of shape [${tensor.shape}]`;
        throw formatError(source, `tensor ${quote(name)} is ${is}`, `F32 of shape [${shape}]`);
      }
      return [key, tensor.data];
    }),
  );
}
