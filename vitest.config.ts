import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest. They begin first, so that no core waits for one of them at the end. */
const SLOWEST = [
  'cli/run-all',
  'report/page',
  'web/table',
  'web/playground',
  'web/offline',
  'documentation',
  'cli/search',
  'web/clothes',
  'reliability/kill',
  'reliability/resume',
  'experiment/pool',
  'experiment/same-bytes',
  'cli/real-data',
  'reliability/full-disk',
  'cli/usage',
  'cli/tables',
  'guides',
  'queue/cli',
  'queue/follow',
  'core/memory',
  'experiment/run-all',
  'fuzz/fuzz',
  'core/same-bytes',
].map((name) => `/test/${name}.test.ts`);

/** Files that put modules of Node's in the place of others, which takes a loader of vitest's own for what they test. */
const MOCKING = [
  'node/lock',
  'reliability/power-cut',
  'reliability/full-disk',
  'experiment/pool',
  'bench/epochs',
].map((name) => `test/${name}.test.ts`);

/** Tests of the live page, which is built for them. */
const PAGES = 'test/web/*.test.ts';

/** Node loads what is tested as it does for users, and in a third of the time. */
const DIST = [/\/dist\//];

class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const index = SLOWEST.findIndex((name) => moduleId.endsWith(name));
      return index < 0 ? SLOWEST.length : index;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'host',
          include: ['test/**/*.test.ts'],
          exclude: [...MOCKING, PAGES],
          server: { deps: { external: DIST } },
        },
      },
      {
        extends: true,
        test: {
          name: 'page',
          include: [PAGES],
          globalSetup: ['test/web/setup.ts'],
          server: { deps: { external: DIST } },
        },
      },
      { extends: true, test: { name: 'mocking', include: MOCKING } },
    ],
    setupFiles: ['test/support/equality.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    /** What a page or a process comes to is waited for as long as a busy machine may need. */
    expect: { poll: { timeout: 30_000 } },
    /** A file for each core and one more: a quarter of the time tests wait for processes, pages and queues. */
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: SlowestFirst },
    reporters: ['default', ['json', { outputFile: 'build/test-results/host.json' }]],
  },
});
