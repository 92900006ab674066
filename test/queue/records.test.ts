import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TreadleError } from '../../dist/bindings/host.js';
import { resolveConfig } from '../../dist/experiment/config.js';
import { planJobs } from '../../dist/experiment/jobs.js';
import { flowsOf } from '../../dist/queue/jobs.js';
import { readRecord } from '../../dist/queue/records.js';

/** Inputs of each property. */
const INPUTS = Number(process.env.TREADLE_QUEUE_INPUTS ?? 2000);

const shape = { inputs: 784, classes: 10, imageWidth: 28 };
const grid = (settings: object) => planJobs(resolveConfig(settings), shape, 'strict' as never);
const sha = 'a'.repeat(64);
const job = grid({ build: 'simd' })[0]!;
const good = { schema: 1, run: '20260101T000000Z-abcd', job: { ...job, build: 'simd' } };
const event = {
  ...{ type: 'epoch', job: job.id, model: job.model, learningRate: 0.005, threads: 1, epoch: 1, seconds: 1 },
  ...{ trainLoss: 1, trainAccuracy: 0.5, valLoss: 1, valAccuracy: 0.5, valMacroF1: 0.5 },
};
const GOOD = {
  'The record of a job': good,
  'The record of a run': {
    ...{
      schema: 1,
      run: good.run,
      treadle: '0.1.0',
      build: 'simd',
      core: sha,
      store: 'redis',
      jobs: 12,
      digest: sha,
    },
    data: { images: { sha256: sha, bytes: 47_040_016 }, labels: { sha256: sha, bytes: 60_008 }, classes: 10 },
    split: { validationSize: null, trainSamples: 100, seed: 0 },
    created: 1,
  },
  'The record of an event': { attempt: 1, worker: 'host/1/abc', event },
  'The outcome of a job': { schema: 1, attempt: 3 },
  'The failure of a job': { code: 'diverged', message: 'It diverged.' },
  'The record of a worker': {
    ...{ worker: 'host/1/abc', treadle: '0.1.0', jobs: 2, threads: 2, samplesPerSecond: 1.5, at: 5 },
    running: [{ run: good.run, job: job.id }],
  },
};
type Kind = keyof typeof GOOD;
const KINDS = Object.keys(GOOD) as Kind[];

describe('records out of a queue', () => {
  it.each(KINDS)('%s is read as it was written', (kind) => {
    const text = JSON.stringify(GOOD[kind]);
    expect(JSON.stringify(readRecord(kind, text))).toBe(text);
  });

  it('takes every job that a run can plan, in a flow whose parents come after their children', () => {
    const grids = [
      {},
      { passes: 2 },
      { seeds: 3, seed: 4 },
      { mode: 'independent', schedule: 'cosine', keep: 'last' },
      { augment: { flip: 0.5, shift: 2, until: 0.8 } },
    ];
    for (const settings of grids) {
      const jobs = planJobs(resolveConfig(settings as object), shape, 'simd');
      let seen = 0;
      const visit = (
        flow: { data?: { record: string }; opts?: { jobId?: string }; children?: unknown[] },
        above: string | null,
      ): void => {
        const { job } = readRecord('The record of a job', flow.data!.record);
        seen++;
        expect(flow.opts!.jobId).toBe(job.id);
        expect(JSON.stringify(job)).toBe(JSON.stringify(jobs.find(({ id }) => id === job.id)));
        if (above !== null) expect(jobs.find(({ id }) => id === above)!.parent).toBe(job.id);
        for (const child of flow.children ?? []) visit(child as never, job.id);
      };
      for (const flow of flowsOf('run', jobs)) visit(flow as never, null);
      expect(seen).toBe(jobs.length);
    }
  });

  it.each([
    ['an id that is a path', { job: { ...good.job, id: '../../etc' } }],
    ['an id of another model', { job: { ...good.job, id: 'small_0.005' } }],
    ['a field too many', { job: { ...good.job, command: 'rm' } }],
    ['a width beyond all memory', { job: { ...good.job, spec: { ...good.job.spec, hidden: [2 ** 40] } } }],
    ['too many layers', { job: { ...good.job, spec: { ...good.job.spec, hidden: Array(65).fill(8) } } }],
    ['a shape of other inputs', { job: { ...good.job, spec: { ...good.job.spec, shape: [2, 2] } } }],
    ['two beginnings', { job: { ...good.job, from: sha, parent: 'large1_0.004' } }],
    ['itself as its parent', { job: { ...good.job, parent: good.job.id } }],
    ['an unknown build', { job: { ...good.job, build: '../evil' } }],
    ['too many epochs', { job: { ...good.job, epochs: 1e9 } }],
    ['another schema', { schema: 2 }],
    ['a run that is a path', { run: 'a/../../b' }],
  ])('refuses a job with %s', (_, change) => {
    expect(() => readRecord('The record of a job', JSON.stringify({ ...good, ...change }))).toThrow(
      /^The record of a job: /,
    );
  });

  it.each(KINDS)('%s: any other text is refused by a format error', (kind) => {
    const refuse = (text: unknown): void => {
      try {
        readRecord(kind, text);
      } catch (error) {
        expect(error).toBeInstanceOf(TreadleError);
        expect((error as TreadleError).code).toBe('format');
        expect((error as TreadleError).message).toMatch(/^.{1,2000}$/);
      }
    };
    const text = JSON.stringify(GOOD[kind]);
    fc.assert(fc.property(fc.anything(), refuse), { numRuns: INPUTS });
    fc.assert(fc.property(fc.json(), refuse), { numRuns: INPUTS });
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(20), fc.string({ maxLength: 20 }), (at, gone, put) =>
        refuse(text.slice(0, at) + put + text.slice(at + gone)),
      ),
      { numRuns: INPUTS },
    );
  });

  it.each(KINDS)('%s with one value changed is what it says, or refused', (kind) => {
    const paths: string[][] = [];
    const walk = (value: unknown, path: string[]): void => {
      paths.push(path);
      if (typeof value !== 'object' || value === null) return;
      for (const key of Object.keys(value)) walk((value as Record<string, unknown>)[key], [...path, key]);
    };
    walk(GOOD[kind], []);
    fc.assert(
      fc.property(fc.nat(paths.length - 1), fc.jsonValue({ maxDepth: 2 }), (which, value) => {
        const copy = structuredClone(GOOD[kind]) as Record<string, unknown>;
        const path = paths[which]!;
        if (path.length === 0) return;
        let at = copy;
        for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
        at[path.at(-1)!] = value;
        const text = JSON.stringify(copy);
        try {
          expect(JSON.stringify(readRecord(kind, text))).toBe(text);
        } catch (error) {
          expect((error as TreadleError).code).toBe('format');
        }
      }),
      { numRuns: INPUTS },
    );
  });

  it('refuses what is nested or listed beyond any record', () => {
    expect(() => readRecord('The record of a job', '['.repeat(1e6))).toThrow('is nested deeper');
    expect(() => readRecord('The outcome of a job', `{"schema":1,"attempt":[${'1,'.repeat(1e5)}1]}`)).toThrow(
      /lists more|nested/,
    );
  });
});
