// What is timed in browsers and in Node, on large1 (784-1024-512-10, BatchNorm, ReLU, dropout 0.5) in batches of 256.
// Imports nothing, so that all of them run this very file.

const LARGE1 = { inputs: 784, hidden: [1024, 512], outputs: 10, norm: true, dropout: 0.5, inputType: 'u8' };
const BATCH = 256;

/** Samples that can be learned, half of whose pixels are zero: an image for each class, and noise. */
export function samples(count) {
  let word = 1;
  const next = () => {
    word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
    return word / 2 ** 32;
  };
  const { inputs, outputs } = LARGE1;
  const prototypes = Uint8Array.from({ length: outputs * inputs }, () =>
    next() < 0.5 ? 0 : 1 + Math.floor(next() * 200),
  );
  const y = Uint8Array.from({ length: count }, () => Math.floor(next() * outputs));
  const x = new Uint8Array(count * inputs);
  for (let i = 0; i < x.length; i++) {
    const pixel = prototypes[y[Math.floor(i / inputs)] * inputs + (i % inputs)];
    x[i] = pixel === 0 ? 0 : pixel + Math.floor(next() * 55);
  }
  return { x, y };
}

/** A network of large1 in this thread, trained for one epoch; `epoch()` trains it for another and gives its seconds. */
export function openEpochs({ mlp, Network }, core, count) {
  const { x, y } = samples(count);
  const network = new Network(core, mlp(LARGE1), {
    seed: 1,
    batchSize: BATCH,
    training: { loss: { type: 'crossEntropy' }, optimizer: { type: 'adam' } },
    sets: [{ rows: count }],
  });
  network.load(0, { inputs: x, targets: y });
  const order = Uint32Array.from({ length: count }, (_, row) => row);
  const epoch = () => {
    const begin = performance.now();
    network.training.begin(order);
    for (let first = 0; first < count; first += BATCH) network.training.step(first, BATCH, 0.001);
    return (performance.now() - begin) / 1000;
  };
  epoch();
  return { epoch, build: core.build, kernels: core.kernels };
}

/** Seconds of each epoch but the first of a training of large1 in a worker. */
export async function fitInWorker({ createModel, mlp }, data, { threads, epochs }) {
  const model = await createModel(mlp(LARGE1), { seed: 1, worker: true, threads });
  const history = await model.fit(data, { epochs: epochs + 1, batchSize: BATCH, learningRate: 0.001 });
  model.dispose();
  if (history.decisions.threads !== threads) throw new Error(`It had ${history.decisions.threads} threads.`);
  return history.epochs.slice(1).map(({ seconds }) => seconds);
}

/** The longest of some work's tasks in a page's own thread, in milliseconds. */
export async function longestTask(work) {
  // The task that made the samples is over then, and is not counted.
  await new Promise((resolve) => setTimeout(resolve, 100));
  let longest = 0;
  let gap = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
  });
  observer.observe({ entryTypes: ['longtask'] });
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    gap = Math.max(gap, now - last);
    last = now;
  }, 4);
  await work();
  await new Promise((resolve) => setTimeout(resolve, 100));
  clearInterval(timer);
  observer.disconnect();
  return { longest, gap };
}

/** Milliseconds from the import of the library to the first epoch of a head on 200 rows of 512 features. */
export async function firstFit(address, options) {
  const x = Float32Array.from({ length: 200 * 512 }, (_, i) => ((i * 7919) % 256) / 255);
  const y = Array.from({ length: 200 }, (_, row) => `class ${row % 5}`);
  const begin = performance.now();
  const { createModel, mlp } = await import(address);
  const model = await createModel(mlp({ inputs: 512, hidden: [64], outputs: 5 }), options);
  for await (const _ of model.fit({ x, y })) {
    const end = performance.now();
    model.dispose();
    return end - begin;
  }
}
