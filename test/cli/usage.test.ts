import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.js';
import { type Finished, smallRun, treadle, treadleEach } from './treadle.js';

const COMMANDS = [
  ['run-all'],
  ['train'],
  ['test'],
  ['predict'],
  ['data'],
  ['data', 'fetch'],
  ['data', 'info'],
  ['report'],
  ['inspect'],
  ['doctor'],
  ['bench'],
];

describe('help', () => {
  let helps: Finished[];
  beforeAll(async () => {
    helps = await treadleEach(COMMANDS.map((command) => [...command, '--help']));
  });

  it.each(COMMANDS)('of %s %s has an example', async (...command) => {
    const { code, stdout, stderr } =
      helps[COMMANDS.findIndex((known) => known.join() === command.filter(Boolean).join())]!;
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`Examples?:\n {2}treadle ${command.filter(Boolean).join(' ')}`));
    expect(stderr).toBe('');
  });

  it('of run-all has every option with its default', async () => {
    const { stdout } = await treadle(['run-all', '--help'], { env: { COLUMNS: '200' } });
    const text = stdout.replace(/\s+/g, ' ');
    for (const option of [
      /--data <dir> .*?\(default: /,
      /--no-verify /,
      /--weights <dir> .*?\(default: "weights"\)/,
      /--out <dir> .*?\(default: "runs"\)/,
      /--epochs <n> .*?\(default: 10\)/,
      /--batch-size <n> .*?\(default: \d+\)/,
      /--mode <mode> .*?"chained", "independent", default: "chained"/,
      /--jobs <n> .*?\(default: \d+, this machine's cores\)/,
      /--threads <n> .*?\(default: \d+, this machine's cores\)/,
      /--seed <n> .*?\(default: 0\)/,
      /--validation-size <n> .*?\(default: 10000, or a sixth of them where that is fewer\)/,
      /--train-samples <n> .*?\(default: all\)/,
      /--keep <which> .*?"best", "last", default: "best"/,
      /--config <file> /,
      /--force .*?without asking/,
      /--build <name> .*?"auto", "strict", .*?default: "auto"/,
      /--strict .*?--build strict/,
      /--json /,
      /--verbose /,
    ]) {
      expect(text).toMatch(option);
    }
  });
});

describe('wrong usage ends with 2 and one sentence', () => {
  const wrong: [string, string[], string][] = [
    ['an unknown command', ['trian'], "unknown command 'trian'"],
    ['no command', [], 'Usage: treadle'],
    ['an unknown option', ['run-all', '--epoch', '3'], "unknown option '--epoch'"],
    ['an argument too many', ['run-all', 'now'], 'too many arguments'],
    [
      'no epochs',
      ['run-all', '--epochs', '0'],
      '--epochs is "0"; a whole number from 1 to 100000 is expected.',
    ],
    ['negative epochs', ['run-all', '--epochs', '-1'], '--epochs is "-1"'],
    ['absurd epochs', ['run-all', '--epochs', '1e9'], '--epochs is "1e9"'],
    ['epochs that are no number', ['run-all', '--epochs', 'ten'], '--epochs is "ten"'],
    ['part of an epoch', ['run-all', '--epochs', '1.5'], '--epochs is "1.5"'],
    ['a batch of one', ['run-all', '--batch-size', '1'], '--batch-size is "1"; a whole number from 2'],
    ['no jobs', ['run-all', '--jobs', '0'], '--jobs is "0"'],
    ['no threads', ['run-all', '--threads', '0'], '--threads is "0"'],
    ['a negative seed', ['run-all', '--seed', '-5'], '--seed is "-5"'],
    ['no validation', ['run-all', '--validation-size', '0'], '--validation-size is "0"'],
    ['too few samples', ['run-all', '--train-samples', '1'], '--train-samples is "1"'],
    ['an unknown mode', ['run-all', '--mode', 'fast'], "'--mode <mode>' argument 'fast' is invalid"],
    ['an unknown build', ['run-all', '--build', 'fast'], "'--build <name>' argument 'fast' is invalid"],
    [
      'another build than the strict one',
      ['run-all', '--strict', '--build', 'relaxed'],
      '--build is "relaxed"; strict, which --strict stands for, is expected.',
    ],
    [
      'an empty folder name',
      ['run-all', '--weights', ''],
      '--weights is ""; the path of a folder is expected.',
    ],
    ['no model', ['train', '--lr', '0.1'], '--model is missing; --model and --lr are expected, or --resume'],
    [
      'an unknown model',
      ['train', '--model', 'huge', '--lr', '0.1'],
      '--model is "huge"; one of large1, large2, small',
    ],
    ['a rate of zero', ['train', '--model', 'small', '--lr', '0'], '--lr is "0"; a number above 0'],
    ['a negative rate', ['train', '--model', 'small', '--lr', '-0.1'], '--lr is "-0.1"'],
    ['a rate of NaN', ['train', '--model', 'small', '--lr', 'NaN'], '--lr is "NaN"'],
    ['an infinite rate', ['train', '--model', 'small', '--lr', '1e999'], '--lr is "1e999"'],
    [
      'no weights to predict with',
      ['predict', 'a.png'],
      '--weights is missing; --weights for images or --model',
    ],
    [
      'a background beyond white',
      ['predict', '--weights', 'w.pkl', '--background', '256', 'a.png'],
      '--background is "256"; a whole number from 0 to 255',
    ],
    [
      'an inverted table',
      ['predict', '--model', 'm.safetensors', '--invert', 'a.csv'],
      "option '--invert' cannot be used with option '--model <file>'",
    ],
    ['no image', ['predict', '--weights', 'w.pkl'], "missing required argument 'file'"],
  ];
  let ended: Finished[];
  beforeAll(async () => {
    ended = await treadleEach(wrong.map(([, args]) => args));
  });

  it.each(wrong)('%s', async (what, _, part) => {
    const { code, stdout, stderr } = ended[wrong.findIndex(([name]) => name === what)]!;
    expect(code).toBe(2);
    expect(stderr).toContain(part);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(stdout).toBe('');
  });

  it('a config file with an unknown key', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'grid.json'), '{"epoch": 3}');
    const { code, stderr } = await treadle(['run-all', '--config', 'grid.json'], { cwd: folder });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: grid\.json: "epoch" is an unknown key; .+\n$/);
  });
});

