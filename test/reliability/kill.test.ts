import { expect, it } from 'vitest';
import { jsonLines, smallRun, treadle } from '../cli/treadle.js';
import { temporaryFolder } from '../support/folder.js';
import { outcomeOf } from './runs.js';

/** Runs that are killed: TREADLE_KILLS, 50 for the figure in docs/reliability.md. TREADLE_KILL_SEED repeats one run. */
const KILLS = Number(process.env.TREADLE_KILLS ?? 2);
const SEED = Number(process.env.TREADLE_KILL_SEED ?? 1);

const GRID = {
  architectures: { wide: [96, 48], deep: [40, 24, 16], slim: [16] },
  learningRates: [0.01, 0.005],
  epochs: 6,
  batchSize: 16,
};

/** A share from 0 to 1 that looks random: 32-bit multiplicative hashing of round and seed. */
function share(round: number): number {
  return (Math.imul(round + 1 + 1000 * SEED, 0x9e3779b1) >>> 0) / 2 ** 32;
}

/** Lines of an output that are whole. */
function wholeLines(text: string): string {
  return text.slice(0, text.lastIndexOf('\n') + 1);
}

it(
  `ends with the bytes of a run never stopped after kill -9 at ${KILLS} random moments`,
  async () => {
    const reference = await temporaryFolder();
    const grid = await smallRun(reference, GRID, { report: true });
    const options = ['run-all', '--json', '--jobs', '2', '--threads', '2', ...grid];
    const whole = await treadle(options, { cwd: reference });
    expect(whole.code).toBe(0);
    const events = jsonLines(whole.stdout).length;
    const expected = await outcomeOf(reference);

    let killedInTraining = 0;
    for (let round = 0; round < KILLS; round++) {
      const folder = await temporaryFolder();
      await smallRun(folder, GRID, { report: true });
      // The moment: up to 40 ms after one of the run's events, or after its start.
      const after = Math.floor(share(2 * round) * events);
      const delay = 40 * share(2 * round + 1);
      let heard = '';
      const killed = await treadle(options, {
        cwd: folder,
        onOutput: (text, child) => {
          heard = wholeLines(text);
          if (jsonLines(heard).length >= after) setTimeout(() => child.kill('SIGKILL'), delay);
        },
        onStart: (child) => {
          if (after === 0) setTimeout(() => child.kill('SIGKILL'), 10 * delay);
        },
      });
      const types = jsonLines(heard).map(({ type }) => type);
      if (types.includes('run') && !types.includes('test')) killedInTraining += 1;
      // Before a run is begun there is nothing to resume, and nothing in the way of beginning it; once it is
      // finished there is nothing left to do.
      const left = killed.code === 0 ? null : types.includes('run') ? ['run-all', '--resume'] : options;
      const finished = left === null ? killed : await treadle(left, { cwd: folder });
      const moment = `round ${round}, killed ${delay.toFixed(1)} ms after event ${after} of ${events}`;
      if (types.includes('done') && finished.code === 1)
        expect(finished.stderr).toContain('no unfinished run');
      else expect(finished.code, `${moment}: ${finished.stderr}`).toBe(0);
      expect(await outcomeOf(folder), moment).toEqual(expected);
    }
    console.info(
      `${KILLS} of ${KILLS} runs ended byte-identical; ${killedInTraining} were killed while they trained.`,
    );
  },
  60_000 * (KILLS + 1),
);
