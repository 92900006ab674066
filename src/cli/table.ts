import Table from 'cli-table3';

/** A table without frames or colours: words to the left, everything from column `firstNumber` on to the right. */
export function plainTable(head: string[], rows: string[][], firstNumber = 3): string {
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
    head,
    chars: { ...Object.fromEntries(frame.map((part) => [part, ''])), middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: head.map((_, column) => (column < firstNumber ? 'left' : 'right')),
  });
  table.push(...rows);
  return table.toString();
}
