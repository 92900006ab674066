/** A terminal that understands what the live view writes: text, line ends, and movements and erasures of the cursor. */
export function newScreen(columns: number, rows: number) {
  /** All lines, those that have scrolled away first. */
  const lines: string[] = [''];
  let [row, column] = [0, 0];
  let cursor = true;
  const top = (): number => Math.max(0, lines.length - rows);
  const put = (character: string): void => {
    if (column === columns) newLine();
    lines[row] = lines[row]!.padEnd(column).slice(0, column) + character + lines[row]!.slice(column + 1);
    column += 1;
  };
  const newLine = (): void => {
    [row, column] = [row + 1, 0];
    if (row === lines.length) lines.push('');
  };
  const obey = (parameters: string, final: string): void => {
    const count = Number(parameters || 1);
    if (final === 'A') row = Math.max(top(), row - count);
    else if (final === 'B') row = Math.min(lines.length - 1, row + count);
    else if (final === 'G') column = 0;
    else if (final === 'K' && parameters === '2') lines[row] = '';
    else if (final === 'K') lines[row] = lines[row]!.slice(0, column);
    else if (parameters === '?25') cursor = final === 'h';
    else if (parameters !== '?2026') throw new Error(`unknown: ${parameters}${final}`);
  };
  return {
    isTTY: true,
    columns,
    rows,
    write(text: string): boolean {
      for (const [part, parameters, final] of text.matchAll(/\p{Cc}\[([?\d]*)([A-Za-z])|./gsu)) {
        if (final !== undefined) obey(parameters!, final);
        else if (part === '\n') newLine();
        else put(part);
      }
      return true;
    },
    /** What can be read, and what could before it scrolled away. */
    text: (): string[] => lines.map((line) => line.trimEnd()),
    hasCursor: (): boolean => cursor,
  };
}
