import Table from 'cli-table3';
import { fitTable } from '../report/fit.js';
import { textOptions } from '../report/text.js';

/**
 * A table for stdout without frames or colours, within the width of a terminal: words to the left, everything from column
 * `firstNumber` on to the right.
 */
export function plainTable(head: string[], rows: string[][], firstNumber = 3): string {
  const columns = process.stdout.isTTY ? textOptions(process.stdout).columns : Number.POSITIVE_INFINITY;
  return fitTable(head, rows, 1, columns, (partHead, partRows, gap) =>
    draw(partHead, partRows, gap, new Set(head.slice(firstNumber))),
  );
}

function draw(
  head: readonly string[],
  rows: readonly string[][],
  gap: number,
  numbers: ReadonlySet<string>,
): string {
  const empty = [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
  ];
  const frame = [...empty, 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'];
  const table = new Table({
    head: [...head],
    chars: { ...Object.fromEntries(frame.map((part) => [part, ''])), middle: ' '.repeat(gap) },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: head.map((title) => (numbers.has(title) ? 'right' : 'left')),
  });
  table.push(...rows);
  return table.toString();
}
