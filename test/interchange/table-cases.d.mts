import type { TableEncoder, TableFitOptions, TableRow } from '../../dist/table/index.js';

export declare const TABLES: readonly {
  name: string;
  options: TableFitOptions;
  train: TableRow[];
  rows: TableRow[];
}[];

export declare function onnxInputs(
  encoder: TableEncoder,
  rows: readonly TableRow[],
): ({ name: string; type: 'float64'; data: number[] } | { name: string; type: 'string'; data: string[] })[];
