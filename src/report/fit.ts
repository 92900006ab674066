import { stripVTControlCharacters } from 'node:util';

/** Characters a line takes on a terminal. */
export function visibleWidth(line: string): number {
  return stripVTControlCharacters(line).length;
}

/** Draws a table with `gap` spaces between its columns. */
export type Draw = (head: readonly string[], rows: readonly string[][], gap: number) => string;

/**
 * A table of at most `columns` characters a line: with two spaces between its columns, else with one, else split into
 * several tables, each with the first `keys` columns and at least one more.
 */
export function fitTable(
  head: readonly string[],
  rows: readonly string[][],
  keys: number,
  columns: number,
  draw: Draw,
): string {
  const widths = head.map((cell, index) =>
    rows.reduce((width, row) => Math.max(width, visibleWidth(row[index]!)), visibleWidth(cell)),
  );
  const widthOf = (parts: readonly number[], gap: number): number =>
    parts.reduce((sum, index) => sum + widths[index]!, gap * (parts.length - 1));
  const all = head.map((_, index) => index);
  for (const gap of [2, 1]) {
    if (widthOf(all, gap) <= columns) return draw(head, rows, gap);
  }
  const pick = (row: readonly string[], part: readonly number[]) => part.map((index) => row[index]!);
  const parts = [all.slice(0, keys + 1)];
  for (const index of all.slice(keys + 1)) {
    const longer = [...parts.at(-1)!, index];
    if (widthOf(longer, 1) <= columns) parts.splice(-1, 1, longer);
    else parts.push([...all.slice(0, keys), index]);
  }
  return parts
    .map((part) =>
      draw(
        pick(head, part),
        rows.map((row) => pick(row, part)),
        1,
      ),
    )
    .join('\n\n');
}

/** Joins parts by three spaces on one line or, where that is too wide, by two on several. */
export function fitParts(parts: readonly string[], columns: number): string {
  const line = parts.join('   ');
  if (visibleWidth(line) <= columns) return line;
  return parts.reduce((text, part) => {
    const last = text.slice(text.lastIndexOf('\n') + 1);
    const fits = visibleWidth(`${last}  ${part}`) <= columns;
    return `${text}${fits ? '  ' : '\n'}${part}`;
  });
}
