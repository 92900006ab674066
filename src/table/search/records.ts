import type { Evaluation } from '../../model/evaluation.js';
import type { EpochFigures } from '../../train/loop.js';
import type { Settings } from './grid.js';
import type { ScoreName, Spread } from './scores.js';

/** One training of a candidate: on one fold, with one seed. Plain data. */
export interface TrialRecord {
  /** Unique in the search: `c3`, with the fold (`c3-f2`) and the seed (`c3-f2-s1`) where there are several. */
  id: string;
  candidate: string;
  /** From 1; null without cross-validation. */
  fold: number | null;
  seed: number;
  /** Rows trained on, held out to end training, and held out to be scored by. */
  rows: { train: number; validation: number; scored: number };
  epochs: EpochFigures[];
  /** The epoch whose weights were scored; null when training failed. */
  kept: number | null;
  /** Why it ended: `halved` where it was given up, or waits for the next rung. */
  ended: 'epochs' | 'patience' | 'halved' | 'failed';
  /** Of the rows that it is scored by; null when training failed. */
  scores: Evaluation | null;
  /** One sentence when training failed. */
  error?: string;
}

/** All trainings of a candidate. */
export interface CandidateRecord {
  id: string;
  settings: Settings;
  /** Mean and deviation of every score over its trainings; null when one of them failed. */
  scores: Partial<Record<ScoreName, Spread>> | null;
  /** The rung after which it was given up, from 1; null for one that was trained to its end. */
  halvedAt: number | null;
  trials: TrialRecord[];
}

/** What happens in a search, in order. */
export type SearchEvent =
  | {
      type: 'search';
      /** Candidates, and trainings of each. */
      candidates: number;
      trainings: number;
      /** Most epochs of each rung's trainings. */
      rungs: { epochs: number; candidates: number }[];
      score: ScoreName;
    }
  | { type: 'rung'; rung: number; candidates: number; epochs: number }
  | { type: 'start'; trial: string; finished: number; epochs: number }
  | { type: 'epoch'; trial: string; figures: EpochFigures }
  | { type: 'trial'; record: TrialRecord }
  | { type: 'warning'; message: string }
  | { type: 'best'; candidate: string; settings: Settings };
