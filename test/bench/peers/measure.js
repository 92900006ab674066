// What the comparisons share: running an engine in a process of its own, medians, tables.
import { execFile } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** treadle's command line in this checkout. */
export const TREADLE = here('../../../dist/cli.js');

/** The path of a file beside this one. */
export function here(path) {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** Runs a program whose numeric libraries take `threads` threads; the lines that it prints. */
export async function outputLines(file, args, { threads, cwd }) {
  const env = { ...process.env, OMP_NUM_THREADS: threads, OPENBLAS_NUM_THREADS: threads };
  const { stdout } = await promisify(execFile)(file, args, { env, cwd, maxBuffer: 1 << 26 });
  return stdout.trim().split('\n');
}

/** The middle value, or the mean of the two in the middle. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Rows of words under a head, each column as wide as its longest. */
export function textTable(head, rows) {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column].length)),
  );
  return [head, ...rows].map((row) => row.map((cell, i) => cell.padEnd(widths[i])).join('  ')).join('\n');
}

/** The machine in words. */
export function machine() {
  return `${cpus()[0].model.trim()}, ${availableParallelism()} cores`;
}
