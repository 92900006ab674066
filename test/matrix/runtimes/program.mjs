// What every runtime and every browser does with the packed library. Imports nothing but the training whose digest is known,
// so that all of them run this very file.
import { trainDigest } from './train-digest.mjs';

const X = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];
const Y = ['even', 'odd', 'odd', 'even'];

/** The places that a model is trained in, as options of createModel, with the threads that it is to get there. */
const PLACES = [
  { place: 'this thread', options: {}, threads: 1 },
  { place: 'a worker', options: { worker: true }, threads: 1 },
  { place: 'a worker, 2 threads', options: { worker: true, threads: 2 }, threads: 2 },
];

/** Longest that one training may take, in milliseconds: a worker that does not answer fails its own place only. */
const LONGEST = 60_000;

/**
 * Trains XOR in each of the places that this runtime is to have, and the strict training, and says what came of it:
 * `{ build, places: [{ place, error }], digests }`, `error` null for a place where all was right.
 */
export async function tryLibrary(treadle, { core, strict, places = PLACES.length } = {}) {
  const loaded = core ?? (await treadle.loadCore());
  const tried = [];
  let expected = null;
  for (const { place, options, threads } of PLACES.slice(0, places)) {
    if (threads > 1 && !loaded.build.endsWith('-mt')) continue;
    const training = trainXor(treadle, { seed: 0, core: loaded, ...options }, threads);
    const outcome = await Promise.race([training, late()]).catch((error) => ({ error }));
    expected ??= outcome.bytes;
    const error =
      outcome.error ?? (sameBytes(outcome.bytes, expected) ? null : 'other bytes than this thread');
    tried.push({ place, error: error === null ? null : String(error) });
  }
  const strictCore = strict ?? (await treadle.loadCore({ build: 'strict' }));
  return {
    build: loaded.build,
    strictBuild: strictCore.build,
    places: tried,
    digests: await trainDigest(treadle, strictCore),
  };
}

async function trainXor({ createModel, mlp }, options, threads) {
  const model = await createModel(mlp({ inputs: 2, hidden: [16], outputs: 2 }), options);
  try {
    const { decisions } = await model.fit({ x: X, y: Y }, { epochs: 300 });
    if (decisions.threads !== threads) throw new Error(`it had ${decisions.threads} threads`);
    const predicted = await model.predict(X);
    if (predicted.join() !== Y.join()) throw new Error(`it predicts ${predicted.join(', ')}`);
    return { bytes: await model.save() };
  } finally {
    model.dispose();
  }
}

async function late() {
  await new Promise((resolve) => {
    const timer = setTimeout(resolve, LONGEST);
    timer?.unref?.();
    globalThis.Deno?.unrefTimer?.(timer);
  });
  throw new Error(`no end after ${LONGEST / 1000} s`);
}

function sameBytes(some, others) {
  return some.length === others.length && some.every((byte, at) => byte === others[at]);
}
