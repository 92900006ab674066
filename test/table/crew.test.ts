import { describe, expect, it } from 'vitest';
import { TreadleError } from '../../dist/bindings/host.js';
import { Crew } from '../../dist/table/search/crew.js';
import type { PartData } from '../../dist/table/search/parts.js';
import { failure } from '../support/errors.js';

const data = { x: { indptr: [0, 1], indices: [0], values: [1] }, y: [0] };
const PART = { train: data, validation: data, scored: data } as unknown as PartData;
const dead = () =>
  new TreadleError('worker', 'The worker has died.', { subject: 'worker', found: 'dead', expected: 'life' });

describe('a crew', () => {
  it.each([1, 2])('of %i does every task, and encodes a part once for all of its tasks', async (jobs) => {
    const crew = new Crew(jobs, () => {});
    const tasks = [0, 0, 0, 1, 1, 1].map((part, at) => ({ part, at }));
    const encoded: number[] = [];
    const done: number[] = [];
    await crew.run(
      tasks,
      (part) => {
        encoded.push(part);
        return PART;
      },
      async ({ at }, _, placed, worker) => {
        expect(worker === null).toBe(jobs === 1);
        expect('treadleHeld' in placed.train).toBe(jobs > 1);
        done.push(at);
      },
    );
    crew.close();
    expect(encoded).toEqual([0, 1]);
    expect(done.sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('starts a task again whose thread has died, twice at most', async () => {
    const warnings: string[] = [];
    const crew = new Crew(2, (message) => warnings.push(message));
    let [tries, failures] = [0, 2];
    const attempt = () =>
      crew.run(
        [{ part: 0 }],
        () => PART,
        async () => {
          tries++;
          if (failures-- > 0) throw dead();
        },
      );
    await attempt();
    expect(tries).toBe(3);
    expect(warnings).toEqual([
      'The worker has died. The training is started again (1 of 2 times).',
      'The worker has died. The training is started again (2 of 2 times).',
    ]);
    failures = 3;
    await failure('worker', attempt);
    crew.close();
  });

  it('begins no other task once one has failed, and lets those that run end', async () => {
    const crew = new Crew(2, () => {});
    const begun: number[] = [];
    let isOver = false;
    let fail: () => void = () => {};
    const failing = new Promise<void>((resolve) => {
      fail = resolve;
    });
    await failure('data', () =>
      crew.run(
        [0, 1, 2, 3].map((at) => ({ part: 0, at })),
        () => PART,
        async ({ at }) => {
          begun.push(at);
          if (at === 0) {
            fail();
            throw new TreadleError('data', 'No.', { subject: 'x', found: 1, expected: '2' });
          }
          // However late the other's thread has started.
          await failing;
          await new Promise((resolve) => setTimeout(resolve, 50));
          isOver = true;
        },
      ),
    );
    crew.close();
    expect(isOver).toBe(begun.includes(1));
    expect(begun).not.toContain(2);
    expect(begun).not.toContain(3);
  });
});
