import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import * as ort from 'onnxruntime-web';
import { rolldown } from 'rolldown';
import { describe, expect, it } from 'vitest';
import { saveWeights } from '../../dist/node/model-file.js';
import {
  classifierModel,
  createModel,
  EXPORT_FORMATS,
  type ExportFormat,
  exportModel,
  loadModel,
  mlp,
} from '../../dist/node.js';
import { CHROMIUM, serveFolder, startChromium } from '../support/chromium.js';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';
import { metadataOf, network } from './fixtures.js';
import { FEATURES, inputsOf, KINDS, largestDifference, NAMES, ROWS, titleOf, trained } from './models.js';

ort.env.logLevel = 'error';

/** What differences of probabilities may be, and of numbers beside their size. */
const CLOSE = 1e-5;

const rowsOf = <T>(x: Float32Array | Uint8Array, each: (row: Float32Array | Uint8Array) => T): T[] =>
  Array.from({ length: ROWS }, (_, row) => each(x.subarray(row * FEATURES, (row + 1) * FEATURES)));

describe('onnx, run by onnxruntime', () => {
  it.each(KINDS.map((kind) => [titleOf(kind), kind] as const))('%s', async (_, kind) => {
    const model = await trained(kind);
    const x = inputsOf(kind.type);
    const session = await ort.InferenceSession.create(exportModel(model, 'onnx'));
    const type = kind.type === 'u8' ? 'uint8' : 'float32';
    // Rows are free in number.
    for (const rows of [1, ROWS]) {
      const own = x.subarray(0, rows * FEATURES);
      const results = await session.run({ x: new ort.Tensor(type, own, [rows, FEATURES]) });
      const names = kind.head === 'identity' ? ['predictions'] : ['probabilities', 'label'];
      expect(Object.keys(results)).toEqual(names);
      const found = results[names[0]!]!.data as Float32Array;
      const width = found.length / rows;
      expect(largestDifference(kind.head, model.probabilities(own), found, width)).toBeLessThan(CLOSE);
      if (kind.head === 'identity') continue;
      const labels = [...(results.label!.data as Iterable<string | bigint>)];
      expect(labels.map((label) => (typeof label === 'bigint' ? Number(label) : label))).toEqual(
        model.predict(own).flat(),
      );
    }
    model.dispose();
  });

  it('keeps sizes far from 1, and inputs that are not standardised', async () => {
    const spec = mlp({ inputs: FEATURES, hidden: [], outputs: 1, standardize: false });
    const model = await createModel(spec);
    const x = inputsOf('f32');
    await model.fit({ x, y: rowsOf(x, (row) => row[0]! * 1e6) }, { epochs: 2 });
    const session = await ort.InferenceSession.create(exportModel(model, 'onnx'));
    const { predictions } = await session.run({ x: new ort.Tensor('float32', x, [ROWS, FEATURES]) });
    const difference = largestDifference(
      'identity',
      model.probabilities(x),
      predictions!.data as Float32Array,
      1,
    );
    expect(difference).toBeLessThan(CLOSE);
  });
});

describe('js', () => {
  it.each(KINDS.map((kind) => [titleOf(kind), kind] as const))('%s', async (_, kind) => {
    const model = await trained(kind);
    const x = inputsOf(kind.type);
    const file = join(await temporaryFolder(), 'model.mjs');
    await writeFile(file, exportModel(model, 'js'));
    const module = await import(/* @vite-ignore */ pathToFileURL(file).href);
    const run = module.probabilities ?? module.outputs;
    const found = rowsOf(x, run).flat() as number[];
    expect(largestDifference(kind.head, model.probabilities(x), found, found.length / ROWS)).toBeLessThan(
      CLOSE,
    );
    if (kind.head !== 'identity') expect(rowsOf(x, module.predict)).toEqual(model.predict(x));
    expect(module.classes).toEqual(model.spec.classes);
    expect(() => run([1])).toThrow('The row has 1 values; 7 are expected.');
    model.dispose();
  });

  it('runs in Chromium', async (context) => {
    if (!existsSync(CHROMIUM)) return context.skip('there is no Chromium');
    const kind = KINDS.find(
      ({ activation, named, head }) => activation === 'gelu' && named && head === 'softmax',
    )!;
    const model = await trained(kind);
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'model.mjs'), exportModel(model, 'js'));
    await writeFile(join(folder, 'index.html'), '<!doctype html><title>model</title>');
    const browser = await startChromium();
    try {
      const page = await browser.newPage();
      const origin = await serveFolder(folder);
      await page.goto(`${origin}/index.html`);
      const x = inputsOf(kind.type);
      const rows = rowsOf(x, (row) => [...row]);
      const found = (await page.evaluate(
        `import('${origin}/model.mjs').then((model) => {
          const rows = ${JSON.stringify(rows)};
          return { all: rows.flatMap((row) => model.probabilities(row)), labels: rows.map(model.predict) };
        })`,
      )) as { all: number[]; labels: string[] };
      expect(largestDifference('softmax', model.probabilities(x), found.all, 3)).toBeLessThan(CLOSE);
      expect(found.labels).toEqual(model.predict(x));
    } finally {
      await browser.close();
    }
  });
});

