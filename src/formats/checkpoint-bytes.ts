import * as v from 'valibot';
import {
  type Bytes,
  expectKeys,
  expectTensors,
  type ModelSpec,
  problem,
  sizeOf,
  type TensorKey,
  type TensorRow,
  type Tensors,
  tensorTable,
} from '#bindings';
import { type JsonLimits, structureProblem } from '../strict/json.js';
import { quote } from '../strict/text.js';
import type { Checkpoint } from '../train/loop.js';
import { parseSpec } from './model-bytes.js';
import { decodeSafetensors, joinParts, safetensorsParts, tensorOf } from './safetensors.js';
import { formatError, type Tensor } from './tensor.js';

/** All that resuming a model's training needs. Plain data: {@link encodeCheckpoint} writes it as bytes. */
export interface ModelCheckpoint {
  model: ModelSpec;
  /** Statistics of inputs and targets. */
  statistics: Tensors;
  training: Checkpoint;
}

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const figure = v.number();

/** What a checkpoint's metadata holds beside its tensors. */
const StoredRecord = v.strictObject({
  /** Whose checkpoint it is: a model, or a job of a run. */
  of: v.unknown(),
  epochs: v.array(v.objectWithRest({ epoch: whole, seconds: figure }, figure)),
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
  /** Arrays that the optimiser keeps for each parameter. */
  slots: v.pipe(whole, v.maxValue(4)),
});

/** More than the record of the longest training has. */
const LIMITS: JsonLimits = { depth: 6, values: 4_000_000 };

/** The metadata's only key; its value is a {@link StoredRecord} as JSON. */
export const RECORD_KEY = 'treadle_checkpoint_2';

/** Groups of tensors; `best` is left out while it equals `weights`. */
const WEIGHTS = 'weights';
const BEST = 'best';
const AVERAGE = 'average';
const STATISTICS = 'statistics';
const slotGroup = (slot: number) => `slot${slot}`;

/**
 * A checkpoint as bytes, a safetensors file. Equal checkpoints give equal bytes.
 *
 * @example await writeFile('training.bin', encodeCheckpoint(history.checkpoint));
 */
export function encodeCheckpoint({ model, statistics, training }: ModelCheckpoint): Bytes {
  return joinParts(checkpointParts(model, model, statistics, training));
}

/**
 * The checkpoint in the bytes of {@link encodeCheckpoint}. Throws `format` for bytes that are none.
 *
 * @example await model.fit(data, { epochs: 200, checkpoint: decodeCheckpoint(await readFile('training.bin')) });
 */
export function decodeCheckpoint(bytes: Uint8Array, source = 'The checkpoint'): ModelCheckpoint {
  if (!(bytes instanceof Uint8Array)) throw formatError(source, 'it is not bytes', 'a Uint8Array');
  return readCheckpoint(bytes, source, (of) => parseSpec(of, source));
}

/**
 * A checkpoint as a safetensors file, in parts that follow one another. Tensors are named by group and key, such as
 * `weights/0.weight`, and have treadle's own layouts; the group `best` is left out while it equals `weights`.
 */
export function checkpointParts(
  of: unknown,
  model: ModelSpec,
  statistics: Tensors,
  { epochs, steps, stopped, best, state }: Checkpoint,
): Uint8Array[] {
  const { tensors, optimizer, average } = state;
  const record = recordOf(of, { epochs, steps, stopped, best, state });
  const rows = rowsOf(model);
  const separate = best !== null && best.tensors !== tensors;
  const named = new Map<string, Tensor>([
    ...namedGroup(STATISTICS, rows.statistics, statistics),
    ...namedGroup(WEIGHTS, rows.weights, tensors),
    ...optimizer.slots.flatMap((slot, index) => namedGroup(slotGroup(index), rows.trained, slot)),
    ...(average ? namedGroup(AVERAGE, rows.trained, average) : []),
    ...(separate ? namedGroup(BEST, rows.weights, best.tensors) : []),
  ]);
  return safetensorsParts(named, { [RECORD_KEY]: JSON.stringify(record) });
}

/** What a checkpoint's metadata hold of a training. */
function recordOf(
  of: unknown,
  { epochs, steps, stopped, best, state }: Checkpoint,
): v.InferInput<typeof StoredRecord> {
  const { optimizer, dropoutSteps, batchesTracked } = state;
  return {
    of,
    epochs: epochs.map((figures) => ({ ...figures })),
    stopped,
    best: best && { epoch: best.epoch, batchesTracked: best.batchesTracked },
    steps,
    batchesTracked,
    optimizerSteps: optimizer.steps,
    dropoutSteps,
    slots: optimizer.slots.length,
  };
}

