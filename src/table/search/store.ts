import type { ModelCheckpoint } from '../../formats/checkpoint-bytes.js';
import type { TrialRecord } from './records.js';

/** Where a search keeps what it goes on from. What is asked for by a name is what was last kept under it. */
export interface TrialStore {
  /** Least time between two checkpoints of one training, in milliseconds; Infinity where nothing outlives the search. */
  readonly every: number;
  record(name: string): Promise<TrialRecord | null>;
  keepRecord(name: string, record: TrialRecord): Promise<void>;
  checkpoint(trial: string): Promise<ModelCheckpoint | null>;
  keepCheckpoint(trial: string, checkpoint: ModelCheckpoint): Promise<void>;
  dropCheckpoint(trial: string): Promise<void>;
}

/** A store that lasts as long as the search. */
export function memoryStore(): TrialStore {
  const checkpoints = new Map<string, ModelCheckpoint>();
  return {
    every: Number.POSITIVE_INFINITY,
    record: async () => null,
    keepRecord: async () => {},
    checkpoint: async (trial) => checkpoints.get(trial) ?? null,
    keepCheckpoint: async (trial, checkpoint) => void checkpoints.set(trial, checkpoint),
    dropCheckpoint: async (trial) => void checkpoints.delete(trial),
  };
}
