import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type JobState, remainingCost } from '../../dist/experiment/schedule.js';

function state(id: string, change: Partial<JobState> = {}): JobState {
  return {
    id,
    parent: null,
    status: 'waiting',
    epochCost: 1,
    epochs: 10,
    epochsDone: 0,
    joinable: false,
    helpers: 0,
    ...change,
  };
}

const two = { jobs: 2, threads: 2, helpers: true };
const running = { status: 'running', joinable: true } as const;

describe('decide', () => {
  it('starts the job with the longest chain behind it', () => {
    const states = [
      state('a', { epochCost: 5 }),
      state('b', { epochCost: 3 }),
      state('b2', { epochCost: 3, parent: 'b' }),
    ];
    expect(decide(states, two)).toEqual({ type: 'start', job: 'b' });
  });

  it('starts a child only when its parent is done', () => {
    const parent = state('a', { ...running });
    const child = state('a2', { parent: 'a' });
    expect(decide([parent, child], { ...two, helpers: false })).toBeNull();
    expect(decide([{ ...parent, status: 'done' }, child], two)).toEqual({ type: 'start', job: 'a2' });
    expect(decide([{ ...parent, status: 'failed' }, child], two)).toBeNull();
  });

  it('starts no more models than jobs, and helps with the threads that are left', () => {
    const states = [state('a', running), state('b')];
    expect(decide(states, { jobs: 1, threads: 1, helpers: true })).toBeNull();
    expect(decide(states, { jobs: 1, threads: 2, helpers: true })).toEqual({ type: 'help', job: 'a' });
    expect(decide(states, { jobs: 1, threads: 2, helpers: false })).toBeNull();
  });

  it('counts helpers as threads', () => {
    const states = [state('a', { ...running, helpers: 1 }), state('b')];
    expect(decide(states, two)).toBeNull();
    expect(decide(states, { ...two, threads: 3 })).toEqual({ type: 'start', job: 'b' });
  });

  it('helps the model with the most work left for each of its threads', () => {
    const states = [
      state('a', { ...running, epochCost: 10, helpers: 2 }),
      state('b', { ...running, epochCost: 4 }),
      state('c', { ...running, epochCost: 9, epochsDone: 6 }),
    ];
    expect(decide(states, { jobs: 3, threads: 8, helpers: true })).toEqual({ type: 'help', job: 'b' });
  });

  it('does not help a model in its last epoch, nor one that cannot be joined yet', () => {
    expect(decide([state('a', { ...running, epochsDone: 9 })], two)).toBeNull();
    expect(decide([state('a', { ...running, epochsDone: 8 })], two)).toEqual({ type: 'help', job: 'a' });
    expect(decide([state('a', { status: 'running' })], two)).toBeNull();
  });

  it('never asks for more models or threads than allowed, and ends with every job done', () => {
    const chain = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 4 });
    const limits = fc.record({
      jobs: fc.integer({ min: 1, max: 4 }),
      threads: fc.integer({ min: 1, max: 6 }),
      helpers: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(chain, { minLength: 1, maxLength: 4 }),
        limits,
        fc.infiniteStream(fc.nat()),
        (chains, allowed, luck) => {
          const states = chains.flatMap((costs, c) =>
            costs.map((epochCost, i) =>
              state(`${c}.${i}`, { epochCost, parent: i === 0 ? null : `${c}.${i - 1}` }),
            ),
          );
          for (let ended = 0; ended < states.length; ended++) {
            for (let next = decide(states, allowed); next !== null; next = decide(states, allowed)) {
              const job = states.find(({ id }) => id === next!.job)!;
              if (next.type === 'help') job.helpers += 1;
              else Object.assign(job, running);
            }
            const active = states.filter(({ status }) => status === 'running');
            const threads = active.reduce((sum, { helpers }) => sum + 1 + helpers, 0);
            expect(active.length).toBeGreaterThan(0);
            expect(active.length).toBeLessThanOrEqual(allowed.jobs);
            expect(threads).toBeLessThanOrEqual(allowed.threads);
            const finished = active[luck.next().value! % active.length]!;
            Object.assign(finished, { status: 'done', helpers: 0 });
          }
        },
      ),
    );
  });
});

describe('remainingCost', () => {
  it('adds the epochs left to the longest chain that waits', () => {
    const states = [
      state('a', { epochCost: 3, epochs: 10, epochsDone: 4 }),
      state('a2', { epochCost: 3, epochs: 10, parent: 'a' }),
      state('a3', { epochCost: 2, epochs: 5, parent: 'a2' }),
    ];
    expect(remainingCost(states, states[0]!)).toBe(3 * 6 + 3 * 10 + 2 * 5);
  });
});
