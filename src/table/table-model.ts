import { type Bytes, expectKeys, problem } from '#bindings';
import { createModel, loadModel } from '../create.js';
import { holdOut } from '../data/hold-out.js';
import { checkTest, TEST_KEY, type TestFigures } from '../formats/hub/test-figures.js';
import { ENCODER_KEY } from '../formats/model-bytes.js';
import { decodeSafetensors, encodeSafetensors, tensorOf } from '../formats/safetensors.js';
import { formatError } from '../formats/tensor.js';
import type { ModelOptions } from '../model/create.js';
import type { Evaluation } from '../model/evaluation.js';
import type { History, Model } from '../model/model.js';
import { defaultBatchSize, type FitOptions } from '../model/options.js';
import { asTable, dataOf } from './data.js';
import { encodeFeatures } from './encode.js';
import { expectFits, readEncoder, type TableEncoder, targetNames } from './encoder.js';
import { type Importance, type ImportanceOptions, importanceOf } from './importance.js';
import type { ColumnDecision } from './kinds.js';
import { type Decided, decide, type PrepareOptions, prepare, settled } from './prepare.js';
import { type Table, type TableRow, takeTableRows } from './table.js';

/** How a model of a table is made and trained; all of `fit`'s options are taken too. */
export interface TableFitOptions extends PrepareOptions, Omit<FitOptions, 'validation' | 'task'> {
  /** Share of the rows that is held out, to end training early, or rows of their own. Default: 0.15. */
  validation?: number | Table;
  /** Seed of the first weights, of the held-out rows and of the order of the others. Default: 0. */
  seed?: number;
  /** How the model is made: threads, core. */
  model?: ModelOptions;
}

/** What training a model of a table has given. */
export interface TableFit {
  readonly model: TableModel;
  readonly columns: readonly ColumnDecision[];
  readonly history: History;
  /** On the rows that were held out. */
  readonly validation: Evaluation;
}

/** Steps of a training by default: more than most tables need, since the rate falls to zero over them. */
const STEPS = 4000;

/**
 * Most epochs and patience by default: {@link STEPS} steps in batches of the default size, but 10 epochs at the least and 200
 * at the most; training ends earlier when a seventh of them has brought no better one.
 */
export function tableDefaults(rows: number): { epochs: number; patience: number } {
  const steps = Math.ceil(rows / defaultBatchSize(rows));
  const epochs = Math.min(200, Math.max(10, Math.round(STEPS / steps)));
  return { epochs, patience: Math.max(3, Math.round(0.15 * epochs)) };
}

/**
 * Trains a model of a table: decides what its columns are, holds rows out, learns the encoders and the network from the
 * others, and keeps the epoch that is best on those held out. Rejects as {@link prepare} and `fit` do.
 *
 * @example
 * const { model } = await fitTable(tableOf(rows), { target: 'species' });
 * model.predict([{ length: 5.1, width: 3.5 }]);
 */
export async function fitTable(table: Table, options: TableFitOptions): Promise<TableFit> {
  if (typeof options !== 'object' || options === null) {
    throw problem('usage', { subject: 'options', found: options, expected: 'an object with the target' });
  }
  const {
    target,
    columns,
    task,
    classes,
    hidden,
    validation = 0.15,
    seed = 0,
    model: made = {},
    ...fit
  } = options;
  const asked: PrepareOptions = Object.fromEntries(
    Object.entries({ target, columns, task, classes, hidden }).filter(([, value]) => value !== undefined),
  ) as unknown as PrepareOptions;
  const whole = decide(table, asked);
  const { train, held } = partsOf(table, validation, seed, whole);
  const { encoder, spec, x, y } = prepare(train, { ...asked, ...settled(whole) });
  const network = await createModel(spec, { ...made, seed });
  try {
    const own = dataOf(held, encoder, 'The held-out rows');
    const history = await network.fit(
      { x, y },
      {
        ...tableDefaults(train.rows),
        ...fit,
        task: encoder.target.task,
        seed,
        validation: own,
      },
    );
    return {
      model: new TableModel(network, encoder),
      columns: whole.columns,
      history,
      validation: network.evaluate(own),
    };
  } catch (error) {
    network.dispose();
    throw error;
  }
}

function partsOf(
  table: Table,
  validation: number | Table,
  seed: number,
  { target, y }: Decided,
): { train: Table; held: Table } {
  if (typeof validation !== 'number') return { train: table, held: validation };
  let labels: Uint32Array | null = null;
  if (target.task === 'classification') {
    const places = new Map(target.classes.map((name, at) => [name, at]));
    labels = Uint32Array.from(y as string[], (name) => places.get(name)!);
  }
  const parts = holdOut(table.rows, validation, seed, labels, `every class of ${targetNames(target)}`);
  return { train: takeTableRows(table, parts.train), held: takeTableRows(table, parts.validation) };
}

