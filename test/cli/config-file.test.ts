import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig, readConfigFile } from '../../dist/cli/config-file.js';
import { defaultConfig } from '../../dist/orchestrate/config.js';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';

describe('parseConfig', () => {
  it('takes any of the settings', () => {
    const text = '{"learningRates": [0.01], "dropout": 0.2, "batchSize": 64, "trainSamples": null}';
    expect(parseConfig(text, 'grid.json')).toEqual({
      learningRates: [0.01],
      dropout: 0.2,
      batchSize: 64,
      trainSamples: null,
    });
  });

  it('takes architectures by name or as a list', () => {
    const list = [{ name: 'wide', hidden: [2048] }];
    expect(parseConfig('{"architectures": {"wide": {"hidden": [2048]}}}', 'f')).toEqual({
      architectures: list,
    });
    expect(parseConfig(JSON.stringify({ architectures: list }), 'f')).toEqual({ architectures: list });
  });

  it("takes a run's own config.json", () => {
    const config = defaultConfig();
    expect(parseConfig(JSON.stringify(config, null, 2), 'config.json')).toEqual(config);
  });

  it.each([
    ['{"epoch": 3}', '"epoch" is an unknown key'],
    ['{"architectures": {"a": {"hidden": [8], "width": 1}}}', '"architectures.0.width" is an unknown key'],
    ['{"epochs": 0}', 'epochs is 0; a whole number from 1'],
    ['{"epochs": "3"}', 'epochs is "3"; a whole number from 1'],
    ['{"learningRates": 0.1}', 'learningRates is 0.1; a list of learning rates'],
    [
      '{"architectures": {"a": {"hidden": [8, -1]}}}',
      'architectures.0.hidden.1 is -1; a whole number from 1',
    ],
    ['{"architectures": {"a": {}}}', 'architectures.0.hidden is missing'],
    ['{"architectures": {"a": 5}}', 'architectures.0.hidden is 5; a list of widths'],
    ['[]', 'an object of settings is expected'],
    ['null', 'an object of settings is expected'],
    ['{"epochs": 3', 'is not JSON'],
  ])('refuses %s', async (text, part) => {
    const error = await failure('usage', () => parseConfig(text, 'grid.json'));
    expect(error.message).toContain('grid.json');
    expect(error.message).toContain(part);
  });
});

describe('readConfigFile', () => {
  it('reads a file', async () => {
    const file = join(await temporaryFolder(), 'grid.json');
    await writeFile(file, '{"epochs": 2}');
    expect(await readConfigFile(file)).toEqual({ epochs: 2 });
  });

  it('names a file that is not there', async () => {
    const file = join(await temporaryFolder(), 'none.json');
    const error = await failure('not-found', () => readConfigFile(file));
    expect(error.message).toContain(file);
  });
});
