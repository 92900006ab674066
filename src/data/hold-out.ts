import { problem } from '#bindings';
import { shuffled } from './random.js';

/** Random streams of the hold-out; epochs use smaller numbers. */
const HOLD_OUT_STREAM = 2 ** 42;

/** Rows of the two parts, each ascending. */
export interface HoldOut {
  train: Uint32Array;
  validation: Uint32Array;
}

/**
 * Holds out a share of `rows` rows, rounded, at least one and not all. With `labels` each class gives in proportion
 * (largest remainder, ties to the lower class) and keeps at least one row for training. Throws `data` for fewer than two
 * rows, and where every class has only one; `classes` is what they are called there.
 */
export function holdOut(
  rows: number,
  share: number,
  seed: number,
  labels: Uint32Array | null,
  classes = 'every class',
): HoldOut {
  if (rows < 2) {
    throw problem('data', {
      subject: 'The number of samples',
      found: rows,
      expected: 'at least 2, one of them held out,',
    });
  }
  const wanted = Math.min(rows - 1, Math.max(1, Math.round(rows * share)));
  const groups = labels === null ? [Uint32Array.from({ length: rows }, (_, row) => row)] : byLabel(labels);
  const ideal = groups.map(({ length }) => (wanted * length) / rows);
  const given = ideal.map((count, group) => Math.min(Math.floor(count), groups[group]!.length - 1));
  const byRemainder = groups
    .map((_, group) => group)
    .sort((a, b) => ideal[b]! - given[b]! - (ideal[a]! - given[a]!) || a - b);
  let missing = wanted - given.reduce((sum, count) => sum + count, 0);
  for (const group of byRemainder) {
    if (missing > 0 && given[group]! < groups[group]!.length - 1) {
      given[group]! += 1;
      missing--;
    }
  }
  if (groups.every(({ length }) => length === 1)) {
    throw problem('data', {
      subject: `The number of samples of ${classes}`,
      found: 1,
      expected: 'at least 2 of one class, one of them held out,',
    });
  }
  const held = new Uint8Array(rows);
  groups.forEach((group, index) => {
    const order = shuffled(group.length, seed, HOLD_OUT_STREAM + index);
    for (const position of order.subarray(0, given[index])) held[group[position]!] = 1;
  });
  const all = Uint32Array.from({ length: rows }, (_, row) => row);
  return { train: all.filter((row) => held[row] === 0), validation: all.filter((row) => held[row] === 1) };
}

function byLabel(labels: Uint32Array): Uint32Array[] {
  const groups = new Map<number, number[]>();
  labels.forEach((label, row) => {
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [row]);
    else group.push(row);
  });
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => Uint32Array.from(group));
}
