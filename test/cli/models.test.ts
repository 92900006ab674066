import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { describe, expect, it } from 'vitest';
import { encodeSafetensors } from '../../dist/formats/safetensors.js';
import type { FloatTensor } from '../../dist/formats/tensor.js';
import { createModel, exportModel, mlp, readModel, saveWeights, writeModel } from '../../dist/node.js';
import { metadataOf, network } from '../formats/fixtures.js';
import { temporaryFolder } from '../support/folder.js';
import { syntheticDataset, writeIdxDataset } from '../support/idx.js';
import { jsonLines, treadle, treadleEach } from './treadle.js';

const tensor = (...shape: number[]): FloatTensor => {
  const count = shape.reduce((a, b) => a * b, 1);
  return { dtype: 'F32', shape, data: Float32Array.from({ length: count }, (_, at) => Math.sin(at)) };
};

/** A state dict of two Linear layers, 4 -> 3 -> 2, as somebody else's program wrote it. */
const OTHERS = encodeSafetensors(
  new Map([
    ['net.0.weight', tensor(3, 4)],
    ['net.0.bias', tensor(3)],
    ['net.2.weight', tensor(2, 3)],
    ['net.2.bias', tensor(2)],
  ]),
  {},
);

describe('export', () => {
  it('writes models and weights in every format, and replaces nothing unasked', async () => {
    const folder = await temporaryFolder();
    const model = await createModel(mlp({ inputs: 4, hidden: [3], outputs: 2 }));
    await writeModel(join(folder, 'flowers.safetensors'), model);
    await saveWeights(join(folder, 'weights'), network([4, 3, 2]), metadataOf([4, 3, 2]));
    const run = (...args: string[]) => treadle(['export', ...args], { cwd: folder });

    const first = await run('flowers.safetensors', '--format', 'onnx');
    expect([first.code, first.stderr]).toEqual([0, '']);
    expect(first.stdout).toMatch(
      /^flowers\.onnx \([\d,]+ bytes\): for onnxruntime and everything else that runs ONNX\.\n$/,
    );
    expect(new Uint8Array(await readFile(join(folder, 'flowers.onnx')))).toEqual(exportModel(model, 'onnx'));

    const again = await run('flowers.safetensors', '--format', 'onnx');
    expect([again.code, again.stderr]).toEqual([
      1,
      'error: flowers.onnx is there already; another name (--out) or --force is expected.\n',
    ]);
    expect((await run('flowers.safetensors', '--format', 'onnx', '--force')).code).toBe(0);

    const weights = join('weights', 'tiny_weights_0.005.pkl');
    const json = await run(weights, '--format', 'c', '--out', 'tiny-net.h', '--json');
    expect(jsonLines(json.stdout)).toMatchObject([
      { type: 'exported', model: weights, format: 'c', file: 'tiny-net.h', bytes: expect.any(Number) },
    ]);
    expect(await readFile(join(folder, 'tiny-net.h'), 'utf8')).toContain(
      'static inline int tiny_net_predict(',
    );
  });

  it('writes JavaScript that projects of either type import, and bundlers', async () => {
    const folder = await temporaryFolder();
    const model = await createModel(mlp({ inputs: 4, hidden: [3], outputs: 2 }));
    await writeModel(join(folder, 'net.safetensors'), model);
    const made = await treadle(['export', 'net.safetensors', '--format', 'js'], { cwd: folder });
    expect(made.stdout).toMatch(
      /^net\.mjs \([\d,]+ bytes\): for Node, Deno, Bun and browsers, as a module\.\n$/,
    );
    const named = ['export', 'net.safetensors', '--format', 'js', '--out', 'net.js'];
    expect((await treadle(named, { cwd: folder })).code).toBe(0);
    const [label] = model.predict([[1, 2, 3, 4]]);
    const says = 'console.log(String(predict([1, 2, 3, 4])));';
    await writeFile(join(folder, 'main.cjs'), `import('./net.mjs').then(({ predict }) => { ${says} });`);
    await writeFile(join(folder, 'main.mjs'), `import { predict } from './net.mjs'; ${says}`);
    const node = (file: string) => promisify(execFile)(process.execPath, [file], { cwd: folder });
    for (const own of [{ name: 'mine' }, { name: 'mine', type: 'module' }]) {
      await writeFile(join(folder, 'package.json'), JSON.stringify(own));
      for (const file of ['main.cjs', 'main.mjs']) {
        expect(await node(file)).toEqual({ stdout: `${label}\n`, stderr: '' });
      }
      const bundle = await rolldown({ input: join(folder, 'main.mjs'), logLevel: 'silent' });
      await bundle.write({ file: join(folder, 'bundled.cjs'), format: 'cjs' });
      await bundle.close();
      expect(await node('bundled.cjs')).toEqual({ stdout: `${label}\n`, stderr: '' });
    }
    // In a project of modules the other name will do.
    await writeFile(join(folder, 'other.js'), `import { predict } from './net.js'; ${says}`);
    expect((await node('other.js')).stdout).toBe(`${label}\n`);
  });

  it('tells the test of weights by the run that trained them', async () => {
    const folder = await temporaryFolder();
    const data = syntheticDataset({ classes: 3, height: 6, width: 5, train: 300, test: 60, seed: 1 });
    await writeIdxDataset(join(folder, 'data'), data);
    const grid = {
      architectures: { slim: [8] },
      learningRates: [0.01, 0.02],
      epochs: 1,
      mode: 'independent',
    };
    await writeFile(join(folder, 'grid.json'), JSON.stringify({ ...grid, validationSize: 60 }));
    const runs = ['--data', 'data', '--no-verify', '--config', 'grid.json', '--threads', '1'];
    const trained = await treadle(['run-all', ...runs], { cwd: folder });
    expect([trained.code, trained.stderr]).toEqual([0, '']);
    const [id] = await readdir(join(folder, 'runs'));
    const results = JSON.parse(await readFile(join(folder, 'runs', id!, 'results.json'), 'utf8'));
    const weights = join('weights', 'slim_weights_0.02.safetensors');
    const hub = (...more: string[]) =>
      treadle(['export', weights, '--format', 'hub', '--out', 'card', ...more], { cwd: folder });
    expect((await hub('--run', id!)).code).toBe(0);
    const card = await readFile(join(folder, 'card', 'README.md'), 'utf8');
    const { test } = results.models.find((own: { learningRate: number }) => own.learningRate === 0.02);
    expect(card).toContain(`name: "Test accuracy"\n            value: ${test.accuracy}\n`);
    expect(card).toContain(`name: "Test macro-F1"\n            value: ${test.macroF1}\n`);
    expect(card).toContain('\nOn 60 samples of ');

    const other = await treadle(['run-all', ...runs, '--seed', '7', '--weights', 'more', '--out', 'others'], {
      cwd: folder,
    });
    expect([other.code, other.stderr]).toEqual([0, '']);
    const [otherId] = await readdir(join(folder, 'others'));
    const wrong = await hub('--force', '--run', join('others', otherId!));
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      `error: --run is "${join('others', otherId!)}"; a run that trained and tested ${weights} is expected.\n`,
    ]);
    // From elsewhere the id is looked for beside the weights' folder, or the run is named by its own.
    const elsewhere = await temporaryFolder();
    const from = (run: string) => {
      const args = ['--format', 'hub', '--out', 'card', '--force', '--run', run];
      return treadle(['export', join(folder, weights), ...args], { cwd: elsewhere });
    };
    for (const run of [id!, join(folder, 'runs', id!)]) {
      const found = await from(run);
      expect([found.code, found.stderr]).toEqual([0, '']);
      expect(await readFile(join(elsewhere, 'card', 'README.md'), 'utf8')).toContain('On 60 samples of ');
    }
    const none = await from('none');
    const place = (at: string) => join(relative(elsewhere, join(folder, at)), 'runs', 'none', 'results.json');
    expect([none.code, none.stderr]).toEqual([
      1,
      `error: none is no run: none of none/results.json, runs/none/results.json, ${place('weights')}, ${place('')} is there; a run's folder or id is expected.\n`,
    ]);
    const js = await treadle(['export', weights, '--format', 'js', '--run', id!], { cwd: folder });
    expect([js.code, js.stderr]).toEqual([
      2,
      `error: --run is "${id}"; it with --format hub only is expected.\n`,
    ]);
  });

  it('says what it cannot read, and that a format is needed', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'other.safetensors'), OTHERS);
    const lines = [
      ['export', 'none.safetensors', '--format', 'js'],
      ['export', join(folder, 'other.safetensors'), '--format', 'js'],
      ['export', 'none.safetensors'],
      ['export', 'none.safetensors', '--format', 'h5'],
    ];
    const [none, other, bare, h5] = await treadleEach(lines);
    expect([none!.code, none!.stderr]).toEqual([
      1,
      'error: none.safetensors does not exist; a file is expected there.\n',
    ]);
    expect(other!.code).toBe(1);
    expect(other!.stderr).toMatch(/other\.safetensors is not a complete dense network: /);
    expect([bare!.code, h5!.code]).toEqual([2, 2]);
    expect(h5!.stderr).toContain('Allowed choices are onnx, npz, pkl, safetensors, js, c, hub.');
  });
});

