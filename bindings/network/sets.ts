import { rangeError } from '../errors/checks.js';
import { problem } from '../errors/problem.js';
import { outputsOf } from '../model/layers.js';
import { LOSSES } from '../model/losses.js';
import { ENTRY_BYTES, type SetPlan } from '../program/samples.js';
import type { NetworkContext } from './context.js';
import { sampleDensity } from './density.js';
import {
  type Csr,
  checkInputs,
  checkTargets,
  checkWeights,
  type Inputs,
  type Samples,
  type Targets,
} from './samples.js';

/** What one loading of a set left in it. */
export interface Loaded {
  readonly rows: number;
  readonly weighted: boolean;
  readonly targets: boolean;
}

/** A resident set: its place, and what it holds. */
export interface LoadedSet {
  readonly plan: SetPlan;
  readonly loaded: Loaded;
}

/** The samples of one training step. */
export interface Batch {
  readonly set: SetPlan;
  readonly weighted: boolean;
  /** How many, the address of their indices in the set, and the indices. */
  readonly rows: number;
  readonly order: number;
  readonly indices: Uint32Array;
}

/** The samples in a network's memory: the resident sets, and the stage for a batch that comes from outside. */
export class SampleSets {
  readonly #context: NetworkContext;
  /** What each set holds. */
  readonly #loaded: Loaded[];

  constructor(context: NetworkContext) {
    this.#context = context;
    this.#loaded = context.memory.plan.sets.map(() => ({ rows: 0, weighted: false, targets: false }));
  }

  /** Copies samples into a set, once all of them are checked. Throws as Network's load(). */
  load(index: number, { inputs, targets, weights }: Samples): void {
    const { memory, model, loss, density } = this.#context;
    const set = this.#planOf(index);
    const rows = checkInputs('inputs', inputs, model);
    if (rows > set.rows)
      throw rangeError('The number of rows', rows, `at most ${set.rows}, for which there is room`);
    if (targets !== undefined) checkTargets('targets', targets, rows, model, loss);
    if (weights !== undefined) checkWeights('weights', weights, rows);
    writeInputs(this.#context, set, inputs, 0, rows);
    if (targets !== undefined) writeTargets(this.#context, set, targets, 0, rows);
    if (weights !== undefined) memory.f32(set.weights).set(Float32Array.from(weights));
    this.#loaded[index] = { rows, weighted: weights !== undefined, targets: targets !== undefined };
    const { type, features } = model.input;
    if (index !== 0 || type === 'sparse') return;
    const values = type === 'u8' ? memory.u8(set.samples) : memory.f32(set.samples);
    density.measure(0, sampleDensity(values, features, rows));
  }

  /** A set that has samples. Throws `range` for one that there is not, `usage` for an empty one. */
  at(index: number): LoadedSet {
    const plan = this.#planOf(index);
    const loaded = this.#loaded[index]!;
    if (loaded.rows > 0) return { plan, loaded };
    throw problem('usage', {
      subject: `sets[${index}]`,
      found: 'empty',
      expected: 'a set that samples were loaded into',
    });
  }

  /** A set that has samples with targets. Throws as {@link at}, and `usage` for a set without targets. */
  withTargets(index: number): LoadedSet {
    const set = this.at(index);
    if (set.loaded.targets) return set;
    throw problem('usage', {
      subject: `sets[${index}]`,
      found: 'without targets',
      expected: 'a set with targets',
    });
  }

  /**
   * Puts one batch into memory. Throws `usage`, `shape` or `range` for samples that are not what the model and the loss
   * take, and for none or more than there is room for.
   */
  stage({ inputs, targets, weights }: Samples): Batch {
    const { memory, model, loss } = this.#context;
    const { stage, stageOrder, maxRows } = memory.plan;
    const rows = checkInputs('inputs', inputs, model);
    if (rows === 0 || rows > maxRows)
      throw rangeError('The number of rows in the batch', rows, `from 1 to ${maxRows}`);
    checkTargets('targets', targets, rows, model, loss);
    if (weights !== undefined) checkWeights('weights', weights, rows);
    writeInputs(this.#context, stage, inputs, 0, rows);
    writeTargets(this.#context, stage, targets!, 0, rows);
    if (weights !== undefined) memory.f32(stage.weights).set(Float32Array.from(weights));
    return {
      set: stage,
      weighted: weights !== undefined,
      rows,
      order: memory.address(stageOrder),
      indices: memory.u32(stageOrder).subarray(0, rows),
    };
  }

  #planOf(index: number): SetPlan {
    const { sets } = this.#context.memory.plan;
    const set = sets[index];
    if (set === undefined) throw rangeError('set', index, `a set below ${sets.length}`);
    return set;
  }
}

/**
 * Writes rows [from, to) of checked inputs to the start of a set, standardised where the model's tensors say so.
 * Throws `range` for sparse rows that hold more values than the set has room for.
 */
export function writeInputs(
  context: NetworkContext,
  set: SetPlan,
  inputs: Inputs,
  from: number,
  to: number,
): void {
  const { memory, model, statistics } = context;
  const { features, type } = model.input;
  if (type === 'sparse') {
    writeCsr(context, set, inputs as Csr, from, to);
    return;
  }
  const values = (inputs as Exclude<Inputs, Csr>).subarray(from * features, to * features);
  if (type === 'u8') {
    memory.u8(set.samples).set(values);
    return;
  }
  const target = memory.f32(set.samples);
  const mean = statistics.get('input.mean');
  if (mean === undefined) {
    target.set(values);
    return;
  }
  const deviation = statistics.get('input.deviation')!;
  for (let at = 0, row = from; row < to; row++) {
    for (let column = 0; column < features; column++, at++) {
      target[at] = (values[at]! - mean[column]!) / deviation[column]!;
    }
  }
}

function writeCsr(
  { memory }: NetworkContext,
  set: SetPlan,
  { indptr, indices, values }: Csr,
  from: number,
  to: number,
): void {
  const base = memory.address(set.entries!);
  const starts = memory.u32(set.samples);
  const entries = memory.u32(set.entries!);
  const floats = memory.f32(set.entries!);
  const [first, last] = [indptr[from]!, indptr[to]!];
  if (2 * (last - first) > entries.length) {
    const expected = `at most ${entries.length >> 1}, for which there is room`;
    throw rangeError('The number of values in a batch', last - first, expected);
  }
  const panelBytes = 4 * memory.instance.constants.panel;
  for (let row = from; row <= to; row++) starts[row - from] = base + ENTRY_BYTES * (indptr[row]! - first);
  for (let at = first, word = 0; at < last; at++, word += 2) {
    entries[word] = indices[at]! * panelBytes;
    floats[word + 1] = values[at]!;
  }
}

/** Writes rows [from, to) of checked targets to the start of a set, standardised where the model's tensors say so. */
export function writeTargets(
  { memory, model, loss, statistics }: NetworkContext,
  set: SetPlan,
  targets: Targets,
  from: number,
  to: number,
): void {
  if (LOSSES[loss.type].targets === 'classes') {
    const labels = memory.u32(set.targets);
    for (let row = from; row < to; row++) labels[row - from] = targets[row]!;
    return;
  }
  const outputs = outputsOf(model);
  const floats = memory.f32(set.targets);
  const mean = statistics.get('target.mean');
  const deviation = statistics.get('target.deviation');
  for (let at = 0, from0 = from * outputs; from0 + at < to * outputs; at++) {
    const value = targets[from0 + at]!;
    const column = at % outputs;
    floats[at] = mean ? (value - mean[column]!) / deviation![column]! : value;
  }
}
