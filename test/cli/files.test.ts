import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { toStateDict } from '../../dist/formats/naming.js';
import { encodeSafetensors } from '../../dist/formats/safetensors.js';
import type { FloatTensor } from '../../dist/formats/tensor.js';
import { loadWeights, saveWeights } from '../../dist/node/model-file.js';
import { createModel, mlp } from '../../dist/node.js';
import { metadataOf, network } from '../formats/fixtures.js';
import { temporaryFolder } from '../support/folder.js';
import { syntheticDataset, writeIdxDataset } from '../support/idx.js';
import { jsonLines, treadle } from './treadle.js';

/** Saves a network over images of the given size as `weights/tiny_weights_RATE`, both formats. */
async function saveNetwork(folder: string, width: number, height: number, change = {}): Promise<void> {
  const widths = [width * height, 5, 3];
  const metadata = { ...metadataOf(widths), imageWidth: width, imageHeight: height, ...change };
  await saveWeights(join(folder, 'weights'), network(widths), metadata);
}

const SAFETENSORS = join('weights', 'tiny_weights_0.005.safetensors');
const PICKLE = join('weights', 'tiny_weights_0.005.pkl');

async function writePng(path: string, width: number, height: number): Promise<void> {
  const data = Uint8Array.from({ length: width * height }, (_, index) => (index * 37) % 256);
  await writeFile(path, encode({ width, height, data, channels: 1 }));
}