describe('import', () => {
  it('makes a model, tells what it took for granted, and takes options and a spec', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'other.safetensors'), OTHERS);
    const run = (...args: string[]) =>
      treadle(['import', 'other.safetensors', '--out', ...args], { cwd: folder });

    const { code, stdout, stderr } = await run('model.safetensors');
    expect([code, stdout]).toEqual([0, 'model.safetensors: a model of 23 parameters, out of safetensors.\n']);
    expect(stderr).toBe(
      'relu is taken for the activation between layers, which the file does not say.\n' +
        'softmax is taken for the head, which the file does not say.\n' +
        '--activation, --head and --spec say otherwise.\n',
    );
    const model = await readModel(join(folder, 'model.safetensors'));
    expect(model.predict([[1, 2, 3, 4]])).toHaveLength(1);
    expect((await run('model.safetensors')).stderr).toContain('error: model.safetensors is there already;');

    const asked = await run(
      'b.safetensors',
      '--activation',
      'gelu',
      '--classes',
      'yes',
      'no',
      '--head',
      'softmax',
      '--json',
    );
    expect(asked.stderr).toBe('');
    const [told] = jsonLines(asked.stdout);
    expect(told).toMatchObject({
      type: 'imported',
      format: 'safetensors',
      model: 'b.safetensors',
      notes: [],
    });
    expect(told!.spec).toMatchObject({ classes: ['yes', 'no'], layers: { 1: { type: 'gelu' } } });

    const spec = {
      input: { features: 4, type: 'f32' },
      layers: [{ type: 'dense', units: 3 }, { type: 'tanh' }, { type: 'dense', units: 2 }],
      output: { head: 'sigmoid' },
    };
    await writeFile(join(folder, 'spec.json'), JSON.stringify(spec));
    expect((await run('c.safetensors', '--spec', 'spec.json')).stderr).toBe('');
    expect((await readModel(join(folder, 'c.safetensors'))).spec).toEqual(spec);
  });

  it('names its options where a file says itself what they say', async () => {
    const folder = await temporaryFolder();
    const model = await createModel(mlp({ inputs: 2, hidden: [3], outputs: 3 }));
    await writeFile(join(folder, 'a.onnx'), exportModel(model, 'onnx'));
    const options = [
      ['--activation', 'gelu', '--activation is given; nothing, since a.onnx says it, is expected.'],
      ['--classes', 'a', 'The number of --classes is 1; 3 is expected.'],
      ['--head', 'sigmoid', "--head is 'sigmoid'; softmax, which a.onnx ends with, is expected."],
    ];
    for (const [name, value, words] of options) {
      const found = await treadle(['import', 'a.onnx', '--out', 'b', name!, value!], { cwd: folder });
      expect([found.code, found.stderr]).toEqual([2, `error: ${words}\n`]);
    }
  });

  it('says why a file, a spec or options cannot be used', async () => {
    const folder = await temporaryFolder();
    const [other, broken, twice, none] = ['other.safetensors', 'broken.json', 'twice.json', 'none.json'].map(
      (name) => join(folder, name),
    ) as [string, string, string, string];
    await writeFile(other, OTHERS);
    await writeFile(broken, '{');
    await writeFile(twice, '{"input": 1, "input": 2}');
    await writeFile(none, '{"layers": []}');
    const spec = (file: string) => ['import', other, '--out', join(folder, 'x'), '--spec', file];
    const found = await treadleEach([
      ['import', 'none.onnx', '--out', 'x'],
      ['import', broken, '--out', join(folder, 'x')],
      spec(broken),
      spec(twice),
      spec(none),
      [...spec(none), '--head', 'softmax'],
      ['import', other],
      ['import', other, '--out', join(folder, 'x'), '--classes', 'a', 'b', 'c'],
    ]);
    const sentences = [
      'error: none.onnx does not exist; a file is expected there.',
      `error: ${broken}: it begins as no file that is known; safetensors, npz, a pickle of arrays, ONNX or a model of Keras is expected.`,
      `error: ${broken}: it is no JSON; a model in JSON is expected.`,
      `error: ${twice}: it has the key "input" twice; a model in JSON is expected.`,
      `error: ${none}: it has no model: input is missing; an object is expected.`,
      'cannot be used with option',
      "required option '--out <model>' not specified",
      'error: The number of --classes is 3; 2 is expected.',
    ];
    sentences.forEach((sentence, index) => {
      expect(found[index]!.stderr).toContain(sentence);
    });
    expect(found.map(({ code }) => code)).toEqual([1, 1, 1, 1, 1, 2, 2, 2]);
  });
});

