import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig, readConfigFile } from '../../dist/cli/config-file.js';
import { defaultConfig } from '../../dist/experiment/config.js';
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
    expect(parseConfig('{"architectures": {"wide": {"name": "wide", "hidden": [2048]}}}', 'f')).toEqual({
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
    [
      '{"architectures": {"a": {"name": "b", "hidden": [8]}}}',
      'the name in architectures.a is "b"; none, or "a", is expected',
    ],
    [
      '{"architectures": {"__proto__": [8]}}',
      'architectures.0.name is "__proto__"; a name of 1 to 64 letters',
    ],
    ['[]', 'an object of settings is expected'],
    ['null', 'an object of settings is expected'],
    ['{"epochs": 3', 'is not JSON'],
    [
      '{"epochs": 3, "epochs": 4}',
      'grid.json has the key "epochs" twice; a JSON object of settings is expected.',
    ],
    ['{"a\\u001b[2J\\u202e": 3}', '"a\\u001b[2J\\u202e" is an unknown key'],
    ['["\\u009b31m"]', 'grid.json has ["\\u009b31m"]; an object of settings'],
    [
      `{"epochs": ["${'long '.repeat(30)}"]}`,
      'epochs is ["long long long long long long long long long long long ...; a whole',
    ],
    ['{"jobs": {"a": [1, null, {}], "b": ""}}', 'jobs is {"a":[1,null,{}],"b":""}; a whole number'],
  ])('refuses %s', async (text, part) => {
    const error = await failure('usage', () => parseConfig(text, 'grid.json'));
    expect(error.message).toContain('grid.json');
    expect(error.message).toContain(part);
  });
});

describe('a configuration that is made to do harm', () => {
  it.each([
    [
      'deep',
      '['.repeat(500_000) + ']'.repeat(500_000),
      'grid.json is nested deeper than 8 levels; a JSON object',
    ],
    [
      'long',
      `{"learningRates": [${'1,'.repeat(200_000)}1]}`,
      'grid.json lists more than 100000 values; a JSON',
    ],
  ])('is refused when it is %s', async (_, text, message) => {
    expect((await failure('usage', () => parseConfig(text, 'grid.json'))).message).toContain(message);
  });

  it('is refused at its first mistake', async () => {
    const text = `{"learningRates": [${'[],'.repeat(40_000)}1]}`;
    const before = process.memoryUsage().heapUsed;
    await failure('usage', () => parseConfig(text, 'grid.json'));
    // Every mistake, noted, would take half a kilobyte.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(2 ** 24);
  });

  it('cannot bring line ends or escape sequences into the message', async () => {
    const error = await failure('usage', () => parseConfig('{"epochs":\n\u001b[2J}', 'grid.json'));
    expect(error.message).toMatch(
      /^grid\.json is not JSON \([ -~]+\); a JSON object of settings is expected\.$/,
    );
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
