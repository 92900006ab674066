// All 10,000 test images of Fashion-MNIST through exports of one model: the JavaScript module in Node and in Chromium, ONNX by
// onnxruntime-web in Chromium, and C by gcc; images.py has numpy, PyTorch and onnxruntime. By hand, with weights of run-all:
//
//     node test/interchange/images.mjs FOLDER WEIGHTS && python test/interchange/images.py FOLDER
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { loadDataset } from '../../dist/experiment/index.js';
import { EXPORT_FORMATS, exportModel, loadModel } from '../../dist/node.js';

const folder = resolve(process.argv[2]);
mkdirSync(folder, { recursive: true });
const weights = readFileSync(process.argv[3]);
for (const [format, { extension }] of Object.entries(EXPORT_FORMATS)) {
  writeFileSync(join(folder, `model${extension}`), exportModel(weights, format));
}
const model = await loadModel(readFileSync(join(folder, 'model.safetensors')));
const { images } = (await loadDataset({})).test;
const pixels = model.spec.input.features;
const rows = images.length / pixels;
const expected = model.probabilities(images);
const classes = expected.length / rows;
const { classes: names } = model.spec;
const labels = model.predict(images).map((label) => (names ? names.indexOf(label) : label));
writeFileSync(join(folder, 'images.bin'), images);
writeFileSync(join(folder, 'expected.bin'), new Uint8Array(expected.buffer));

function compare(client, found) {
  let worst = found.length === expected.length ? 0 : Number.NaN;
  let others = 0;
  for (let row = 0; row < rows; row++) {
    let best = 0;
    for (let at = 0; at < classes; at++) {
      const value = found[row * classes + at];
      const difference = Math.abs(value - expected[row * classes + at]);
      if (!(difference <= worst)) worst = difference;
      if (value > found[row * classes + best]) best = at;
    }
    if (best !== labels[row]) others++;
  }
  console.log(`${client}: ${rows} images, largest difference ${worst}, other classes ${others}`);
  if (!(worst <= 1e-5) || others > 0) process.exitCode = 1;
}

const rowsOf = (all) =>
  Array.from({ length: rows }, (_, row) => all.subarray(row * pixels, (row + 1) * pixels));
const module = await import(pathToFileURL(join(folder, 'model.mjs')).href);
compare(`JavaScript in Node ${process.version}`, rowsOf(images).flatMap(module.probabilities));

const MAIN = `#include "model.h"
#include <stdio.h>
int main(void) {
  static unsigned char in[MODEL_INPUTS];
  static float out[MODEL_OUTPUTS], scratch[MODEL_SCRATCH];
  while (fread(in, 1, MODEL_INPUTS, stdin) == MODEL_INPUTS) {
    model_run(in, out, scratch);
    fwrite(out, sizeof(float), MODEL_OUTPUTS, stdout);
  }
  return 0;
}
`;
writeFileSync(join(folder, 'main.c'), MAIN);
execFileSync('gcc', ['-std=c99', '-O2', 'main.c', '-o', 'main', '-lm'], { cwd: folder });
const printed = execFileSync(join(folder, 'main'), { input: images, maxBuffer: 1 << 26 });
compare('C by gcc', new Float32Array(new Uint8Array(printed).buffer));

// The page gets its files from this script: there is no server.
for (const name of ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm']) {
  copyFileSync(
    fileURLToPath(new URL(`../../node_modules/onnxruntime-web/dist/${name}`, import.meta.url)),
    join(folder, name),
  );
}
writeFileSync(join(folder, 'index.html'), '<!doctype html><title>model</title>');
const browser = await chromium.launch({
  executablePath: process.env.TREADLE_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  const page = await browser.newPage();
  await page.route('http://localhost/**', (route) =>
    route.fulfill({ path: join(folder, new URL(route.request().url()).pathname) }),
  );
  await page.goto('http://localhost/index.html');
  const found = await page.evaluate(
    async ([rows, pixels]) => {
      const images = new Uint8Array(await (await fetch('/images.bin')).arrayBuffer());
      const { probabilities } = await import('/model.mjs');
      const all = Array.from({ length: rows }, (_, row) => images.subarray(row * pixels, (row + 1) * pixels));
      const ort = await import('/ort.wasm.min.mjs');
      ort.env.wasm.numThreads = 1;
      const session = await ort.InferenceSession.create('/model.onnx');
      const results = await session.run({ x: new ort.Tensor('uint8', images, [rows, pixels]) });
      return {
        js: all.flatMap(probabilities),
        onnx: [...results.probabilities.data],
        label: [...results.label.data],
      };
    },
    [rows, pixels],
  );
  compare(`JavaScript in Chromium ${browser.version()}`, found.js);
  compare(`onnxruntime-web in Chromium ${browser.version()}`, found.onnx);
  const same = found.label.every(
    (label, row) => (names ? names.indexOf(label) : Number(label)) === labels[row],
  );
  console.log(`onnxruntime-web's labels are ${same ? 'the same' : 'others'}`);
  if (!same) process.exitCode = 1;
} finally {
  await browser.close();
}
