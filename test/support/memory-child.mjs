// What is left of networks, for test/core/memory.test.ts. Run with --expose-gc; argv: what to try, and the build.
import { setTimeout } from 'node:timers/promises';
import { enableRelaxedSimd, loadCore, mlp, Network } from '../../dist/bindings/host.js';

const [task, build] = process.argv.slice(2);
enableRelaxedSimd();
const core = await loadCore({ build, kernels: { tileHeight: 4, sparseWidth: 16 } });

const MODEL = mlp({ inputs: 784, hidden: [16], outputs: 10, norm: true, inputType: 'u8' });
/** Their pixels are 7.5 MiB, most of what a network takes. */
const SAMPLES = 10_000;
const data = { inputs: new Uint8Array(784 * SAMPLES), targets: new Uint8Array(SAMPLES) };
const NETWORKS = 100;

function newNetwork() {
  const network = new Network(core, MODEL, {
    batchSize: 16,
    training: { loss: { type: 'crossEntropy' }, optimizer: { type: 'adam' } },
    sets: [{ rows: SAMPLES }],
  });
  network.load(0, data);
  network.predict(data.inputs.subarray(0, 784));
  return network;
}

/** Collects garbage, with the turns of the event loop that let memory go. */
async function collect() {
  for (let round = 0; round < 3; round++) {
    gc();
    await setTimeout(10);
  }
}

const rss = () => process.memoryUsage.rss();

const TASKS = {
  /** Bytes that networks disposed of still take while the program keeps them. */
  async kept() {
    newNetwork().dispose();
    await collect();
    const before = rss();
    const networks = Array.from({ length: NETWORKS }, newNetwork);
    const inUse = rss() - before;
    for (const network of networks) network.dispose();
    await collect();
    return { networks: networks.length, inUse, disposed: rss() - before };
  },
  /** Most bytes taken while networks are made one after the other and nothing but V8 collects garbage. */
  async dropped() {
    const before = rss();
    let most = 0;
    for (let index = 0; index < NETWORKS; index++) {
      newNetwork().dispose();
      most = Math.max(most, rss() - before);
    }
    return { most };
  },
};

console.log(JSON.stringify(await TASKS[task]()));
