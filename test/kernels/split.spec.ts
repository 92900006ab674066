import { LEAST_UNITS, endUnit, firstUnit, splitsColumns } from '../../assembly/par/split';
import { begin, expectThat } from './support';

describe('the split of a product between threads (exact)', () => {
  it('gives every unit of columns and rows to one thread, whatever their numbers', () => {
    const counts: i32[] = [1, 2, 3, 7, 8, 15, 16, 17, 64];
    for (let c = 0; c < counts.length; c++) {
      for (let r = 0; r < counts.length; r++) {
        for (let threads = 1; threads <= 9; threads++) {
          const units = counts[c];
          const rows = counts[r];
          begin(`units=${units.toString()} rows=${rows.toString()} threads=${threads.toString()}`, 0);
          const byColumns = splitsColumns(units, LEAST_UNITS, rows, threads);
          const written = new StaticArray<i32>(units * rows);
          for (let thread = 0; thread < threads; thread++) {
            const end = endUnit(byColumns, units, thread, threads);
            const last = endUnit(!byColumns, rows, thread, threads);
            for (let u = firstUnit(byColumns, units, thread, threads); u < end; u++) {
              for (let m = firstUnit(!byColumns, rows, thread, threads); m < last; m++) written[u * rows + m]++;
            }
          }
          for (let i = 0; i < written.length; i++) expectThat(written[i] == 1, `cell ${i.toString()}`);
        }
      }
    }
  });

  it('is by columns where they can be shared evenly, or where there are fewer rows than threads and columns', () => {
    begin('the rule', 0);
    expectThat(splitsColumns(16, 8, 100, 2), '16 units for 2 threads');
    expectThat(!splitsColumns(15, 8, 100, 2), '15 units and 100 rows');
    expectThat(splitsColumns(15, 8, 1, 2), '15 units and one row');
    expectThat(!splitsColumns(1, 8, 1, 2), 'one of each');
  });
});
