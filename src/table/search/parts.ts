import { type ModelSpec, mlp, type Optimizer } from '#bindings';
import { type Data, defaultRate, type FitOptions } from '../../model/options.js';
import { encodeFeatures, encodeTargets } from '../encode.js';
import type { TableEncoder } from '../encoder.js';
import type { Fold } from '../folds.js';
import { type Decided, type PrepareOptions, prepare, settled } from '../prepare.js';
import { type SplitOptions, splitTable } from '../split.js';
import { type Table, takeTableRows } from '../table.js';
import type { Settings } from './grid.js';

/** Rows of one part of a search: those that are trained on, that end training, and that are scored. */
export interface PartTables {
  readonly train: Table;
  readonly validation: Table;
  /** The validation rows themselves where there is no cross-validation. */
  readonly scored: Table;
}

/** The same as features, by the encoders that the training rows have given. */
export interface PartData {
  readonly encoder: TableEncoder;
  /** Of each of the three. */
  readonly rows: { readonly train: number; readonly validation: number; readonly scored: number };
  readonly train: Data;
  readonly validation: Data;
  readonly scored: Data;
}

/** How rows are held out, all through a search. */
export interface Division extends Omit<SplitOptions, 'share'> {
  /** Share of the rows trained on that ends training early. */
  validation: number;
}

/** The rows of a training on a table. Throws as {@link splitTable}. */
export function divided(table: Table, { validation, ...rule }: Division): PartTables {
  const { rest, held } = splitTable(table, { ...rule, share: validation });
  return { train: rest, validation: held, scored: held };
}

/** The rows of each fold. Throws as {@link splitTable} for what is left of them. */
export function foldedParts(table: Table, folds: readonly Fold[], division: Division): (() => PartTables)[] {
  return folds.map(({ rest, held }) => () => ({
    ...divided(takeTableRows(table, rest), division),
    scored: takeTableRows(table, held),
  }));
}

/** Learns the encoders of a part from its training rows alone, and encodes it. Throws `data` as {@link prepare}. */
export function encodePart(
  { train, validation, scored }: PartTables,
  asked: PrepareOptions,
  whole: Decided,
): PartData {
  const { encoder, x } = prepare(train, { ...asked, ...settled(whole) });
  const own = (table: Table, source: string): Data => ({
    x: encodeFeatures(table, encoder.columns, source),
    y: targetsOf(table, encoder),
  });
  const held = own(validation, 'The held-out rows');
  return {
    encoder,
    rows: { train: train.rows, validation: validation.rows, scored: scored.rows },
    train: { x, y: targetsOf(train, encoder) },
    validation: held,
    scored: scored === validation ? held : own(scored, 'The rows of the fold'),
  };
}

/** Classes as their indices: numbers are handed to other threads sooner than names. */
function targetsOf(table: Table, { target }: TableEncoder): Uint32Array | Float64Array {
  const y = encodeTargets(table, target);
  if (target.task === 'regression') return y as Float64Array;
  const places = new Map(target.classes.map((name, at) => [name, at]));
  return Uint32Array.from(y as string[], (name) => places.get(name)!);
}

/** The network of a candidate, for features and targets of an encoder. */
export function specOf(
  { target }: TableEncoder,
  features: number,
  hidden: readonly number[],
  { activation, norm, dropout = 0 }: Settings,
): ModelSpec {
  const spec = mlp({
    inputs: features,
    hidden,
    outputs: target.task === 'classification' ? target.classes.length : target.names.length,
    inputType: 'sparse',
    ...(activation !== undefined && { activation }),
    ...(norm !== undefined && { norm }),
    ...(dropout > 0 && { dropout }),
  });
  return target.task === 'classification' ? { ...spec, classes: target.classes } : spec;
}

/** How a candidate is trained: what all have in common, and its own settings over that. */
export function fitOptionsOf(base: FitOptions, settings: Settings): FitOptions & { epochs: number } {
  const { learningRate, schedule, optimizer, weightDecay, batchSize, epochs, patience } = settings;
  const steps = optimizerOf(base.optimizer ?? { type: 'adamW' }, optimizer, weightDecay);
  const usual = base.learningRate ?? defaultRate(steps);
  const rate = learningRate ?? (typeof usual === 'object' ? usual.rate : usual);
  const type = schedule ?? (typeof usual === 'object' ? usual.type : 'cosine');
  const isChosen = learningRate !== undefined || schedule !== undefined;
  return {
    ...base,
    epochs: epochs ?? base.epochs!,
    optimizer: steps,
    learningRate: isChosen ? ({ ...(typeof usual === 'object' && usual), type, rate } as never) : usual,
    ...(batchSize !== undefined && { batchSize }),
    ...(patience !== undefined && { patience }),
  };
}

function optimizerOf(
  base: Optimizer,
  type: Settings['optimizer'],
  weightDecay: number | undefined,
): Optimizer {
  const steps: Optimizer = type === undefined || type === base.type ? base : { type };
  if (weightDecay === undefined) return steps;
  return steps.type === 'adamW' ? { ...steps, weightDecay } : { ...steps, l2: weightDecay };
}
