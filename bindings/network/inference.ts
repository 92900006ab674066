import { hasSparseGradient } from '../program/product.js';
import { ENTRY_BYTES, type SetPlan } from '../program/samples.js';
import type { Buffer } from '../program/types.js';
import type { NetworkContext } from './context.js';
import { COMPRESS_BELOW, sampleDensity } from './density.js';
import type { Csr, Inputs, Targets } from './samples.js';
import { writeInputs, writeTargets } from './sets.js';

/** Rows from which on inference packs samples instead of reading only the weights that they need. */
const MANY_ROWS = 6;

/** Reads what a run over `rows` rows leaves; `first` is the place of the first of them among all. */
export type Take = (first: number, rows: number) => void;

/** Runs a network forward, as many rows at once as there is room for, and keeps the folded weights up to date. */
export class Inference {
  readonly #context: NetworkContext;
  /** The revision whose parameters the folded weights are made of. */
  #folded = -1;

  /**
   * Writes the programs. They compress what comes out of ReLU, half of which is zero, and samples where they are sparse; of
   * a few rows everything, so that only the weights that they need are read.
   */
  constructor(context: NetworkContext) {
    this.#context = context;
    const { memory } = context;
    const { plan } = memory;
    const after = plan.blocks.map((_, l) => hasSparseGradient(plan.blocks, l));
    memory.writeProgram('fold', plan.fold);
    memory.writeProgram('infer', plan.infer(after));
    memory.writeProgram('inferSparse', plan.infer([true, ...after.slice(1)]));
    memory.writeProgram('inferFew', plan.infer(plan.blocks.map(() => true)));
  }

  /** Folds BatchNorm into the weights, unless they are those of the present parameters. */
  fold(): void {
    const { memory, revision } = this.#context;
    if (this.#folded === revision) return;
    if (memory.plan.fold.length > 0) memory.run('fold');
    this.#folded = revision;
  }

  /** Runs over rows of a resident set, in this order. */
  overSet({ samples, targets }: SetPlan, order: Uint32Array, take: Take): void {
    const { memory, density } = this.#context;
    const { batchOrder, maxRows } = memory.plan;
    const isSparse = density.compressed[0]!;
    this.fold();
    for (let first = 0; first < order.length; first += maxRows) {
      const rows = Math.min(maxRows, order.length - first);
      memory.u32(batchOrder).set(order.subarray(first, first + rows));
      this.#run(rows, { samples, order: batchOrder, targets }, isSparse);
      take(first, rows);
    }
  }

  /** Runs over `count` samples that are not resident, checked ones; without targets there are no losses. */
  overSamples(inputs: Inputs, targets: Targets | null, count: number, take: Take): void {
    const { memory } = this.#context;
    const { stage, stageOrder, maxRows } = memory.plan;
    const isSparse = this.#isSparse(inputs, count);
    this.fold();
    for (let first = 0; first < count; ) {
      const rows = this.#stageable(inputs, first, Math.min(maxRows, count - first));
      writeInputs(this.#context, stage, inputs, first, first + rows);
      if (targets !== null) writeTargets(this.#context, stage, targets, first, first + rows);
      this.#run(
        rows,
        { samples: stage.samples, order: stageOrder, targets: targets && stage.targets },
        isSparse,
      );
      take(first, rows);
      first += rows;
    }
  }

  /** Copies the outputs of the latest run, in the targets' own units, to the rows of `result` from `first` on. */
  readOutputs(result: Float32Array, first: number, rows: number): void {
    const { memory, statistics } = this.#context;
    const { p, C, ld } = memory.plan.output;
    const padded = memory.f32(p);
    const mean = statistics.get('target.mean');
    const deviation = statistics.get('target.deviation');
    for (let b = 0; b < rows; b++) {
      const to = (first + b) * C;
      for (let c = 0; c < C; c++) {
        const value = padded[b * ld + c]!;
        result[to + c] = mean === undefined ? value : value * deviation![c]! + mean[c]!;
      }
    }
  }

  #run(rows: number, batch: { samples: Buffer; order: Buffer; targets: Buffer | null }, isSparse: boolean) {
    const { memory } = this.#context;
    memory.setBatch({ ...batch, rows, weights: null });
    memory.run(rows < MANY_ROWS ? 'inferFew' : isSparse ? 'inferSparse' : 'infer');
  }

  /** Whether samples that are not resident are compressed; with training the resident ones decide. */
  #isSparse(inputs: Inputs, rows: number): boolean {
    const { memory, model, density } = this.#context;
    const { type, features, standardize } = model.input;
    if (memory.plan.training !== null || type === 'sparse' || standardize || rows < MANY_ROWS)
      return density.compressed[0]!;
    return sampleDensity(inputs as Exclude<Inputs, Csr>, features, rows) < COMPRESS_BELOW;
  }

  /** How many of `rows` rows from `first` on can be staged at once. */
  #stageable(inputs: Inputs, first: number, rows: number): number {
    const { memory, model } = this.#context;
    if (model.input.type !== 'sparse') return rows;
    const { indptr } = inputs as Csr;
    const room = memory.plan.stage.entries!.bytes / ENTRY_BYTES;
    let taken = 1;
    while (taken < rows && indptr[first + taken + 1]! - indptr[first]! <= room) taken++;
    return taken;
  }
}
