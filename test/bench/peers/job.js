// What the JavaScript peers share: their options, the data, and how an epoch is cut and timed.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';

export const INPUTS = 784;
export const CLASSES = 10;
export const DROPOUT = 0.5;

/** BatchNorm's epsilon and momentum, and Adam's constants, as PyTorch has them by default. */
export const NORM_EPSILON = 1e-5;
export const NORM_MOMENTUM = 0.1;
export const BETA1 = 0.9;
export const BETA2 = 0.999;
export const ADAM_EPSILON = 1e-8;

/** Hidden widths of the architectures. */
export const MODELS = { large1: [1024, 512, 256, 128], large2: [512, 256, 128, 64], small: [128, 64] };
const WARM_UP_STEPS = 5;

/** The command line's options: the job to train. */
export function readJob() {
  const { values } = parseArgs({
    options: {
      model: { type: 'string', default: 'large1' },
      'batch-size': { type: 'string', default: '256' },
      samples: { type: 'string', default: '48000' },
      'learning-rate': { type: 'string', default: '0.005' },
      data: { type: 'string' },
    },
  });
  if (!(values.model in MODELS))
    throw new Error(`--model is ${values.model}; large1, large2 or small is expected.`);
  if (values.data === undefined)
    throw new Error('--data is missing; a folder with the IDX files is expected.');
  return {
    model: values.model,
    hidden: MODELS[values.model],
    batchSize: Number(values['batch-size']),
    samples: Number(values.samples),
    learningRate: Number(values['learning-rate']),
    data: values.data,
  };
}

/** The bytes of an IDX file after its header, from NAME or NAME.gz. */
function readIdx(folder, name, header) {
  const plain = join(folder, name);
  const bytes = existsSync(plain) ? readFileSync(plain) : gunzipSync(readFileSync(`${plain}.gz`));
  return bytes.subarray(header);
}

/** The first training samples: images (samples, 784) and labels (samples), both u8. */
function readSamples({ data, samples }) {
  const images = readIdx(data, 'train-images-idx3-ubyte', 16).subarray(0, samples * INPUTS);
  const labels = readIdx(data, 'train-labels-idx1-ubyte', 8).subarray(0, samples);
  if (labels.length < samples)
    throw new Error(`--samples is ${samples}; at most ${labels.length} is expected.`);
  return { images, labels };
}

/** All sample indices in a random order, cut into batches; a single sample left over goes to the batch before. */
function shuffledBatches({ samples, batchSize }) {
  const order = Uint32Array.from({ length: samples }, (_, index) => index);
  for (let i = samples - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  const batches = [];
  for (let first = 0; first < samples; first += batchSize)
    batches.push(order.subarray(first, first + batchSize));
  if (batches.length > 1 && batches.at(-1).length === 1) {
    batches.splice(-2, 2, order.subarray((batches.length - 2) * batchSize));
  }
  return batches;
}

/**
 * Times one epoch and prints one JSON object. `step(pixels, labels, rows)` trains on a batch, f32 (rows, 784) and i32
 * (rows), and returns its mean loss when it is done. A few steps come first, the last and smaller batch among them, so
 * that what compiles for a shape has compiled.
 */
export async function timeEpoch(job, engine, step) {
  const { images, labels } = readSamples(job);
  const train = (batch) => {
    const pixels = new Float32Array(batch.length * INPUTS);
    batch.forEach((sample, row) => {
      const [from, to] = [sample * INPUTS, row * INPUTS];
      for (let i = 0; i < INPUTS; i++) pixels[to + i] = images[from + i] / 255;
    });
    return step(
      pixels,
      Int32Array.from(batch, (sample) => labels[sample]),
      batch.length,
    );
  };
  const batches = shuffledBatches(job);
  for (const batch of [...batches.slice(0, WARM_UP_STEPS), batches.at(-1)]) await train(batch);
  const begin = performance.now();
  let sum = 0;
  for (const batch of batches) sum += await train(batch);
  const seconds = (performance.now() - begin) / 1000;
  const { model, batchSize, samples } = job;
  const meanLoss = sum / batches.length;
  if (!Number.isFinite(meanLoss)) throw new Error(`The mean loss is ${meanLoss}; a finite one is expected.`);
  const { node, v8 } = process.versions;
  console.log(
    JSON.stringify({ seconds, model, batchSize, samples, threads: 1, meanLoss, node, v8, ...engine }),
  );
}

/** He-normal weights (inputs, outputs); Glorot-uniform ones for the output layer. */
export function initialWeights(inputs, outputs, isOutput) {
  const limit = Math.sqrt(6 / (inputs + outputs));
  const deviation = Math.sqrt(2 / inputs);
  const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return Float32Array.from({ length: inputs * outputs }, () =>
    isOutput ? (2 * Math.random() - 1) * limit : deviation * normal(),
  );
}
