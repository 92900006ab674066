import { loadModel, outputsOf, TreadleError } from 'treadle';
import {
  assess,
  type Cell,
  type Decided,
  dateOf,
  decide,
  decideKinds,
  encodeTable,
  type Kind,
  loadTableModel,
  predictedColumns,
  prepare,
  readTable,
  settled,
  splitTable,
  type Table,
  type TableEncoder,
  TableModel,
  toCsv,
} from 'treadle/tables';
import { KIND_NAMES } from './kinds.ts';
import type { RowField, Said, TableService } from './messages.ts';
import { fieldsOf } from './row-fields.ts';
import { TEST, VALIDATION } from './shares.ts';

/** Rows of the preview. */
const PREVIEW = 8;

/** A table as it was made ready once: a model that was trained on it keeps its encoder and test rows, whatever is chosen since. */
interface Prepared {
  encoder: TableEncoder;
  test: Table;
}

let table: Table | null = null;
const prepared = new Map<number, Prepared>();
let next = 1;
let model: TableModel | null = null;
/** The test rows of `model`. */
let test: Table | null = null;

const firstRows = ({ columns, rows }: Table, count: number): Cell[][] =>
  Array.from({ length: Math.min(rows, count) }, (_, row) =>
    columns.map(({ cells }) => cells.at(row) ?? null),
  );

/** A column's kind that its cells are not of, in the page's words. */
function inPageWords(error: unknown): unknown {
  if (!(error instanceof TreadleError) || !Object.hasOwn(KIND_NAMES, String(error.found))) return error;
  const { subject = '', found, message } = error;
  const name = subject.replace(/^columns\./, '');
  const kind = KIND_NAMES[found as Kind];
  return new Error(
    message
      .replace(`${subject} is ${found}`, () => `${name} cannot be taken for ${kind}`)
      .replace('yesNo for two values such as yes and no is', 'two values such as yes and no are'),
  );
}

function preparedAs(number: number): Prepared {
  const found = prepared.get(number);
  if (found === undefined) throw new Error('The table of this model is not open any more; it is expected.');
  return found;
}

function trained(): TableModel {
  if (model === null) throw new Error('There is no trained model; one is expected.');
  return model;
}

export const service: TableService = {
  async read(file, options) {
    table = await readTable(file, options);
    prepared.clear();
    return {
      name: file.name,
      rows: table.rows,
      columns: decideKinds(table),
      preview: firstRows(table, PREVIEW),
    };
  },

  async ready({ target, kinds, seed }, kept) {
    if (table === null) throw new Error('There is no table; one is expected.');
    const wish = { target, columns: kinds };
    // What columns and classes there are is decided on all rows; what is learnt of them, on those of training alone.
    let whole: Decided;
    try {
      whole = decide(table, wish);
    } catch (error) {
      throw inPageWords(error);
    }
    const { task } = whole.target;
    const stratify = task === 'classification' ? target : undefined;
    const { rest, held } = splitTable(table, { share: TEST, seed, stratify });
    const parts = splitTable(rest, { share: VALIDATION, seed, stratify });
    const own = prepare(parts.rest, { target, ...settled(whole) });
    for (const number of prepared.keys()) if (number !== kept) prepared.delete(number);
    const number = next++;
    prepared.set(number, { encoder: own.encoder, test: held });
    return {
      number,
      task,
      columns: whole.columns,
      input: own.spec.input,
      outputs: outputsOf(own.spec),
      ...(own.spec.classes && { classes: own.spec.classes }),
      train: { x: own.x, y: own.y },
      validation: encodeTable(parts.held, own.encoder),
      rows: { train: parts.rest.rows, validation: parts.held.rows, test: held.rows },
    };
  },

  async complete(network, number) {
    const { encoder } = preparedAs(number);
    const whole = new TableModel(await loadModel(network), encoder);
    const bytes = whole.save();
    whole.dispose();
    return bytes as Uint8Array<ArrayBuffer>;
  },

  async exported(file, format) {
    const { exportTable } = await import('./exporting.ts');
    return exportTable(file, format) as Uint8Array<ArrayBuffer>;
  },

  async judge(network, number) {
    const of = number === null ? null : preparedAs(number);
    const own =
      of === null ? await loadTableModel(network) : new TableModel(await loadModel(network), of.encoder);
    const rows = of === null ? null : of.test;
    model?.dispose();
    [model, test] = [own, rows];
    const { target } = own.encoder;
    const fields = fieldsOf(own.encoder, rows === null ? null : table);
    return {
      tested: rows === null ? null : { assessment: assess(own, rows), importance: own.explain(rows) },
      fields,
      row: Object.fromEntries(fields.map((field) => [field.name, startOf(field, rows)])),
      target: target.task === 'classification' ? target.name : target.names[0]!,
      classes: target.task === 'classification' ? target.classes : null,
    };
  },

  async say(row): Promise<Said> {
    const own = trained();
    if (own.encoder.target.task === 'classification') return own.probabilities([row])[0]!;
    return { [own.encoder.target.names[0]!]: own.predict([row])[0] as number };
  },

  async predictions(file, options) {
    const own = trained();
    const rows = file === null ? test : await readTable(file, options);
    if (rows === null) throw new Error('There are no test rows; a file to predict is expected.');
    return toCsv({ columns: [...rows.columns, ...predictedColumns(own, rows)], rows: rows.rows });
  },
};

/** What a field holds at first: the first test row's cell, or something in the middle. */
function startOf(field: RowField, rows: Table | null): Cell {
  const cell = rows?.columns.find(({ name }) => name === field.name)?.cells.at(0) ?? null;
  if (field.kind === 'number') return typeof cell === 'number' ? cell : (field.least + field.most) / 2;
  if (field.kind === 'date') return dateOf(cell) ?? '2025-01-01T12:00';
  return cell === null ? null : String(cell);
}