describe('options that do not fit the data end with 2, one sentence and no run', () => {
  it.each([
    ['a split that leaves too little', ['--validation-size', '299'], '--validation-size 299 leaves 1 of 300'],
    ['too few to validate on', ['--validation-size', '2'], '--validation-size is 2; a whole number'],
    ['too few to train on', ['--train-samples', '2'], '--train-samples is 2; a whole number'],
    ['more than there are', ['--train-samples', '241'], '--train-samples is 241; a whole number'],
    ['a network that no memory can hold', ['--config', 'wide.json'], 'Model wide: The network needs '],
  ])('%s', async (_, options, words) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'wide.json'), '{"architectures": {"slim": [8], "wide": [20000, 20000]}}');
    const data = await smallRun(folder, {});
    const { code, stdout, stderr } = await treadle(['run-all', ...data, ...options], { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^error: .+\n$/) });
    expect(stderr).toContain(words);
    expect(stdout).not.toContain('Run ');
    expect((await readdir(folder)).sort()).toEqual(['data', 'grid.json', 'wide.json']);
  });
});

describe('what cannot be done ends with 1 and one sentence', () => {
  it.each([
    ['weights that are not there', ['inspect', 'none.pkl'], 'none.pkl does not exist'],
    ['a folder of weights that is not there', ['test', '--weights', 'none'], 'none does not exist'],
    ['a run that is not there', ['report', 'none'], 'none is no run'],
    ['a config file that is not there', ['run-all', '--config', 'none.json'], 'none.json does not exist'],
    ['data that is not there', ['run-all', '--data', 'none'], 'none does not exist'],
  ])('%s', async (_, args, part) => {
    const { code, stdout, stderr } = await treadle(args, { cwd: await temporaryFolder() });
    expect(code).toBe(1);
    expect(stderr).toContain(part);
    expect(stderr).toMatch(/^error: .+\n$/);
    expect(stdout).toBe('');
  });

  it('a folder without weights', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'weights'));
    const { code, stderr } = await treadle(['test'], { cwd: folder });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: weights has no weights; .+\n$/);
  });

  it('a file in the way of the output folder', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'runs'), '');
    const { code, stderr } = await treadle(['run-all'], { cwd: folder });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: Folder runs cannot be written to: .+\n$/);
  });

  it('shows where it failed only with --verbose', async () => {
    const { code, stderr } = await treadle(['inspect', 'none.pkl', '--verbose'], {
      cwd: await temporaryFolder(),
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ +at /m);
  });
});
