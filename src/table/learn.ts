import { type Cell, type Cells, everyValue, hasGaps, mappedRows } from './cells.js';
import { dateOf } from './dates.js';
import { type ColumnEncoder, DATE_PARTS, partOf, type Scale } from './encoder.js';
import { type ColumnDecision, categoryOf, factsOf, yesOf } from './kinds.js';
import { columnOf, type Table } from './table.js';

/** The most categories of one column. */
const MOST_VALUES = 100_000;

/** Learns how columns become features, from the rows of training alone. */
export function learnColumns(table: Table, decisions: readonly ColumnDecision[]): ColumnEncoder[] {
  return decisions.flatMap(({ name, kind }): ColumnEncoder[] => {
    if (kind === 'leave') return [];
    const { cells } = columnOf(table, name);
    if (!hasValues(cells)) return [];
    const missing = hasGaps(cells);
    switch (kind) {
      case 'number':
        return [{ kind, name, scale: scaleOf(numbersOf(cells, Number)), missing }];
      case 'yesNo':
        return [{ kind, name, ...pairOf(factsOf(cells).values), missing }];
      case 'date': {
        const parts = DATE_PARTS.map((part) => ({
          part,
          scale: scaleOf(numbersOf(cells, (cell) => partOf(dateOf(cell)!, part))),
        }));
        return [{ kind, name, parts: parts.filter(({ scale }) => scale.deviation > 0), missing }];
      }
      default:
        return [{ kind, name, values: commonValues(cells), missing }];
    }
  });
}

/** Whether any cell is not empty. */
const hasValues = (cells: Cells): boolean => !everyValue(cells, () => false);

/** A number for each cell that is not empty. */
function numbersOf(cells: Cells, numberOf: (cell: Exclude<Cell, null>) => number): Float64Array {
  const of = mappedRows(cells, (cell) => (cell === null ? Number.NaN : numberOf(cell)));
  const numbers = new Float64Array(cells.length);
  for (let row = 0; row < numbers.length; row++) numbers[row] = of(row);
  return numbers.filter((value) => !Number.isNaN(value));
}

function pairOf(values: ReadonlySet<string>): { yes: string; no: string } {
  const yes = yesOf(values);
  if (yes !== null) return { yes, no: [...values].find((value) => value !== yes)! };
  // A training part may have one of the two only.
  const [only] = [...values];
  return /^(?:yes|y|true|t|on|1)$/i.test(only!) ? { yes: only!, no: '' } : { yes: '', no: only! };
}

/** Values by how often they occur; those of a single row are for the feature of the others, which is trained by them. */
function commonValues(cells: Cells): string[] {
  const counts = new Map<string, number>();
  everyValue(cells, (value, count) => {
    const name = categoryOf(value);
    counts.set(name, (counts.get(name) ?? 0) + count);
    return true;
  });
  const common = [...counts].filter(([, count]) => count > 1);
  const kept = common.length > 0 ? common : [...counts];
  return kept
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, MOST_VALUES)
    .map(([value]) => value);
}

/** A deviation so small beside the mean is what rounding leaves of equal numbers. */
const ROUNDING = 1e-12;

function scaleOf(values: Float64Array): Scale {
  const mean = values.reduce((sum, value) => sum + value / values.length, 0);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2 / values.length, 0);
  const deviation = Math.sqrt(variance);
  return { mean, deviation: deviation <= ROUNDING * Math.abs(mean) ? 0 : deviation };
}