/** Whether a program can be started. */
function has(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A C program that reads rows of the header's inputs as text, and prints what the model says of them. */
const MAIN = `
#include "model.h"
#include <stdio.h>
int main(void) {
  static float scratch[MODEL_SCRATCH], out[MODEL_OUTPUTS];
  static TYPE in[MODEL_INPUTS];
  double value;
  int at = 0;
  while (scanf("%lf", &value) == 1) {
    in[at++] = (TYPE)value;
    if (at < MODEL_INPUTS) continue;
    at = 0;
#ifdef LABELS
    printf("%s\\t", LABELS);
#else
    model_run(in, out, scratch);
#endif
    for (int i = 0; i < MODEL_OUTPUTS; i++) printf("%.9g ", (double)out[i]);
    printf("\\n");
  }
  return 0;
}
`;

const WARNINGS = ['-Wall', '-Wextra', '-Wconversion', '-Wshadow', '-Werror'];

describe.skipIf(!has('gcc'))('c, compiled by gcc', () => {
  const some = KINDS.filter(({ norm, type }) => norm === (type === 'f32'));
  it.each(some.map((kind) => [titleOf(kind), kind] as const))('%s', async (_, kind) => {
    const model = await trained(kind);
    const x = inputsOf(kind.type);
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'model.h'), exportModel(model, 'c'));
    await writeFile(join(folder, 'main.c'), MAIN);
    const type = kind.type === 'u8' ? 'unsigned char' : 'float';
    const isNamed = model.spec.classes !== undefined;
    const labels = isNamed ? ['-DLABELS=model_classes[model_predict(in, out, scratch)]'] : [];
    const args = [
      '-std=c99',
      '-pedantic',
      ...WARNINGS,
      `-DTYPE=${type}`,
      ...labels,
      'main.c',
      '-o',
      'main',
      '-lm',
    ];
    await promisify(execFile)('gcc', args, { cwd: folder });
    const output = execFileSync(join(folder, 'main'), { input: [...x].join(' '), encoding: 'utf8' });
    const lines = output
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    const found = lines.flatMap((line) => line.at(-1)!.trim().split(' ').map(Number));
    expect(largestDifference(kind.head, model.probabilities(x), found, found.length / ROWS)).toBeLessThan(
      CLOSE,
    );
    if (isNamed) expect(lines.map(([label]) => label)).toEqual(model.predict(x));
    model.dispose();
  });

  it('is C++ too, under any name', async () => {
    const model = await createModel(mlp({ inputs: 2, hidden: [3], outputs: 1 }));
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'model.h'), exportModel(model, 'c', { name: '3 Häuser, v1.2' }));
    const main =
      '#include "model.h"\nint main() { float y[1], s[MODEL_3_H_USER_V1_2_SCRATCH]; const float x[2] = {1, 2}; model_3_h_user_v1_2_run(x, y, s); return 0; }\n';
    await writeFile(join(folder, 'main.cpp'), main);
    await promisify(execFile)(
      'gcc',
      ['-x', 'c++', '-Wall', '-Wextra', '-Werror', 'main.cpp', '-o', 'main', '-lm'],
      { cwd: folder },
    );
  });
});

/** Prints what numpy and pickle read: shapes and sums of arrays, and the text beside them. */
const READ = `
import json, pickle, sys, zipfile, numpy
npz, pkl = sys.argv[1:]
assert zipfile.ZipFile(npz).testzip() is None
arrays = dict(numpy.load(npz))
spec = json.loads(str(arrays.pop('treadle_model')))
with open(pkl, 'rb') as file:
    pickled = pickle.load(file)
assert list(arrays) == list(pickled) and all((arrays[k] == pickled[k]).all() for k in arrays)
print(json.dumps([spec, {k: [a.dtype.str, list(a.shape), a.ravel().tolist()] for k, a in arrays.items()}]))
`;

import { PYTHONS } from '../support/python.js';

describe.each(PYTHONS)('npz and pkl, read by %s', (python) => {
  it('are arrays under the names of numpy users', async (context) => {
    try {
      execFileSync(python, ['-c', 'import numpy'], { stdio: 'ignore' });
    } catch {
      return context.skip(`${python} has no numpy`);
    }
    const model = await trained(
      KINDS.find(({ norm, head, type }) => norm && head === 'identity' && type === 'f32')!,
    );
    const folder = await temporaryFolder();
    const files = [join(folder, 'model.npz'), join(folder, 'model.pkl')];
    await writeFile(files[0]!, exportModel(model, 'npz'));
    await writeFile(files[1]!, exportModel(model, 'pkl'));
    const [spec, arrays] = JSON.parse(execFileSync(python, ['-c', READ, ...files], { encoding: 'utf8' }));
    expect(spec).toEqual(model.spec);
    const tensors = model.tensors();
    expect(arrays.W1).toEqual(['<f4', [FEATURES, 16], [...tensors.get('0.weight')!]]);
    expect(arrays.running_var2).toEqual(['<f4', [8], [...tensors.get('4.runningVar')!]]);
    expect(arrays.target_deviation).toEqual(['<f4', [2], [...tensors.get('target.deviation')!]]);
  });
});

