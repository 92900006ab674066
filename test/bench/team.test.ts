import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { superviseTeam } from '../../dist/bench/team.js';
import { failure } from '../support/errors.js';

/** A thread of these lines, with what they need. */
function thread(lines: string): Worker {
  return new Worker(`const { parentPort } = require('node:worker_threads');\n${lines}`, { eval: true });
}

/** Asks for helpers, then waits for them at a barrier, where it hears nothing. */
const WAITING = `
  parentPort.postMessage({ type: 'ticket', ticket: 'a ticket' });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`;

describe('superviseTeam', () => {
  it.each([
    ['is killed', 'setTimeout(() => process.exit(9), 50);', 'its thread ended with exit code 9'],
    ['throws', 'setTimeout(() => { throw new Error("no luck"); }, 50);', 'no luck'],
  ])('fails, and leaves no thread, when a helper %s while the others wait for it', async (_, lines, what) => {
    const error = await failure('worker', () => superviseTeam(thread(WAITING), 3, () => thread(lines)));
    expect(error.message).toBe(`A helper thread did not finish: ${what}; a finished thread is expected.`);
    expect(process.getActiveResourcesInfo().filter((name) => name === 'MessagePort')).toEqual([]);
  });

  it('fails when the thread that trains dies', async () => {
    const error = await failure('worker', () => superviseTeam(thread('process.exit(7);'), 1));
    expect(error.message).toContain(
      'The thread that trains did not finish: its thread ended with exit code 7',
    );
  });

  it('hands over what the thread that trains says of itself', async () => {
    const failed = `parentPort.postMessage({ type: 'failed', error: { code: 'diverged', message: 'It did.' } });`;
    await failure('diverged', () => superviseTeam(thread(failed), 1));
    expect(await superviseTeam(thread(`parentPort.postMessage({ type: 'measured', seconds: 2 });`), 1)).toBe(
      2,
    );
  });
});