describe('predict', () => {
  it('takes the size of images from the file or from --size, and guesses none', async () => {
    const folder = await temporaryFolder();
    await saveNetwork(folder, 4, 9);
    await writePng(join(folder, 'a.png'), 8, 18);
    const predict = (...args: string[]) =>
      treadle(['predict', '--json', 'a.png', '--weights', ...args], { cwd: folder });

    const right = await predict(SAFETENSORS);
    expect([right.code, right.stderr]).toEqual([0, '']);
    const guessed = await predict(PICKLE);
    expect([guessed.code, guessed.stdout]).toEqual([1, '']);
    expect(guessed.stderr).toBe(
      `error: ${PICKLE} takes 36 pixels and does not say how they make an image; --size WxH is expected.\n`,
    );
    const [stated, asked] = [right, await predict(PICKLE, '--size', '4x9')].map(({ stdout }) =>
      (JSON.parse(stdout).probabilities as { probability: number }[]).map(({ probability }) => probability),
    );
    expect(asked).toEqual(stated);

    const words: [string, string, string][] = [
      [PICKLE, '5x5', `--size is "5x5"; a size of 36 pixels, as ${PICKLE} takes, is expected.`],
      [SAFETENSORS, '6x6', `--size is "6x6"; 4x9, as ${SAFETENSORS} takes, is expected.`],
      [PICKLE, '36', '--size is "36"; a width and a height such as 28x28 is expected.'],
      [PICKLE, '0x36', '--size is "0x36"; a width'],
    ];
    for (const [file, size, sentence] of words) {
      const { code, stderr } = await predict(file, '--size', size);
      expect(code).toBe(2);
      expect(stderr).toContain(sentence);
    }
  });

  it('takes models of any layers that the library has saved, and none of numbers', async () => {
    const folder = await temporaryFolder();
    const data = Uint8Array.from({ length: 36 }, (_, index) => (index * 37) % 256);
    await writeFile(join(folder, 'a.png'), encode({ width: 4, height: 9, data, channels: 1 }));
    const classes = ['a', 'b', 'c'];
    const layers = { inputs: 36, hidden: [5], outputs: 3, activation: 'tanh' } as const;
    const model = await createModel(
      { ...mlp({ ...layers, inputType: 'u8', shape: [9, 4] }), classes },
      { seed: 1 },
    );
    await writeFile(join(folder, 'own.safetensors'), model.save());
    const { code, stdout, stderr } = await treadle(
      ['predict', '--json', '--weights', 'own.safetensors', 'a.png'],
      { cwd: folder },
    );
    expect([code, stderr]).toEqual([0, '']);
    const said = [...model.probabilities(data)].map((probability, at) => ({
      class: classes[at],
      probability,
    }));
    expect(JSON.parse(stdout).probabilities).toEqual(said);

    await writeFile(
      join(folder, 'numbers.safetensors'),
      (await createModel(mlp(layers), { seed: 1 })).save(),
    );
    const refused = await treadle(['predict', '--weights', 'numbers.safetensors', 'a.png'], { cwd: folder });
    expect([refused.code, refused.stderr]).toEqual([
      2,
      'error: numbers.safetensors is a model of numbers; one that names images in bytes, or --model for one of a table, is expected.\n',
    ]);
  });

  it('takes 784 pixels that nothing describes for 28x28, and says so', async () => {
    const folder = await temporaryFolder();
    await saveNetwork(folder, 28, 28);
    await writePng(join(folder, 'a.png'), 28, 28);
    const predict = (file: string) =>
      treadle(['predict', '--json', 'a.png', '--weights', file], { cwd: folder });
    const [stated, taken] = [await predict(SAFETENSORS), await predict(PICKLE)];
    const probabilities = [stated, taken].map(({ stdout }) =>
      (JSON.parse(stdout).probabilities as { probability: number }[]).map(({ probability }) => probability),
    );
    expect(probabilities[1]).toEqual(probabilities[0]);
    expect(taken.code).toBe(0);
    expect(taken.stderr).toBe(
      `${PICKLE} does not say the size of its images; 28x28 is taken, as MNIST's are.\n`,
    );
  });

  it('says where an image is one single value, and takes dark and transparent ones by options', async () => {
    const folder = await temporaryFolder();
    await saveNetwork(folder, 4, 9);
    // A black shape on transparent ground, and the same, white on black.
    const shape = Array.from({ length: 36 }, (_, index) => (index % 3 === 0 ? 255 : 0));
    const ink = Uint8Array.from(shape.flatMap((alpha) => [0, alpha]));
    await writeFile(join(folder, 'ink.png'), encode({ width: 4, height: 9, data: ink, channels: 2 }));
    const light = { width: 4, height: 9, data: Uint8Array.from(shape), channels: 1 } as const;
    await writeFile(join(folder, 'light.png'), encode(light));
    const predict = (...args: string[]) =>
      treadle(['predict', '--json', '--weights', SAFETENSORS, ...args], { cwd: folder });
    const of = ({ stdout }: { stdout: string }) => JSON.parse(stdout).probabilities;

    const plain = await predict('ink.png');
    expect(plain.code).toBe(0);
    expect(plain.stderr).toBe(
      'ink.png: all pixels are 0 of 255, so there is nothing to classify; dark shapes on transparent ground take --background 255 --invert.\n',
    );
    const expected = await predict('light.png');
    const mended = await predict('ink.png', '--background', '255', '--invert');
    expect([expected.stderr, mended.stderr]).toEqual(['', '']);
    expect(of(mended)).toEqual(of(expected));
    expect(of(plain)).not.toEqual(of(expected));
  });

  it.each([[['--json']], [[]]])(
    'classifies the good images beside bad ones, and ends with 1: %j',
    async (json) => {
      const folder = await temporaryFolder();
      await saveNetwork(folder, 4, 9);
      await writePng(join(folder, 'a.png'), 4, 9);
      await writePng(join(folder, 'b.png'), 9, 4);
      await writeFile(join(folder, 'bad.png'), 'junk');
      const args = ['predict', ...json, '--weights', SAFETENSORS, 'a.png', 'bad.png', 'none.png', 'b.png'];
      const { code, stdout, stderr } = await treadle(args, { cwd: folder });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^error: bad\.png is neither .+\nerror: none\.png does not exist; .+\n$/);
      if (json.length === 0) return expect(stdout.match(/^[ab]\.png: class /gm)).toHaveLength(2);
      expect(jsonLines(stdout)).toMatchObject([
        { type: 'failed', image: 'bad.png', code: 'format' },
        { type: 'failed', image: 'none.png', code: 'not-found' },
        { image: 'a.png' },
        { image: 'b.png' },
      ]);
      const none = await treadle(['predict', ...json, '--weights', SAFETENSORS, 'bad.png'], { cwd: folder });
      expect(none.code).toBe(1);
      expect(none.stderr).toMatch(/^error: bad\.png is neither .+\n$/);
    },
  );
});

describe('test --best', () => {
  it('tells of a file that cannot be read and tests the best of the others', async () => {
    const folder = await temporaryFolder();
    await saveNetwork(folder, 4, 9);
    await saveNetwork(folder, 4, 9, { learningRate: 0.01, valMacroF1: 0.9 });
    await writeFile(join(folder, 'weights', 'notes.pkl'), 'junk');
    const data = syntheticDataset({ classes: 3, height: 9, width: 4, train: 9, test: 6, seed: 1 });
    await writeIdxDataset(join(folder, 'data'), data);
    const args = ['test', '--best', '--json', '--data', 'data', '--no-verify'];
    const { code, stdout, stderr } = await treadle(args, { cwd: folder });
    const notes = join('weights', 'notes.pkl');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: weights.notes\.pkl: the file begins with .+\n$/);
    expect(jsonLines(stdout)).toMatchObject([
      { type: 'failed', file: notes, code: 'format' },
      { type: 'test', learningRate: 0.01 },
    ]);
  });
});

