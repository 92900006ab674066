import { shareStart } from '../../assembly/par/range';
import { begin, expectThat } from './support';

describe('shareStart', () => {
  it('splits units into shares that follow each other, cover all, and differ by at most one (exact)', () => {
    for (let units = 0; units <= 130; units++) {
      for (let threads = 1; threads <= 17; threads++) {
        begin(`units=${units.toString()} threads=${threads.toString()}`, 0);
        expectThat(shareStart(units, 0, threads) == 0, 'the first share does not start at 0');
        expectThat(shareStart(units, threads, threads) == units, 'the last share does not end at the last unit');
        const least = units / threads;
        for (let thread = 0; thread < threads; thread++) {
          const size = shareStart(units, thread + 1, threads) - shareStart(units, thread, threads);
          expectThat(size == least || size == least + 1, `share ${thread.toString()} has ${size.toString()} units`);
        }
      }
    }
  });

  it('does not overflow at the largest counts (exact)', () => {
    begin('units=2^31-1 threads=64', 0);
    expect(shareStart(i32.MAX_VALUE, 64, 64)).toBe(i32.MAX_VALUE);
    expect(shareStart(i32.MAX_VALUE, 32, 64)).toBe(1073741823);
    expect(shareStart(i32.MAX_VALUE, 63, 64)).toBe(2113929215);
  });
});
