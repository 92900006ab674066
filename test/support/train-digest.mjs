// One small training whose every byte is the same in every JavaScript engine, in builds without relaxed operations.
// Imports nothing, so that a browser runs the very file that Node runs.

const SPEC = { inputs: 300, hidden: [130, 70], classes: 7, dropout: 0.5 };
const SAMPLES = 320;
const BATCH = 64;
/** Long enough for an engine to optimise every operation on the way. */
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

/** Every number in a tree of numbers, objects, arrays and typed arrays, in order; as float64, which loses none. */
function numbers(tree) {
  if (typeof tree === 'number') return [tree];
  return ArrayBuffer.isView(tree) ? [...tree] : Object.values(tree).flatMap(numbers);
}

async function sha256(tree) {
  const hash = await crypto.subtle.digest('SHA-256', Float64Array.from(numbers(tree)));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** SHA-256 of the weights and running statistics, of Adam's state, and of what the network then says of its samples. */
export async function trainDigest({ Network }, engine) {
  const data = samples();
  const network = new Network(engine, SPEC, { seed: 3, batchSize: BATCH, data });
  const order = Uint32Array.from({ length: SAMPLES }, (_, i) => i);
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    network.beginEpoch(order, 0.003);
    for (let first = 0; first < SAMPLES; first += BATCH) network.trainBatch(first, BATCH);
  }
  const digests = {
    weights: await sha256(network.exportTensors()),
    optimizer: await sha256(network.exportOptimizer()),
    answers: await sha256([network.evaluate(order), network.predict(data.images)]),
  };
  network.dispose();
  return digests;
}
