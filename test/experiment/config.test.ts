import { describe, expect, it } from 'vitest';
import { defaultConfig, resolveConfig } from '../../dist/experiment/config.js';
import type { RunConfig } from '../../dist/results/records.js';
import { failure } from '../support/errors.js';

describe('resolveConfig', () => {
  it('is the published grid when nothing is said', () => {
    const config = resolveConfig();
    expect(config.architectures).toEqual([
      { name: 'large1', hidden: [1024, 512, 256, 128] },
      { name: 'large2', hidden: [512, 256, 128, 64] },
      { name: 'small', hidden: [128, 64] },
    ]);
    expect(config.learningRates).toEqual([0.005, 0.004, 0.003, 0.001]);
    expect(config).toMatchObject({
      mode: 'chained',
      epochs: 10,
      dropout: 0.5,
      validationSize: null,
      keep: 'best',
    });
  });

  it('lets a setting win over its default, and undefined not', () => {
    expect(resolveConfig({ epochs: 3, seed: undefined })).toEqual({ ...defaultConfig(), epochs: 3 });
  });

  const wrong: [keyof RunConfig, unknown, string][] = [
    ['epochs', 0, 'epochs'],
    ['epochs', -1, 'epochs'],
    ['epochs', 1.5, 'epochs'],
    ['epochs', Number.NaN, 'epochs'],
    ['epochs', 1e9, 'epochs'],
    ['epochs', '10', 'epochs'],
    ['batchSize', 1, 'batchSize'],
    ['batchSize', 1e6, 'batchSize'],
    ['dropout', 1, 'dropout'],
    ['dropout', -0.1, 'dropout'],
    ['dropout', Number.NaN, 'dropout'],
    ['seed', -1, 'seed'],
    ['seed', 2 ** 32, 'seed'],
    ['jobs', 0, 'jobs'],
    ['threads', 0, 'threads'],
    ['trainSamples', 1, 'trainSamples'],
    ['validationSize', 0, 'validationSize'],
    ['mode', 'chain', 'mode'],
    ['keep', 'first', 'keep'],
    ['build', 'fast', 'build'],
    ['learningRates', [], 'learningRates'],
    ['learningRates', [0], 'learningRates.0'],
    ['learningRates', [0.1, -0.1], 'learningRates.1'],
    ['learningRates', [Number.POSITIVE_INFINITY], 'learningRates.0'],
    ['learningRates', [0.1, 0.1], 'learningRates'],
    ['architectures', [], 'architectures'],
    ['architectures', [{ name: 'a', hidden: [] }], 'architectures.0.hidden'],
    ['architectures', [{ name: 'a', hidden: [0] }], 'architectures.0.hidden.0'],
    ['architectures', [{ name: '../a', hidden: [8] }], 'architectures.0.name'],
    ['architectures', [{ name: '', hidden: [8] }], 'architectures.0.name'],
    [
      'architectures',
      [
        { name: 'a', hidden: [8] },
        { name: 'a', hidden: [9] },
      ],
      'architectures',
    ],
    ['architectures', [{ name: '__proto__', hidden: [8] }], 'architectures.0.name'],
  ];
  it.each(wrong)('refuses %s = %j and names it', async (setting, value, subject) => {
    const error = await failure('range', () => resolveConfig({ [setting]: value }));
    expect(error.subject).toBe(subject);
    expect(error.message).toMatch(/; .+ is expected\.$/);
  });

  it('says in plain words which lists have repeats', async () => {
    const rates = await failure('range', () => resolveConfig({ learningRates: [0.1, 0.1] }));
    expect(rates.message).toBe(
      'learningRates is [0.1,0.1]; a list of learning rates that differ is expected.',
    );
    const twice = { name: 'a', hidden: [8] };
    const names = await failure('range', () => resolveConfig({ architectures: [twice, twice] }));
    expect(names.message).toMatch(/; a list of architectures with different names is expected\.$/);
  });

  it('refuses a setting that does not exist', async () => {
    const error = await failure('range', () => resolveConfig({ epoch: 3 } as Partial<RunConfig>));
    expect(error.message).toContain('"epoch" is an unknown key');
  });
});
