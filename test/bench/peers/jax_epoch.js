// Times one training epoch of a treadle architecture in jax-js on its WebAssembly backend, one thread:
//   node jax_epoch.js --model large1 --batch-size 256 --samples 5120 --data FOLDER
// jax-js threads over the browser's Worker, which Node has not, so there is one thread. Every array is owned: `.ref`
// keeps one for a second use.
import { readFileSync } from 'node:fs';
import { defaultDevice, init, jit, nn, numpy as np, random, tree, valueAndGrad } from '@jax-js/jax';
import {
  ADAM_EPSILON,
  BETA1,
  BETA2,
  CLASSES,
  DROPOUT,
  INPUTS,
  initialWeights,
  NORM_EPSILON,
  NORM_MOMENTUM,
  readJob,
  timeEpoch,
} from './job.js';

function initialParameters(hidden) {
  const sizes = [INPUTS, ...hidden, CLASSES];
  return sizes.slice(1).map((outputs, layer) => {
    const isOutput = layer === hidden.length;
    const w = np.array(initialWeights(sizes[layer], outputs, isOutput)).reshape([sizes[layer], outputs]);
    const dense = { w, b: np.zeros([outputs]) };
    return isOutput ? dense : { ...dense, gamma: np.ones([outputs]), beta: np.zeros([outputs]) };
  });
}

/** One hidden block; returns its output with the batch's mean and variance. */
function block({ w, b, gamma, beta }, x, key, rows) {
  const z = np.matmul(x, w).add(b);
  const width = z.shape[1];
  const mean = np.mean(z.ref, 0);
  const centered = z.sub(mean.ref);
  const variance = np.mean(np.square(centered.ref), 0);
  const normal = centered.div(np.sqrt(variance.ref.add(NORM_EPSILON)));
  const active = nn.relu(normal.mul(gamma).add(beta));
  const kept = random.bernoulli(key, 1 - DROPOUT, [rows, width]);
  return [np.where(kept, active.div(1 - DROPOUT), 0), { mean, variance }];
}

/** The batch's mean loss with the statistics of every BatchNorm. */
function forward(parameters, x, labels, keys, rows) {
  const statistics = [];
  let out = x;
  parameters.slice(0, -1).forEach((layer, index) => {
    const [next, statistic] = block(layer, out, keys[index], rows);
    out = next;
    statistics.push(statistic);
  });
  const { w, b } = parameters.at(-1);
  const scores = nn.logSoftmax(np.matmul(out, w).add(b));
  const loss = np.sum(scores.mul(nn.oneHot(labels, CLASSES))).mul(-1 / rows);
  return [loss, statistics];
}

/** A compiled training step for batches of `rows`: new parameters, moments and running statistics, and the loss. */
function compileStep(rows, learningRate) {
  const gradient = valueAndGrad((parameters, x, labels, keys) => forward(parameters, x, labels, keys, rows), {
    hasAux: true,
  });
  return jit(({ parameters, first, second, running }, corrections, x, labels, keys) => {
    const [[loss, statistics], gradients] = gradient(tree.ref(parameters), x, labels, keys);
    const m = tree.map((old, g) => old.mul(BETA1).add(g.mul(1 - BETA1)), first, tree.ref(gradients));
    const v = tree.map((old, g) => old.mul(BETA2).add(np.square(g).mul(1 - BETA2)), second, gradients);
    const { correction1, correction2 } = corrections;
    const move = (p, mean, square) => {
      const size = np.sqrt(square.div(correction2.ref)).add(ADAM_EPSILON);
      return p.sub(mean.div(correction1.ref).div(size).mul(learningRate));
    };
    const moved = tree.map(move, parameters, tree.ref(m), tree.ref(v));
    tree.dispose(corrections);
    const follow = (old, now, scale) => old.mul(1 - NORM_MOMENTUM).add(now.mul(NORM_MOMENTUM * scale));
    const followed = running.map((old, layer) => ({
      mean: follow(old.mean, statistics[layer].mean, 1),
      variance: follow(old.variance, statistics[layer].variance, rows / (rows - 1)),
    }));
    return { state: { parameters: moved, first: m, second: v, running: followed }, loss };
  });
}

const { dependencies } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8'));
const job = readJob();
await init('wasm');
defaultDevice('wasm');
const zeros = (parameters) => tree.map((p) => np.zeros(p.shape), parameters);
const parameters = initialParameters(job.hidden);
let state = {
  first: zeros(parameters),
  second: zeros(parameters),
  running: job.hidden.map((width) => ({ mean: np.zeros([width]), variance: np.ones([width]) })),
  parameters,
};
const steps = new Map();
let count = 0;

await timeEpoch(job, { jax: dependencies['@jax-js/jax'], backend: 'wasm' }, async (pixels, labels, rows) => {
  if (!steps.has(rows)) steps.set(rows, compileStep(rows, job.learningRate));
  count += 1;
  const corrections = {
    correction1: np.array([1 - BETA1 ** count]),
    correction2: np.array([1 - BETA2 ** count]),
  };
  const keys = job.hidden.map((_, layer) => random.key(count * job.hidden.length + layer));
  const x = np.array(pixels).reshape([rows, INPUTS]);
  const result = steps.get(rows)(state, corrections, x, np.array(labels), keys);
  state = result.state;
  return (await result.loss.data())[0];
});
