/** `treadle/tables` in Node: with files. */

export { readTable, readTableModel, writeTableModel } from './files.js';
export * from './index.js';
