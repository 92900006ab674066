import { expectKeys, expectNumber, expectOneOf, expectWhole, problem } from '#bindings';

/** How the learning rate changes. Plain JSON, so that jobs and files can hold it; `rate` is always the largest rate. */
export type Schedule =
  | { readonly type: 'constant'; readonly rate: number }
  /** rate x factor^floor(epoch / every). */
  | { readonly type: 'step'; readonly rate: number; readonly every: number; readonly factor?: number }
  /** rate x factor^epoch. */
  | { readonly type: 'exponential'; readonly rate: number; readonly factor: number }
  /** Linear from 0 over the first `warmup` share of the steps, then half a cosine down to `least` (Loshchilov and Hutter, 2017). */
  | { readonly type: 'cosine'; readonly rate: number; readonly warmup?: number; readonly least?: number }
  /** From rate / 25 up to rate over the first `warmup` share of the steps, then down to rate / 250000, both by half a cosine (Smith and Topin, 2018). */
  | { readonly type: 'oneCycle'; readonly rate: number; readonly warmup?: number }
  /** rate x factor^n, n the times that the watched figure has not improved for `patience` epochs. */
  | {
      readonly type: 'plateau';
      readonly rate: number;
      readonly factor?: number;
      readonly patience?: number;
      readonly least?: number;
    };

/** A rate, a schedule, or a function of the place in training. */
export type LearningRate = number | Schedule | ((place: SchedulePlace) => number);

/** Where a step stands. */
export interface SchedulePlace {
  /** Steps before it, since training began. */
  readonly step: number;
  /** Epochs before it. */
  readonly epoch: number;
  /** Steps and epochs in all; Infinity where nobody knows. */
  readonly steps: number;
  readonly epochs: number;
  /** Times that the rate was lowered on a plateau. */
  readonly lowered: number;
}

const PLATEAU_PATIENCE = 5;
const STEP_FACTOR = 0.1;
const PLATEAU_FACTOR = 0.5;
const COSINE_WARMUP = 0.05;
const ONE_CYCLE_WARMUP = 0.3;

/** The rate of a step. Pure. */
export function rateAt(learningRate: LearningRate, place: SchedulePlace): number {
  if (typeof learningRate === 'number') return learningRate;
  if (typeof learningRate === 'function') {
    const rate = learningRate(place);
    expectNumber('The rate that learningRate returned', rate, 'a number above 0', (value) => value > 0);
    return rate;
  }
  // A rate that has become too small for a number stands still: a training does not end for that.
  return Math.max(scheduled(learningRate, place), Number.MIN_VALUE);
}

function scheduled(learningRate: Schedule, place: SchedulePlace): number {
  const { rate } = learningRate;
  switch (learningRate.type) {
    case 'constant':
      return rate;
    case 'step':
      return rate * (learningRate.factor ?? STEP_FACTOR) ** Math.floor(place.epoch / learningRate.every);
    case 'exponential':
      return rate * learningRate.factor ** place.epoch;
    case 'cosine': {
      const { warmup = COSINE_WARMUP, least = 0 } = learningRate;
      const warm = Math.round(warmup * place.steps);
      if (place.step < warm) return (rate * (place.step + 1)) / (warm + 1);
      // The last step still moves: the cosine ends one step behind it.
      return between(rate, least, (place.step - warm) / Math.max(1, place.steps - warm));
    }
    case 'oneCycle': {
      const { warmup = ONE_CYCLE_WARMUP } = learningRate;
      const warm = Math.max(1, Math.round(warmup * place.steps));
      if (place.step < warm) return between(rate / 25, rate, place.step / warm);
      return between(rate, rate / 250_000, (place.step - warm) / Math.max(1, place.steps - warm));
    }
    default: {
      const { factor = PLATEAU_FACTOR, least = 0 } = learningRate;
      return Math.max(rate * factor ** place.lowered, least);
    }
  }
}

/** Half a cosine from `from` to `to`. */
function between(from: number, to: number, share: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * Math.min(1, share)))) / 2;
}

/** Epochs without improvement after which a plateau lowers the rate; null for other schedules. */
export function plateauPatience(learningRate: LearningRate): number | null {
  if (typeof learningRate !== 'object' || learningRate.type !== 'plateau') return null;
  return learningRate.patience ?? PLATEAU_PATIENCE;
}

/** Whether a schedule asks how many steps there are in all. */
export function needsSteps(learningRate: LearningRate): boolean {
  return (
    typeof learningRate === 'object' && (learningRate.type === 'cosine' || learningRate.type === 'oneCycle')
  );
}

const KEYS: Readonly<Record<Schedule['type'], readonly string[]>> = {
  constant: [],
  step: ['every', 'factor'],
  exponential: ['factor'],
  cosine: ['warmup', 'least'],
  oneCycle: ['warmup'],
  plateau: ['factor', 'patience', 'least'],
};

/** Throws `usage` or `range` for what is no learning rate. */
export function checkLearningRate(learningRate: unknown): asserts learningRate is LearningRate {
  if (typeof learningRate === 'function') return;
  if (typeof learningRate !== 'object' || learningRate === null) {
    expectRate('learningRate', learningRate);
    return;
  }
  const { type, rate } = learningRate as Schedule;
  expectOneOf('learningRate.type', type, Object.keys(KEYS) as Schedule['type'][]);
  expectKeys('learningRate', learningRate, ['type', 'rate', ...KEYS[type]]);
  expectRate('learningRate.rate', rate);
  for (const [name, value] of Object.entries(learningRate)) {
    const subject = `learningRate.${name}`;
    if (value === undefined) continue;
    if (name === 'every' || name === 'patience') expectWhole(subject, value, 1);
    else if (name === 'factor')
      expectNumber(subject, value, 'a number above 0 and at most 1', (x) => x > 0 && x <= 1);
    else if (name === 'warmup')
      expectNumber(subject, value, 'a number from 0 to below 1', (x) => x >= 0 && x < 1);
    else if (name === 'least')
      expectNumber(subject, value, `a number from 0 to the rate, ${rate},`, (x) => x >= 0 && x <= rate);
  }
  const required = type === 'step' ? 'every' : type === 'exponential' ? 'factor' : null;
  if (required !== null && !(required in learningRate)) {
    throw problem('usage', { subject: `learningRate.${required}`, found: undefined, expected: 'a number' });
  }
}

function expectRate(subject: string, rate: unknown): void {
  expectNumber(subject, rate, 'a number above 0', (value) => value > 0 && value <= 1e30);
}
