// Trains a small network twice in the build named by the first argument, as the engine is and after revectorize, and
// prints the SHA-256 of what each exports. For nodes.test.ts, which runs it on several versions of Node.
import { createHash } from 'node:crypto';
import { enableRelaxedSimd, loadEngine, Network, revectorize } from '../../dist/bindings/index.js';

const SPEC = { inputs: 300, hidden: [130, 70], classes: 7, dropout: 0.5 };
const SAMPLES = 320;
const BATCH = 64;
/** Long enough for V8 to optimise every operation on the way. */
const EPOCHS = 60;

/** Samples of about one pixel in three; the labels follow from the pixels, so that there is something to learn. */
function samples() {
  let state = 1;
  const next = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const labels = Uint8Array.from({ length: SAMPLES }, () => next(SPEC.classes));
  const images = new Uint8Array(SAMPLES * SPEC.inputs);
  for (let i = 0; i < images.length; i++) {
    const label = labels[Math.floor(i / SPEC.inputs)];
    if (next(3) === 0) images[i] = i % SPEC.classes === label ? 200 + next(56) : next(100);
  }
  return { images, labels };
}

/** SHA-256 over the exported tensors, Adam's moments and the evaluation. */
function digest(engine) {
  const network = new Network(engine, SPEC, { seed: 3, batchSize: BATCH, data: samples() });
  const order = Uint32Array.from({ length: SAMPLES }, (_, i) => i);
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    network.beginEpoch(order, 0.003);
    for (let first = 0; first < SAMPLES; first += BATCH) network.trainBatch(first, BATCH);
  }
  const hash = createHash('sha256');
  const add = (tree) => {
    if (ArrayBuffer.isView(tree)) hash.update(tree);
    else if (typeof tree === 'object') Object.values(tree).forEach(add);
    else hash.update(`${tree};`);
  };
  add([network.exportTensors(), network.exportOptimizer(), network.evaluate(order)]);
  return hash.digest('hex');
}

enableRelaxedSimd();
const engine = await loadEngine({ build: process.argv[2] });
const plain = digest(engine);
const joined = await revectorize(engine);
const { revectorized } = joined;
console.log(
  JSON.stringify({ node: process.version, revectorized, digests: { plain, joined: digest(joined) } }),
);