it('inspect says of any file whether it can be run, and how', async () => {
  const folder = await temporaryFolder();
  const model = await createModel(
    mlp({ inputs: 4, hidden: [3], outputs: 2, norm: true, activation: 'tanh' }),
  );
  await writeModel(join(folder, 'model.safetensors'), model);
  await writeFile(join(folder, 'other.safetensors'), OTHERS);
  const convolution = new Map([['conv.weight', tensor(2, 1, 3, 3)]]);
  await writeFile(join(folder, 'conv.safetensors'), encodeSafetensors(convolution, {}));
  const files = ['model.safetensors', 'other.safetensors', 'conv.safetensors'];
  const { code, stdout } = await treadle(['inspect', ...files], { cwd: folder });
  expect(code).toBe(0);
  expect(stdout).toContain(
    'model.safetensors: safetensors, a model 4 -> 3 tanh -> 2, softmax, 11 tensors, 180 bytes\n  can be run: yes, as a model (readModel)\n',
  );
  expect(stdout).toContain('  can be run: yes, once imported (treadle import)\n');
  expect(stdout).toContain(
    'conv.safetensors: safetensors, 1 tensor, 72 bytes\n  can be run: no. conv.safetensors: tensor "conv.weight" of shape [2,1,3,3] is of a convolution,',
  );
  expect(stdout).toMatch(/^conv\.weight +F32 +\(2, 1, 3, 3\) +72 +-\S+ +0\.9906 +\S+ +\S+$/m);
  const json = jsonLines((await treadle(['inspect', '--json', ...files], { cwd: folder })).stdout);
  expect(json.map(({ runs }) => runs)).toEqual(['model', 'import', null]);
  expect(json[2]).toMatchObject({ model: null, reason: expect.stringContaining('convolution') });
});
