import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type RunOutcome, runAll } from '../../dist/experiment/run-all.js';
import type { RunEvent } from '../../dist/results/records.js';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';
import { syntheticDataset, writeIdxDataset } from '../support/idx.js';
import { outcomeOf } from './runs.js';

const EPOCHS = 3;

/** Options of a run on made-up data, with all its folders inside `folder`. */
async function small(folder: string) {
  const data = join(folder, 'data');
  await writeIdxDataset(
    data,
    syntheticDataset({ classes: 4, height: 6, width: 5, train: 1500, test: 60, seed: 3 }),
  );
  const architectures = [
    { name: 'wide', hidden: [48, 24] },
    { name: 'slim', hidden: [12] },
  ];
  return {
    data,
    verify: false,
    weights: join(folder, 'weights'),
    out: join(folder, 'runs'),
    settings: {
      architectures,
      learningRates: [0.01, 0.005],
      epochs: EPOCHS,
      batchSize: 16,
      validationSize: 100,
      build: 'strict',
    },
  };
}

/** How a run that was never stopped ends; paths of weights are relative to the folder of the tests. */
let reference: Record<string, unknown>;
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'treadle-test-'));
  await runAll(await small(folder));
  reference = pathless(await outcomeOf(folder));
  await rm(folder, { recursive: true });
});

function pathless(outcome: Record<string, unknown>): Record<string, unknown> {
  const models = outcome.models as { weights: string[] }[];
  return { ...outcome, models: models.map((model) => ({ ...model, weights: model.weights.length })) };
}

describe('a run that is stopped', () => {
  it.each([
    ['one job on one thread', () => ({ jobs: 1, threads: 1 })],
    ['two jobs on two threads', () => ({ jobs: 2, threads: 2 })],
    [
      'other numbers of jobs and threads each time',
      (round: number) => ({ jobs: 1 + (round % 2), threads: 1 + (round % 3) }),
    ],
  ])('in every epoch, with %s, ends with the bytes of one never stopped', async (_, parallel) => {
    const folder = await temporaryFolder();
    const options = await small(folder);
    const finished = new Map<string, number>();
    let outcome: RunOutcome;
    let round = 0;
    do {
      const controller = new AbortController();
      const onEvent = (event: RunEvent): void => {
        if (event.type === 'start') {
          // It goes on where it was: no epoch that was told is trained again.
          expect(event.finished.length).toBe(finished.get(event.job) ?? 0);
        }
        if (event.type !== 'epoch') return;
        finished.set(event.job, event.epoch);
        controller.abort();
      };
      const settings = round === 0 ? { ...options.settings, ...parallel(round) } : parallel(round);
      const choice =
        round === 0 ? { ...options, settings } : { out: options.out, resume: true as const, settings };
      outcome = await runAll({ ...choice, onEvent, signal: controller.signal });
      expect(outcome.resumable).toBe(outcome.interrupted);
      round += 1;
    } while (outcome.interrupted);
    expect(round).toBeGreaterThan(EPOCHS);
    expect(pathless(await outcomeOf(folder))).toEqual(reference);
    const error = await failure('usage', () => runAll({ out: options.out, resume: outcome.folder }));
    expect(error.message).toContain('is finished');
  });

  it('stops within an epoch, not after it, and goes on within it', async () => {
    const folder = await temporaryFolder();
    const options = await small(folder);
    const settings = { ...options.settings, jobs: 1, threads: 1, epochs: 100_000, learningRates: [0.001] };
    const stop = async (resume: true | undefined) => {
      const controller = new AbortController();
      const epochs: number[] = [];
      const onEvent = (event: RunEvent): void => {
        if (event.type === 'start') setTimeout(() => controller.abort(), 150);
        if (event.type === 'epoch' && event.job === 'wide_0.001') epochs.push(event.epoch);
      };
      const choice = resume ? { out: options.out, resume } : { ...options, settings };
      const { interrupted } = await runAll({ ...choice, onEvent, signal: controller.signal });
      expect(interrupted).toBe(true);
      return epochs;
    };
    const first = await stop(undefined);
    const second = await stop(true);
    expect(second[0]).toBe((first.at(-1) ?? 0) + 1);
  });

  it('is not resumed with other settings, data or build, and the error says what differs', async () => {
    const folder = await temporaryFolder();
    const options = await small(folder);
    const controller = new AbortController();
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'epoch') controller.abort();
    };
    const { folder: run } = await runAll({ ...options, onEvent, signal: controller.signal });
    const refusal = async (change: object) => {
      const { message } = await failure('usage', () => runAll({ out: options.out, resume: true, ...change }));
      expect(message).toMatch(/^Run \S+ cannot be resumed: .+ is expected, as the run was begun with\.$/);
      return message;
    };
    expect(await refusal({ settings: { epochs: 9 } })).toContain(`epochs is 9; ${EPOCHS} is expected`);
    expect(await refusal({ settings: { build: 'relaxed' } })).toContain(
      'build is relaxed; strict is expected',
    );
    const data = join(folder, 'other data');
    await writeIdxDataset(
      data,
      syntheticDataset({ classes: 4, height: 6, width: 5, train: 1500, test: 60, seed: 4 }),
    );
    expect(await refusal({ data })).toContain('the data is');
    const missing = await failure('not-found', () => runAll({ out: options.out, resume: 'none' }));
    expect(missing.message).toContain('none is no run');

    // All refusals left the run as it was.
    expect((await runAll({ resume: run })).interrupted).toBe(false);
    expect(pathless(await outcomeOf(folder))).toEqual(reference);
  });

  it('is resumed from the checkpoint before one that is torn, and from the start without any', async () => {
    const folder = await temporaryFolder();
    const options = await small(folder);
    const controller = new AbortController();
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'epoch' && event.job === 'wide_0.01' && event.epoch === 3) controller.abort();
    };
    const settings = { ...options.settings, jobs: 1, threads: 1 };
    const { folder: run } = await runAll({ ...options, settings, onEvent, signal: controller.signal });
    const checkpoints = join(run, 'checkpoints');
    const [older, newer, ...others] = (await readdir(checkpoints)).sort();
    expect(others).toEqual([]);
    await truncate(join(checkpoints, newer!), 5000);
    const events: RunEvent[] = [];
    const again = new AbortController();
    await runAll({
      resume: run,
      onEvent: (event) => {
        events.push(event);
        if (event.type === 'start') again.abort();
      },
      signal: again.signal,
    });
    const warnings = events.flatMap((event) => (event.type === 'warning' ? [event.message] : []));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(newer);
    const start = events.find((event) => event.type === 'start');
    expect(start?.type === 'start' && start.finished.length).toBe(Number(/-e(\d+)-/.exec(older!)![1]));

    await rm(checkpoints, { recursive: true });
    expect((await runAll({ resume: run })).interrupted).toBe(false);
    expect(pathless(await outcomeOf(folder))).toEqual(reference);
  });
});
