import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { smallRun, treadle } from '../cli/treadle.js';
import { temporaryFolder } from '../support/folder.js';
import { pythonWith } from '../support/python.js';

// The other scripts of this folder are run by hand: they need PyTorch.

const own = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const output = (program: string, ...args: string[]) => execFileSync(program, args, { encoding: 'utf8' });

const tensorBoard = pythonWith('tensorboard', 'PIL', 'numpy');
it.skipIf(!tensorBoard)("the figures of a run are read by TensorBoard's own reader", async () => {
  const folder = await temporaryFolder();
  const options = await smallRun(folder, {
    architectures: [{ name: 'tiny', hidden: [6] }],
    learningRates: [0.004, 0.001],
    epochs: 2,
  });
  const { code } = await treadle(['run-all', ...options, '--tensorboard', 'logs'], { cwd: folder });
  expect(code).toBe(0);
  const [run] = await readdir(join(folder, 'runs'));
  const said = output(tensorBoard!, own('events.py'), join(folder, 'logs'), join(folder, 'runs', run!));
  expect(said).toMatch(/^2 models, 20 scalars, 2 images and all hyper-parameters/);
});

const onnxRuntime = pythonWith('onnxruntime', 'onnx', 'numpy');
it.skipIf(!onnxRuntime)('tables are predicted by onnxruntime as by treadle', async () => {
  const folder = await temporaryFolder();
  output(process.execPath, own('tables.mjs'), folder);
  const said = output(onnxRuntime!, own('tables.py'), folder).trim().split('\n');
  expect(said).toHaveLength(3);
  for (const line of said) expect(line).toMatch(/^onnxruntime, \w+: \d+ rows, .* other labels 0$/);
});
