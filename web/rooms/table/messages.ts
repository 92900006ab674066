import type { Csr, ExportFormat, InputSpec } from 'treadle';
import type { Assessment, Cell, ColumnDecision, CsvOptions, Importance, Kind } from 'treadle/tables';

/** A table that was read, as it is shown. */
export interface ReadTable {
  name: string;
  rows: number;
  columns: readonly ColumnDecision[];
  /** The first rows. */
  preview: readonly (readonly Cell[])[];
}

/** What is to be learnt of a table. */
export interface Wish {
  target: string;
  /** Columns that are taken for something else than they speak for. */
  kinds: Readonly<Record<string, Kind>>;
  seed: number;
}

/** A table that is ready for training. */
export interface ReadyTable {
  /** Each time that a table is made ready has another. */
  number: number;
  task: 'classification' | 'regression';
  columns: readonly ColumnDecision[];
  input: InputSpec;
  outputs: number;
  classes?: readonly string[];
  train: { x: Csr; y: string[] | Float64Array };
  validation: { x: Csr; y: string[] | Float64Array };
  rows: { train: number; validation: number; test: number };
}

/** A column of a row that is made up. */
export type RowField =
  | { kind: 'number'; name: string; least: number; most: number }
  | { kind: 'choice'; name: string; values: readonly string[] }
  | { kind: 'date'; name: string };

/** What is known of a trained model. */
export interface Judged {
  /** What was found on the test rows; null where there are none, as for a model that was kept. */
  tested: { assessment: Assessment; importance: Importance } | null;
  fields: readonly RowField[];
  /** A row to begin with. */
  row: Readonly<Record<string, Cell>>;
  target: string;
  classes: readonly string[] | null;
}

/** What the model says of a row: a share for each class, or a number. */
export type Said = Readonly<Record<string, number>>;

/** What the worker of this room does. */
export interface TableService {
  read(file: File, options: CsvOptions): Promise<ReadTable>;
  /** Makes the table ready anew; of the earlier times, the one with the number `kept` is not forgotten. */
  ready(wish: Wish, kept: number | null): Promise<ReadyTable>;
  /** The network's file with the encoders in it that it was trained with. */
  complete(network: Uint8Array<ArrayBuffer>, number: number): Promise<Uint8Array<ArrayBuffer>>;
  /** That file as another program reads it, with the encoders where the format has a place for them. */
  exported(file: Uint8Array<ArrayBuffer>, format: ExportFormat): Promise<Uint8Array<ArrayBuffer>>;
  /** Takes a network over, with the encoders that it was trained with or, without a number, those in its own file, and says how good it is. */
  judge(network: Uint8Array<ArrayBuffer>, number: number | null): Promise<Judged>;
  say(row: Readonly<Record<string, Cell>>): Promise<Said>;
  /** The test rows, or those of another file, with what the model says of each, as CSV. */
  predictions(file: File | null, options: CsvOptions): Promise<string>;
}

export interface Call {
  id: number;
  method: keyof TableService;
  args: unknown[];
}

export type Answer = { id: number; value: unknown } | { id: number; problem: string };
