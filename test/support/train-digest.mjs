// One small training whose every byte is the same in every JavaScript engine, in builds without relaxed operations.
// Imports nothing, so that a browser runs the very file that Node runs.

const SHAPE = { inputs: 300, hidden: [130, 70], outputs: 7, dropout: 0.5, norm: true, inputType: 'u8' };
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
  const labels = Uint8Array.from({ length: SAMPLES }, () => next(SHAPE.outputs));
  const images = new Uint8Array(SAMPLES * SHAPE.inputs);
  for (let i = 0; i < images.length; i++) {
    const label = labels[Math.floor(i / SHAPE.inputs)];
    if (next(3) === 0) images[i] = i % SHAPE.outputs === label ? 200 + next(56) : next(100);
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

/** A model's tensors in one list: those of its dense layers, then those of its norms. */
function inOrder(tensors) {
  const norms = /gamma|beta|running/;
  const entries = [...tensors];
  return [...entries.filter(([key]) => !norms.test(key)), ...entries.filter(([key]) => norms.test(key))].map(
    ([, values]) => values,
  );
}

/** SHA-256 of the weights and running statistics, of Adam's state, and of what the network then says of its samples. */
export async function trainDigest({ mlp, Network }, core) {
  const { images, labels } = samples();
  const network = new Network(core, mlp(SHAPE), {
    seed: 3,
    batchSize: BATCH,
    training: { loss: { type: 'crossEntropy' }, optimizer: { type: 'adam' } },
    sets: [{ rows: SAMPLES }],
  });
  network.load(0, { inputs: images, targets: labels });
  const order = Uint32Array.from({ length: SAMPLES }, (_, i) => i);
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    network.training.begin(order);
    for (let first = 0; first < SAMPLES; first += BATCH) network.training.step(first, BATCH, 0.003);
  }
  const { tensors, optimizer, batchesTracked } = network.training.exportState();
  const { loss, predicted } = network.evaluate(0, order);
  const confusion = Array.from({ length: SHAPE.outputs }, () => new Array(SHAPE.outputs).fill(0));
  predicted.forEach((answer, sample) => {
    confusion[labels[sample]][answer]++;
  });
  const digests = {
    weights: await sha256([...inOrder(tensors), batchesTracked]),
    optimizer: await sha256([optimizer.steps, ...optimizer.slots.map(inOrder)]),
    answers: await sha256([loss, confusion, network.predict(images)]),
  };
  network.dispose();
  return digests;
}