it('predict --average flip says the same of an image and of its mirror image', async () => {
  const folder = await temporaryFolder();
  const widths = [36, 5, 3];
  const tensors = network(widths);
  for (const { weight } of tensors.dense) weight.set(weight.map((_, at) => Math.sin(7 * at) / 4));
  await saveWeights(join(folder, 'weights'), tensors, {
    ...metadataOf(widths),
    imageWidth: 4,
    imageHeight: 9,
  });
  const data = Uint8Array.from({ length: 36 }, (_, index) => (index * 37) % 256);
  const mirror = data.map((_, at) => data[at - (at % 4) + 3 - (at % 4)]!);
  for (const [name, pixels] of [
    ['a.png', data],
    ['b.png', mirror],
  ] as const) {
    await writeFile(join(folder, name), encode({ width: 4, height: 9, data: pixels, channels: 1 }));
  }
  const predict = async (...more: string[]) => {
    const args = ['predict', '--json', '--weights', SAFETENSORS, ...more, 'a.png', 'b.png'];
    const { stdout, stderr } = await treadle(args, { cwd: folder });
    expect(stderr).toBe('');
    return jsonLines(stdout).map(({ probabilities }) => probabilities);
  };
  const [one, other] = await predict('--average', 'flip');
  expect(one).toEqual(other);
  const [plain, mirrored] = await predict();
  expect(plain).not.toEqual(mirrored);
});

describe('predict with several --weights', () => {
  it('gives the mean of their probabilities, and refuses models that do not go together', async () => {
    const folder = await temporaryFolder();
    await saveNetwork(folder, 4, 9);
    const { tensors } = await loadWeights(join(folder, SAFETENSORS));
    for (const { weight } of tensors.dense)
      for (const [at, value] of weight.entries()) weight[at] = Math.cos(value * 9 + at);
    await saveWeights(join(folder, 'other'), tensors, {
      ...metadataOf([36, 5, 3]),
      imageWidth: 4,
      imageHeight: 9,
    });
    await saveNetwork(join(folder, 'odd'), 5, 8);
    const image = Uint8Array.from({ length: 36 }, (_, index) => (index * 37) % 256);
    await writeFile(join(folder, 'a.png'), encode({ width: 4, height: 9, data: image, channels: 1 }));
    const predict = (...files: string[]) =>
      treadle(['predict', '--json', ...files.flatMap((file) => ['--weights', file]), 'a.png'], {
        cwd: folder,
      });
    const of = async (...files: string[]): Promise<number[]> => {
      const [found] = jsonLines((await predict(...files)).stdout);
      const { probabilities } = found as { probabilities: { probability: number }[] };
      return probabilities.map(({ probability }) => probability);
    };
    const other = join('other', SAFETENSORS.slice(SAFETENSORS.indexOf('/') + 1));
    const one = await of(SAFETENSORS);
    const two = await of(other);
    const both = await of(SAFETENSORS, other);
    expect(one).not.toEqual(two);
    const mean = one.map((value, at) => (value + two[at]!) / 2);
    for (const [at, value] of both.entries()) expect(value).toBeCloseTo(mean[at]!, 12);
    const refused = await predict(SAFETENSORS, join('odd', SAFETENSORS));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`36 inputs and 3 classes are expected, as ${SAFETENSORS} has.`);
  });
});

describe('test --average and --ensemble', () => {
  it('test models by the mean over mirror images, and several as one', async () => {
    const folder = await temporaryFolder();
    await saveNetwork(folder, 4, 9);
    await saveNetwork(folder, 4, 9, { learningRate: 0.01 });
    const data = syntheticDataset({ classes: 3, height: 9, width: 4, train: 9, test: 30, seed: 1 });
    await writeIdxDataset(join(folder, 'data'), data);
    const run = (...args: string[]) =>
      treadle(['test', '--data', 'data', '--no-verify', ...args], { cwd: folder });
    const flipped = await run('--average', 'flip', '--json');
    expect([flipped.code, flipped.stderr]).toEqual([0, '']);
    const [one] = jsonLines(flipped.stdout);
    const files = [SAFETENSORS, SAFETENSORS.replace('0.005', '0.01')];
    const ensemble = await run('--average', 'flip', '--json', '--ensemble', ...files);
    expect(ensemble.code).toBe(0);
    // The two files have the same weights.
    expect(jsonLines(ensemble.stdout)).toMatchObject([
      {
        type: 'ensemble',
        agreement: 1,
        members: files.map((file) => ({ file })),
        result: { confusion: one!.confusion },
      },
    ]);
    const told = await run('--ensemble', ...files);
    expect(told.stdout).toContain('The mean of 2 models, which agree on 100.0 % of the images:');
    expect(told.stdout).toContain('±0.0000 beside the best of them.');
    for (const [args, code, words] of [
      [['--ensemble', 'none.safetensors'], 1, 'none.safetensors does not exist'],
      [['--ensemble', SAFETENSORS, '--best'], 2, 'cannot be used with'],
      [['--average', 'turn'], 2, 'Allowed choices are none, flip'],
    ] as const) {
      const refused = await run(...args);
      expect(refused.code).toBe(code);
      expect(refused.stderr).toContain(words);
    }
  });
});

