import { defineConfig } from 'vitest/config';

/** One file at a time: what is measured has the machine for itself. */
export default defineConfig({
  test: {
    benchmark: { include: ['test/bench/**/*.bench.ts'], reporters: ['./test/bench/reporter.ts'] },
    fileParallelism: false,
    pool: 'forks',
  },
});
