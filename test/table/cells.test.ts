import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Cell,
  CellsBuilder,
  CodedCells,
  everyValue,
  hasGaps,
  mappedRows,
  NumberCells,
  TimeCells,
  takeCells,
} from '../../dist/table/cells.js';

const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true }).map((x) => x + 0),
);
const time = fc.date({ noInvalidDate: true });
const cell = fc.oneof(number, time, fc.string(), fc.boolean());
const column = (own: fc.Arbitrary<Cell>) => fc.array(fc.option(own, { nil: null }), { maxLength: 40 });

function built(cells: readonly Cell[]) {
  const builder = new CellsBuilder();
  for (const own of cells) builder.push(own);
  return builder.build();
}

describe('a column that grows', () => {
  it.each([
    ['numbers', column(number), NumberCells],
    ['times', column(time).filter((cells) => cells.some(Boolean)), TimeCells],
    ['texts', column(fc.string()).filter((cells) => cells.some((own) => own !== null)), CodedCells],
    ['cells of all kinds', column(cell), null],
  ] as const)('has the %s that were added', (_, cells, kind) => {
    fc.assert(
      fc.property(cells as fc.Arbitrary<Cell[]>, (own) => {
        const found = built(own);
        expect([...found]).toEqual(own);
        expect(own.map((_, row) => found.at(row))).toEqual(own);
        expect(found.length).toBe(own.length);
        expect(found.at(own.length)).toBeUndefined();
        if (kind !== null) expect(found).toBeInstanceOf(kind);
      }),
    );
  });

  it('is longer than one piece, and may turn out to be of texts late', () => {
    const numbers = Array.from({ length: 70_000 }, (_, row) => row % 100);
    expect([...built(numbers)]).toEqual(numbers);
    expect([...built([...numbers, 'x'])]).toEqual([...numbers, 'x']);
  });

  it('is filled up with gaps', () => {
    const builder = new CellsBuilder();
    builder.padTo(2);
    builder.pushNumber(3);
    builder.push('x');
    builder.pushNumber(Number.NaN);
    expect([...builder.build()]).toEqual([null, null, 3, 'x', null]);
  });
});

describe('cells', () => {
  it('can be taken, counted and mapped as an array can', () => {
    fc.assert(
      fc.property(column(cell), fc.array(fc.nat(1000)), (own, picks) => {
        const rows = own.length === 0 ? [] : picks.map((pick) => pick % own.length);
        for (const cells of [own, built(own)]) {
          expect([...takeCells(cells, rows)]).toEqual(rows.map((row) => own[row]));
          expect(hasGaps(cells)).toBe(own.includes(null));
          const present = own.filter((one) => one !== null);
          const found: Cell[] = [];
          const isWhole = everyValue(cells, (value, count) => found.push(...Array(count).fill(value)) > 0);
          expect(isWhole).toBe(true);
          const sorted = (list: Cell[]) => list.map((one) => `${typeof one} ${one?.valueOf()}`).sort();
          expect(sorted(found)).toEqual(sorted(present));
          let asked = 0;
          expect(everyValue(cells, () => ++asked < 1)).toBe(present.length === 0);
          expect(asked).toBe(Math.min(1, present.length));
          const textOf = mappedRows(cells, (one) => String(one?.valueOf()));
          expect(own.map((_, row) => textOf(row))).toEqual(own.map((one) => String(one?.valueOf())));
        }
      }),
    );
  });
});