describe('exportModel', () => {
  const FORMATS = Object.keys(EXPORT_FORMATS) as ExportFormat[];

  it('takes weights of the command line, with the names of their classes', async () => {
    const widths = [6, 5, 3];
    const folder = await temporaryFolder();
    const metadata = { ...metadataOf(widths), classNames: NAMES, imageWidth: 3, imageHeight: 2 };
    const paths = await saveWeights(folder, network(widths), metadata);
    const [safetensors, pickle] = await Promise.all(paths.map((path) => readFile(path)));
    const model = await loadModel(exportModel(safetensors!, 'safetensors'));
    expect(model.spec).toEqual({
      ...classifierModel({ inputs: 6, hidden: [5], classes: 3, dropout: 0.5, shape: [2, 3] }),
      classes: NAMES,
    });
    const x = Uint8Array.from({ length: 60 }, (_, at) => (at * 91) % 256);
    for (const bytes of [safetensors!, pickle!]) {
      for (const format of FORMATS) expect(exportModel(bytes, format).length).toBeGreaterThan(100);
      const session = await ort.InferenceSession.create(exportModel(bytes, 'onnx'));
      const results = await session.run({ x: new ort.Tensor('uint8', x, [10, 6]) });
      const found = results.probabilities!.data as Float32Array;
      expect(largestDifference('softmax', model.probabilities(x), found, 3)).toBeLessThan(CLOSE);
    }
  });

  it('gives equal bytes for equal models', async () => {
    const make = () => createModel(mlp({ inputs: 3, hidden: [4], outputs: 2 }), { seed: 5 });
    const [first, second] = [await make(), await make()];
    for (const format of FORMATS) {
      expect(exportModel(first, format)).toEqual(exportModel(second, format));
      expect(exportModel(first, format)).toEqual(exportModel(first.save(), format));
    }
  });

  it('refuses what is no format, no name and no model', async () => {
    const model = await createModel(mlp({ inputs: 3, hidden: [4], outputs: 2 }));
    const refuse = async (code: string, sentence: string, ...args: unknown[]) => {
      const { message } = await failure(code, () => (exportModel as (...all: unknown[]) => unknown)(...args));
      expect(message).toBe(sentence);
    };
    const formats = 'one of onnx, npz, pkl, safetensors, js, c is expected.';
    await refuse('usage', `format is 'h5'; ${formats}`, model, 'h5');
    await refuse('usage', `format is missing; ${formats}`, model);
    await refuse('usage', 'name is 3; a string is expected.', model, 'c', { name: 3 });
    await refuse(
      'usage',
      "options has the unknown key 'nam'; known keys only (name, source) are expected.",
      ...[model, 'c', { nam: 'x' }],
    );
    const none = 'a model, or its bytes (await worker.save()) is expected.';
    await refuse(
      'usage',
      `model is an object (Promise); ${none}`,
      { save: async () => new Uint8Array() },
      'c',
    );
    await refuse('usage', `model is null; ${none}`, null, 'c');
    await refuse(
      'format',
      'The model: the file is empty; a safetensors file or a pickle is expected.',
      ...[new Uint8Array(0), 'onnx'],
    );
    await refuse(
      'format',
      'a.bin: the file begins with the bytes 01 02; a safetensors file or a pickle is expected.',
      ...[Uint8Array.of(1, 2), 'onnx', { source: 'a.bin' }],
    );
  });

  it('is no part of a program that trains only', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'node_modules'));
    const entry = join(folder, 'entry.js');
    const library = new URL('../../dist/index.js', import.meta.url).pathname;
    await writeFile(
      entry,
      `import { createModel, mlp } from '${library}';\nconst model = await createModel(mlp({ inputs: 2, hidden: [8], outputs: 2 }));\nawait model.fit({ x: [[0, 0], [1, 1]], y: [0, 1] });\nmodel.save();\n`,
    );
    const build = await rolldown({
      input: entry,
      platform: 'browser',
      logLevel: 'silent',
      treeshake: { moduleSideEffects: false },
    });
    const { output } = await build.generate({ format: 'esm' });
    await build.close();
    const kept = output.flatMap((chunk) =>
      chunk.type === 'chunk'
        ? Object.entries(chunk.modules).flatMap(([id, { renderedLength }]) =>
            renderedLength > 0 ? [id] : [],
          )
        : [],
    );
    expect(kept.some((id) => id.endsWith('/formats/model-bytes.js'))).toBe(true);
    expect(
      kept.filter((id) => /formats\/(export|import|onnx|npz)|vendor\/(fflate|bufbuild)/.test(id)),
    ).toEqual([]);
  });
});