describe('inspect', () => {
  it('shows networks and other files, tells of what is no weights file, and ends with 1 for that', async () => {
    const folder = await temporaryFolder();
    await saveNetwork(folder, 4, 9);
    const named = [...toStateDict(network([4, 3, 2]))].map(
      ([name, tensor]) => [`\u001b[2J${name}`, tensor] as const,
    );
    await writeFile(join(folder, 'other.safetensors'), encodeSafetensors(new Map(named), { note: 'a\nb' }));
    await writeFile(join(folder, 'junk.pkl'), 'junk');
    const files = [SAFETENSORS, 'junk.pkl', 'other.safetensors', PICKLE];

    const json = await treadle(['inspect', '--json', ...files], { cwd: folder });
    expect(json.code).toBe(1);
    expect(json.stderr).toMatch(/^error: junk\.pkl: .+\n$/);
    expect(jsonLines(json.stdout)).toMatchObject([
      { file: SAFETENSORS, inputs: 36, hidden: [5], classes: 3, problem: null, metadata: { imageWidth: 4 } },
      { type: 'failed', file: 'junk.pkl', code: 'format' },
      { file: 'other.safetensors', inputs: null, metadata: { note: 'a\nb' }, tensors: { length: 9 } },
      { file: PICKLE, format: 'pickle', inputs: 36, metadata: null },
    ]);

    const { code, stdout, stderr } = await treadle(['inspect', SAFETENSORS, 'other.safetensors'], {
      cwd: folder,
    });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`${SAFETENSORS}: safetensors, a network 36 -> 5 -> 3\n`);
    expect(stdout).toContain('  can be run: yes, by test and predict\n');
    expect(stdout).toContain(
      'other.safetensors: safetensors, a model 4 -> 3 relu -> 2, softmax, 9 tensors, 148 bytes\n' +
        '  can be run: yes, once imported (treadle import)\n',
    );
    expect(stdout).toContain('  note: a\\u000ab\n');
    expect(stdout).toMatch(/^\\u001b\[2J0\.weight +F32 +\(3, 4\) +48 +-2\.875 /m);
    expect(stdout).not.toContain('\u001b');
  });

  it('shows the first thousand of many tensors, and all of them in JSON', async () => {
    const folder = await temporaryFolder();
    const tensors = new Map<string, FloatTensor>();
    for (let index = 0; index < 20_000; index++) {
      tensors.set(`t${index}`, { dtype: 'F32', shape: [1], data: Float32Array.of(index) });
    }
    await writeFile(join(folder, 'x.safetensors'), encodeSafetensors(tensors, {}));
    const { stdout } = await treadle(['inspect', 'x.safetensors'], { cwd: folder });
    expect(stdout.match(/^t\d+ +F32 /gm)).toHaveLength(1000);
    expect(stdout).toMatch(/\n19000 more; --json has all\.\n$/);
    const json = await treadle(['inspect', '--json', 'x.safetensors'], { cwd: folder });
    expect(JSON.parse(json.stdout).tensors).toHaveLength(20_000);
  });

  it('writes NaN and infinity as words in JSON', async () => {
    const folder = await temporaryFolder();
    const data = Float32Array.of(1, Number.NaN);
    const tensors = new Map([
      ['nan', { dtype: 'F32' as const, shape: [2], data }],
      ['infinite', { dtype: 'F32' as const, shape: [1], data: Float32Array.of(-Infinity) }],
    ]);
    await writeFile(join(folder, 'x.safetensors'), encodeSafetensors(tensors, {}));
    const { stdout } = await treadle(['inspect', '--json', 'x.safetensors'], { cwd: folder });
    expect(JSON.parse(stdout).tensors).toMatchObject([{ mean: 'NaN' }, { min: '-Infinity' }]);
  });
});

describe('places that are not what is expected', () => {
  it('test says of a file that it is one', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'w.pkl'), '');
    const { code, stderr } = await treadle(['test', '--weights', 'w.pkl'], { cwd: folder });
    expect([code, stderr]).toEqual([1, 'error: w.pkl is a file; a folder with weights files is expected.\n']);
  });

  it('report names both places where it looked', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'nope'));
    const { code, stderr } = await treadle(['report', 'nope'], { cwd: folder });
    const places = `${join('nope', 'results.json')} nor ${join('runs', 'nope', 'results.json')}`;
    expect(code).toBe(1);
    expect(stderr).toBe(
      `error: nope is no run: neither ${places} is there; a run's folder or id is expected.\n`,
    );
  });
});
