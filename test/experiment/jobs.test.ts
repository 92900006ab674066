import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../dist/experiment/config.js';
import { descendants, planJobs } from '../../dist/experiment/jobs.js';
import { classifierParameters } from '../../dist/model/classifier.js';
import { passOf } from '../../dist/results/job-id.js';

const shape = { inputs: 784, classes: 10 };

describe('planJobs', () => {
  it('makes the twelve models of the report, chained from rate to rate', () => {
    const jobs = planJobs(defaultConfig(), shape, 'simd');
    expect(jobs.map(({ id, parent }) => [id, parent])).toEqual([
      ['large1_0.005', null],
      ['large1_0.004', 'large1_0.005'],
      ['large1_0.003', 'large1_0.004'],
      ['large1_0.001', 'large1_0.003'],
      ['large2_0.005', null],
      ['large2_0.004', 'large2_0.005'],
      ['large2_0.003', 'large2_0.004'],
      ['large2_0.001', 'large2_0.003'],
      ['small_0.005', null],
      ['small_0.004', 'small_0.005'],
      ['small_0.003', 'small_0.004'],
      ['small_0.001', 'small_0.003'],
    ]);
  });

  it('follows the order of the learning rates as given', () => {
    const config = {
      ...defaultConfig(),
      learningRates: [0.001, 0.1],
      architectures: [{ name: 'a', hidden: [8] }],
    };
    expect(planJobs(config, shape, 'simd').map(({ id, parent }) => [id, parent])).toEqual([
      ['a_0.001', null],
      ['a_0.1', 'a_0.001'],
    ]);
  });

  it('goes through the chain again in each pass, from the last weights of the one before', () => {
    const config = {
      ...defaultConfig(),
      passes: 2,
      learningRates: [0.1, 0.01],
      architectures: [
        { name: 'a', hidden: [8] },
        { name: 'b', hidden: [9] },
      ],
    };
    expect(planJobs(config, shape, 'simd').map(({ id, pass, parent }) => [id, pass, parent])).toEqual([
      ['a_0.1', 1, null],
      ['a_0.01', 1, 'a_0.1'],
      ['a_0.1_pass2', 2, 'a_0.01'],
      ['a_0.01_pass2', 2, 'a_0.1_pass2'],
      ['b_0.1', 1, null],
      ['b_0.01', 1, 'b_0.1'],
      ['b_0.1_pass2', 2, 'b_0.01'],
      ['b_0.01_pass2', 2, 'b_0.1_pass2'],
    ]);
    expect(planJobs(config, shape, 'simd').every(({ id, pass }) => passOf(id) === pass)).toBe(true);
  });

  it('has no parents in independent mode', () => {
    const jobs = planJobs({ ...defaultConfig(), mode: 'independent' }, shape, 'simd');
    expect(jobs).toHaveLength(12);
    expect(jobs.every(({ parent }) => parent === null)).toBe(true);
  });

  it('makes plain records that hold everything a job needs', () => {
    const config = {
      ...defaultConfig(),
      epochs: 4,
      batchSize: 64,
      seed: 9,
      keep: 'last' as const,
      dropout: 0.25,
    };
    const [job] = planJobs(config, { inputs: 6, classes: 3 }, 'relaxed-mt');
    expect(job).toEqual({
      id: 'large1_0.005',
      model: 'large1',
      learningRate: 0.005,
      schedule: 'constant',
      pass: 1,
      spec: { inputs: 6, hidden: [1024, 512, 256, 128], classes: 3, dropout: 0.25 },
      epochs: 4,
      batchSize: 64,
      augment: null,
      seed: 9,
      keep: 'last',
      build: 'relaxed-mt',
      from: null,
      parent: null,
    });
    expect(JSON.parse(JSON.stringify(job))).toEqual(job);
  });
});

describe('classifierParameters', () => {
  it('counts weights, biases, gamma and beta', () => {
    // 784*128+128 + 128*64+64 + 64*10+10 of Dense, 2*(128+64) of BatchNorm.
    expect(classifierParameters({ inputs: 784, hidden: [128, 64], classes: 10 })).toBe(109_770);
  });
});

describe('descendants', () => {
  it('finds all that start from a job, however far', () => {
    const jobs = planJobs(defaultConfig(), shape, 'simd');
    expect(descendants(jobs, 'large2_0.004')).toEqual(['large2_0.003', 'large2_0.001']);
    expect(descendants(jobs, 'small_0.001')).toEqual([]);
  });
});
