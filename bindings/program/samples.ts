import { type InputType, type ModelSpec, outputsOf } from '../model/layers.js';
import { LOSSES } from '../model/losses.js';
import type { Buffers } from './buffers.js';
import type { Buffer } from './types.js';
import type { Use } from './use.js';

// Samples in memory: the sets that stay there, and the stage for those of one program.

/** Bytes from sample to sample; null for sparse ones, whose rows have row starts. */
export function sampleStride(type: InputType, features: number): number | null {
  return type === 'u8' ? features : type === 'f32' ? 4 * features : null;
}

/** Bytes of an entry of a sparse row. */
export const ENTRY_BYTES = 8;

/** Bytes behind the samples that kernels may read: they take four at a time. */
export const SAMPLE_SLACK = 16;

/** A set of samples in memory. */
export interface SetPlan {
  readonly rows: number;
  /** u8 or f32 rows, or the row starts of sparse ones. */
  readonly samples: Buffer;
  /** The values of sparse rows; null for others. */
  readonly entries: Buffer | null;
  readonly targets: Buffer;
  readonly weights: Buffer;
}

/** All samples that a plan has room for. */
export interface SamplesPlan {
  readonly sets: readonly SetPlan[];
  /** Samples that are put into memory for one program only, and their order: 0, 1, 2, ... */
  readonly stage: SetPlan;
  readonly stageOrder: Buffer;
  /** The order of one batch of an evaluation. */
  readonly batchOrder: Buffer;
}

/** Plans the resident sets and the stage. */
export function planSamples(model: ModelSpec, use: Use, buffers: Buffers): SamplesPlan {
  const { type, features } = model.input;
  const stride = sampleStride(type, features);
  const perRow = LOSSES[use.loss.type].targets === 'classes' ? 1 : Math.max(1, outputsOf(model));
  const setOf = (name: string, rows: number, entries: number): SetPlan => ({
    rows,
    samples: buffers.bytes(
      `${name} samples`,
      stride === null ? 4 * (rows + 1) : rows * stride + SAMPLE_SLACK,
    ),
    entries: stride === null ? buffers.bytes(`${name} entries`, ENTRY_BYTES * entries) : null,
    targets: buffers.bytes(`${name} targets`, 4 * rows * perRow + SAMPLE_SLACK),
    weights: buffers.words(`${name} weights`, rows),
  });
  return {
    sets: use.sets.map(({ rows, entries = 0 }, index) => setOf(`set ${index}`, rows, entries)),
    stage: setOf('stage', use.rows, use.stageEntries),
    stageOrder: buffers.words('stage order', use.rows),
    batchOrder: buffers.words('batch order', use.rows),
  };
}