/**
 * A network with the encoders of a table. Made by {@link fitTable} and {@link loadTableModel}.
 *
 * @example const { model } = await fitTable(table, { target: 'price' });
 */
export class TableModel {
  constructor(
    /** The network, whose features are the encoder's. */
    readonly network: Model,
    readonly encoder: TableEncoder,
  ) {}

  /**
   * What the model says of each row: the name of a class, a number, or an object of numbers where several are predicted.
   * Columns that it does not know are passed over. Throws `data` for rows that lack columns or have other things in them.
   */
  predict(rows: Table | readonly TableRow[]): (string | number | Record<string, number>)[] {
    const { target } = this.encoder;
    const said = this.network.predict(this.#features(rows)) as (string | number | number[])[];
    if (target.task === 'classification' || target.names.length === 1) return said as (string | number)[];
    return said.map((values) =>
      Object.fromEntries(target.names.map((name, at) => [name, (values as number[])[at]!])),
    );
  }

  /** The probability of each class, an object a row. Throws `usage` for a model of numbers, and as {@link predict}. */
  probabilities(rows: Table | readonly TableRow[]): Record<string, number>[] {
    const { target } = this.encoder;
    if (target.task !== 'classification') {
      throw problem('usage', { subject: 'The model', found: 'one of numbers', expected: 'one of classes' });
    }
    const { classes } = target;
    const all = this.network.probabilities(this.#features(rows));
    return Array.from({ length: all.length / classes.length }, (_, row) =>
      Object.fromEntries(classes.map((name, at) => [name, all[row * classes.length + at]!])),
    );
  }

  /** How well the model does on rows that have targets. Throws `data` as {@link predict}, and for targets that are none. */
  evaluate(rows: Table | readonly TableRow[]): Evaluation {
    return this.network.evaluate(dataOf(asTable(rows), this.encoder, 'The table'));
  }

  /**
   * How much each column matters: by how much the loss grows when the column's cells are shuffled over the rows (permutation
   * importance: Breiman, 2001; Fisher, Rudin and Dominici, 2019). Give it rows that were not trained on. Where rows and columns are
   * many it is measured on some of the rows; the result says on how many. The same rows and seed give the same figures. Throws as
   * {@link evaluate}, and `usage` or `range` for options that are none.
   *
   * @example for (const { column, loss } of model.explain(held).columns) console.log(column, loss);
   */
  explain(rows: Table | readonly TableRow[], options: ImportanceOptions = {}): Importance {
    return importanceOf(this.network, this.encoder, asTable(rows), options);
  }

  /**
   * The model with its encoders as bytes: a safetensors file that `loadTableModel` reads; `loadModel` reads the network. With a
   * `test` the file tells its figures, which the model's card has then; a model that is loaded and saved again has them no more.
   * Throws `usage` for a test that is none.
   */
  save(options: { test?: TestFigures } = {}): Bytes {
    expectKeys('options', options, ['test']);
    const { test } = options;
    const more: Record<string, string> =
      test === undefined ? {} : { [TEST_KEY]: JSON.stringify(checkTest(test)) };
    const bytes = this.network.save();
    const { tensors, metadata } = decodeSafetensors(bytes, 'The model');
    const copies = new Map(
      [...tensors].map(([name, entry]) => [name, tensorOf(entry, name, 'The model')] as const),
    );
    return encodeSafetensors(copies, { ...metadata, [ENCODER_KEY]: JSON.stringify(this.encoder), ...more });
  }

  /** Gives the core's memory back. */
  dispose(): void {
    this.network.dispose();
  }

  #features(rows: Table | readonly TableRow[]) {
    return encodeFeatures(asTable(rows), this.encoder.columns);
  }
}

/**
 * The model in the bytes of {@link TableModel.save}. Rejects with `format` for bytes that are none and for a model without
 * encoders, and as `loadModel`.
 *
 * @example const model = await loadTableModel(await readFile('flowers.safetensors'));
 */
export async function loadTableModel(
  bytes: Uint8Array,
  options: ModelOptions = {},
  source = 'The model',
): Promise<TableModel> {
  const encoder = storedEncoder(bytes, source);
  if (encoder === null) throw formatError(source, `its metadata has no ${ENCODER_KEY}`, 'a model of a table');
  const network = await loadModel(bytes, options);
  try {
    expectFits(encoder, network.spec.input, source);
  } catch (error) {
    network.dispose();
    throw error;
  }
  return new TableModel(network, encoder);
}

/** The encoder that a model's file has beside the network; null for a file without one. Throws `format` as loadTableModel. */
export function encoderOf(bytes: Uint8Array, source: string): TableEncoder | null {
  return bytes[8] === 0x7b ? storedEncoder(bytes, source) : null; // Else it is no safetensors file.
}

function storedEncoder(bytes: Uint8Array, source: string): TableEncoder | null {
  const json = decodeSafetensors(bytes, source).metadata?.[ENCODER_KEY];
  return json === undefined ? null : readEncoder(json, source);
}
