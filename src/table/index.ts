/** `treadle/tables`: models of tables, from CSV, Parquet or objects to predictions. */
export {
  type Assessment,
  assess,
  type BinaryCurves,
  type ClassAssessment,
  type NumberAssessment,
  type OutputAssessment,
} from './assess.js';
export { type FileLike, readTable } from './blob.js';
export type { Cell, Cells } from './cells.js';
export { type ByteChunks, type CsvOptions, csvParts, parseCsv, readCsv, toCsv } from './csv.js';
export { encodeTable } from './data.js';
export { dateOf } from './dates.js';
export { type ColumnEncoder, featureNames, type TableEncoder, type TargetEncoder } from './encoder.js';
export { exportTable, exportTableHub } from './export/export.js';
export type { ColumnImportance, Importance, ImportanceOptions } from './importance.js';
export { parseJson } from './json.js';
export { type ColumnDecision, decideKinds, type Kind } from './kinds.js';
export { parquetParts, parseParquet } from './parquet.js';
export { predictedColumns } from './predicted.js';
export { type Decided, decide, type Prepared, type PrepareOptions, prepare, settled } from './prepare.js';
export type { Halving, Range, SearchGrid, Settings } from './search/grid.js';
export type { CrossValidationOptions, SearchOptions } from './search/plan.js';
export type { CandidateRecord, SearchEvent, TrialRecord } from './search/records.js';
export type { ScoreName, Spread } from './search/scores.js';
export { type CrossValidation, crossValidate, searchTable, type TableSearch } from './search/search.js';
export type { TrialStore } from './search/store.js';
export { type SplitOptions, splitTable } from './split.js';
export { type Column, type Table, type TableRow, tableOf, withValues } from './table.js';
export {
  fitTable,
  loadTableModel,
  type TableFit,
  type TableFitOptions,
  TableModel,
} from './table-model.js';
