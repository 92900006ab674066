/** `treadle/tables` in Node: with files. */

export { readTable, readTableModel, tableParts, writeTableModel } from './files.js';
export * from './index.js';
