// Times one training epoch of a treadle architecture in TensorFlow.js on its WebAssembly backend, SIMD, one thread:
//   node tfjs_epoch.js --model large1 --batch-size 256 --samples 1024 --data FOLDER

import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { CLASSES, DROPOUT, INPUTS, NORM_EPSILON, NORM_MOMENTUM, readJob, timeEpoch } from './job.js';

const require = createRequire(import.meta.url);

/** Dense -> BatchNorm -> ReLU -> Dropout for each width, then Dense with softmax. */
function buildModel(hidden) {
  const model = tf.sequential();
  hidden.forEach((units, layer) => {
    const inputShape = layer === 0 ? { inputShape: [INPUTS] } : {};
    model.add(tf.layers.dense({ units, kernelInitializer: 'heNormal', ...inputShape }));
    model.add(tf.layers.batchNormalization({ epsilon: NORM_EPSILON, momentum: 1 - NORM_MOMENTUM }));
    model.add(tf.layers.reLU());
    model.add(tf.layers.dropout({ rate: DROPOUT }));
  });
  model.add(tf.layers.dense({ units: CLASSES, activation: 'softmax' }));
  return model;
}

const job = readJob();
setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
setThreadsCount(1);
await tf.setBackend('wasm');
await tf.ready();
const model = buildModel(job.hidden);
model.compile({ optimizer: tf.train.adam(job.learningRate), loss: 'sparseCategoricalCrossentropy' });
const simd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');

await timeEpoch(
  job,
  { tfjs: tf.version.tfjs, backend: tf.getBackend(), simd },
  async (pixels, labels, rows) => {
    const x = tf.tensor2d(pixels, [rows, INPUTS]);
    const y = tf.tensor2d(Float32Array.from(labels), [rows, 1]);
    const loss = await model.trainOnBatch(x, y);
    tf.dispose([x, y]);
    return loss;
  },
);
