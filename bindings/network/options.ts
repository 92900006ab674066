import { type Core, expectMemory } from '../core/core.js';
import { expectBoolean, expectKeys, expectNumber, expectWhole, rangeError } from '../errors/checks.js';
import { problem } from '../errors/problem.js';
import { checkAugment } from '../model/augment.js';
import { checkModel, type Head, type ModelSpec, outputsOf } from '../model/layers.js';
import { checkLoss, LOSSES, usualLoss } from '../model/losses.js';
import { checkOptimizer } from '../model/optimizers.js';
import type { ResidentSet, TrainingUse, Use } from '../program/use.js';
import { memoryFor, planConstants } from './memory.js';

/** The largest batch size that is accepted. */
export const MAX_BATCH = 65536;

/** What training asks of a network. */
export type TrainingOptions = TrainingUse;

/** What a network is made for. */
export interface NetworkOptions {
  /** Draws the initial weights and every dropout mask; a whole number from 0 to 2^53 - 1. Default: 0. */
  seed?: number;
  /** Most samples in a training batch, from 1 to MAX_BATCH. A batch may hold one more: the epoch's last, joined. */
  batchSize?: number;
  /** Left out or null: a network that only predicts. It keeps folded weights alone, and no training state. */
  training?: TrainingOptions | null;
  /** Sets of samples that will be kept in memory, by their sizes; `load` fills them. */
  sets?: readonly ResidentSet[];
  /** Most threads that take part, helpers included. Default: 1. */
  threads?: number;
  /** Most values of sparse samples that are put into memory at once, for predictions and streamed batches. */
  stageEntries?: number;
}

/** Rows that a network without training takes at once, and the bytes of their buffers that it keeps within. */
const INFERENCE_ROWS = 256;
const INFERENCE_BYTES = 1.625 * 2 ** 20;

/** Default room for staged sparse values. */
const STAGE_ENTRIES = 1 << 16;

/**
 * Throws what the constructor of Network would throw for these arguments, `range` for a network that needs more memory than
 * WebAssembly has among it. Allocates none of it.
 */
export function checkNetwork(core: Core, model: ModelSpec, options: NetworkOptions = {}): void {
  expectMemory(memoryFor(core, model, checkOptions(core, model, options).use));
}

/** What a network is planned for, from checked arguments. */
export function checkOptions(
  core: Core,
  model: ModelSpec,
  options: NetworkOptions,
): { use: Use; head: Head } {
  expectKeys('options', options, ['seed', 'batchSize', 'training', 'sets', 'threads', 'stageEntries']);
  const { seed = 0, batchSize = 256, training = null, sets = [], threads = 1 } = options;
  checkModel(model);
  expectWhole('seed', seed, 0);
  expectWhole('batchSize', batchSize, 1, MAX_BATCH);
  expectWhole('threads', threads, 1, 64);
  if (training !== null) checkTraining(training, model);
  sets.forEach(({ rows, entries = 0 }, index) => {
    expectWhole(`sets[${index}].rows`, rows, 0, 2 ** 31);
    expectWhole(`sets[${index}].entries`, entries, 0, 2 ** 31);
  });
  const features = model.input.features;
  const stageEntries =
    model.input.type === 'sparse' ? (options.stageEntries ?? Math.max(STAGE_ENTRIES, features)) : 0;
  expectWhole('stageEntries', stageEntries, 0, 2 ** 31);

  const head = training ? LOSSES[training.loss.type].head : (model.output?.head ?? 'softmax');
  const loss = training?.loss ?? usualLoss(head);
  const use: Use = {
    rows: training === null ? inferenceRows(model) : batchSize + 1,
    threads,
    training,
    loss,
    sets,
    stageEntries,
    kernels: core.kernels,
    core: planConstants(core),
  };
  return { use, head };
}

/** As many rows as keep an inference's buffers within INFERENCE_BYTES, and at least one tile of them. */
function inferenceRows(model: ModelSpec): number {
  const widest = Math.max(
    model.input.type === 'sparse' ? 1 : model.input.features,
    ...model.layers.map((layer) => (layer.type === 'dense' ? layer.units : 1)),
  );
  // Two products, one packed input and one compressed input of 8 bytes an element.
  const perRow = 20 * widest;
  return Math.max(12, Math.min(INFERENCE_ROWS, Math.floor(INFERENCE_BYTES / perRow)));
}

function checkTraining(training: TrainingUse, model: ModelSpec): void {
  expectKeys('training', training, [
    'loss',
    'optimizer',
    'clipNorm',
    'frozenStatistics',
    'average',
    'augment',
  ]);
  checkLoss(training.loss);
  checkOptimizer(training.optimizer);
  expectBoolean('training.frozenStatistics', training.frozenStatistics);
  expectBoolean('training.average', training.average);
  if (training.clipNorm !== undefined)
    expectNumber('training.clipNorm', training.clipNorm, 'a number above 0', (value) => value > 0);
  if (training.augment !== undefined) checkAugment('training.augment', training.augment, model.input);
  const { head } = LOSSES[training.loss.type];
  if (model.output !== undefined && model.output.head !== head) {
    throw problem('range', {
      subject: 'output.head',
      found: model.output.head,
      expected: `'${head}', because the loss is ${training.loss.type},`,
    });
  }
  if (head === 'softmax' && outputsOf(model) < 2)
    throw rangeError('The number of outputs', outputsOf(model), 'at least 2 classes');
}
