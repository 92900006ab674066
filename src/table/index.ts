/** `treadle/tables`: models of tables, from CSV, Parquet or objects to predictions. */
export { type CsvOptions, parseCsv, toCsv } from './csv.js';
export { type ColumnEncoder, featureNames, type TableEncoder, type TargetEncoder } from './encoder.js';
export { exportTable, exportTableHub } from './export/export.js';
export { type ColumnDecision, decideKinds, type Kind } from './kinds.js';
export { parseParquet } from './parquet.js';
export { type Prepared, type PrepareOptions, prepare } from './prepare.js';
export { type SplitOptions, splitTable } from './split.js';
export { type Cell, type Column, type Table, type TableRow, tableOf } from './table.js';
export {
  fitTable,
  type Importance,
  loadTableModel,
  type TableFit,
  type TableFitOptions,
  TableModel,
} from './table-model.js';
