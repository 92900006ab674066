import type { CoreConstants } from '../core/core.js';
import type { Kernels } from '../core/kernels.js';
import type { Augment } from '../model/augment.js';
import type { Loss } from '../model/losses.js';
import type { Optimizer } from '../model/optimizers.js';

/** What training asks of a plan. */
export interface TrainingUse {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /** Largest norm of all gradients together; left out, they are not clipped. */
  readonly clipNorm?: number;
  /** BatchNorm normalises with its running statistics, which do not move. */
  readonly frozenStatistics?: boolean;
  /** Keep a running average of the parameters. */
  readonly average?: boolean;
  /** Change the images of each batch; `u8` inputs with a shape only. */
  readonly augment?: Augment;
}

/** A set of samples that stays in memory. */
export interface ResidentSet {
  readonly rows: number;
  /** Values that a sparse set holds. */
  readonly entries?: number;
}

/** What a plan is made for, besides the model. */
export interface Use {
  /** Most rows of a program's batch. */
  readonly rows: number;
  readonly threads: number;
  /** Null: inference alone, without moments, gradients, masks or training programs. */
  readonly training: TrainingUse | null;
  /** The loss that rows with targets are measured by. */
  readonly loss: Loss;
  readonly sets: readonly ResidentSet[];
  /** Values of sparse samples that are staged at once. */
  readonly stageEntries: number;
  readonly kernels: Kernels;
  readonly core: PlanConstants;
}

/** The core's constants that a plan depends on. */
export type PlanConstants = Pick<
  CoreConstants,
  | 'panel'
  | 'rowPadding'
  | 'kBlock'
  | 'keepAll'
  | 'stateBytes'
  | 'scratchBytes'
  | 'factorVectors'
  | 'normChunk'
> & {
  /** Bytes for the compressed entries of one row of K elements. */
  entryStride(K: number): number;
};