/** Throws `format`, `usage`, `range` or `shape` for an object that is no checkpoint; `source` is what it is called. */
export function checkCheckpoint(checkpoint: unknown, source: string): asserts checkpoint is ModelCheckpoint {
  expectKeys(source, checkpoint, ['model', 'statistics', 'training']);
  const { model, statistics, training } = checkpoint as ModelCheckpoint;
  const expected = 'what onCheckpoint or a history gave';
  const hasParts =
    Array.isArray(training?.epochs) &&
    Array.isArray(training.state?.optimizer?.slots) &&
    (training.best === null || typeof training.best === 'object');
  if (!hasParts) throw problem('usage', { subject: source, found: checkpoint, expected });
  const rows = rowsOf(parseSpec(model, source));
  const result = v.safeParse(StoredRecord, recordOf(model, training));
  if (!result.success) {
    const path = v.getDotPath(result.issues[0]) ?? 'training';
    throw formatError(source, `${path} is missing or wrong`, expected);
  }
  expectOrder(result.output, source);
  const { best, state } = training;
  expectTensors(`${source}.statistics`, statistics, rows.statistics);
  expectTensors(`${source}.training.state.tensors`, state.tensors, rows.weights);
  if (best !== null) expectTensors(`${source}.training.best.tensors`, best.tensors, rows.weights);
}

/**
 * The checkpoint in a file's bytes; `modelOf` gives the model for the record's `of`, or throws. Throws
 * `format` errors that begin with `source` for bytes that are none.
 */
export function readCheckpoint(
  bytes: Uint8Array,
  source: string,
  modelOf: (of: unknown) => ModelSpec,
): ModelCheckpoint {
  const { tensors: entries, metadata } = decodeSafetensors(bytes, source);
  const record = readRecord(metadata?.[RECORD_KEY], source);
  const model = modelOf(record.of);
  expectOrder(record, source);
  const found = new Map([...entries].map(([name, entry]) => [name, tensorOf(entry, name, source)] as const));
  const rows = rowsOf(model);
  const { epochs, stopped, steps, batchesTracked, optimizerSteps, dropoutSteps } = record;
  const has = (group: string, [first]: readonly TensorRow[]) => found.has(`${group}/${first!.key}`);
  const tensors = readGroup(WEIGHTS, rows.weights, found, source);
  let best: Checkpoint['best'] = null;
  if (record.best !== null) {
    const separate = has(BEST, rows.weights);
    best = { ...record.best, tensors: separate ? readGroup(BEST, rows.weights, found, source) : tensors };
  }
  const slots = Array.from({ length: record.slots }, (_, slot) =>
    readGroup(slotGroup(slot), rows.trained, found, source),
  );
  return {
    model,
    statistics: readGroup(STATISTICS, rows.statistics, found, source),
    training: {
      epochs,
      steps,
      stopped,
      best,
      state: {
        tensors,
        optimizer: { steps: optimizerSteps, slots },
        dropoutSteps,
        batchesTracked,
        ...(has(AVERAGE, rows.trained) && { average: readGroup(AVERAGE, rows.trained, found, source) }),
      },
    },
  };
}

function readRecord(text: string | undefined, source: string): v.InferOutput<typeof StoredRecord> {
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
  // Not `result.output`, whose keys are in another order.
  return json as v.InferOutput<typeof StoredRecord>;
}

function expectOrder({ epochs, best }: v.InferOutput<typeof StoredRecord>, source: string): void {
  const done = epochs.length;
  if (epochs.some(({ epoch }, index) => epoch !== index + 1)) {
    throw formatError(source, `its epochs are ${epochs.map(({ epoch }) => epoch)}`, '1, 2 and so on');
  }
  const isBest = best === null ? done === 0 : best.epoch >= 1 && best.epoch <= done;
  if (!isBest) throw formatError(source, `its best epoch is ${best?.epoch ?? 'none'}`, `one of its ${done}`);
}

/** A model's tensors by group. */
function rowsOf(model: ModelSpec): Record<'statistics' | 'weights' | 'trained', readonly TensorRow[]> {
  const table = tensorTable(model);
  const weights = table.filter(({ layer }) => layer >= 0);
  return {
    statistics: table.filter(({ layer }) => layer < 0),
    weights,
    trained: weights.filter(({ trained }) => trained),
  };
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
