import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createModel,
  type FitOptions,
  loadCore,
  loadModel,
  type Model,
  type ModelWorker,
  openWorker,
  TreadleError,
  type WorkerModel,
} from '../../dist/index.js';
import { failure } from '../support/errors.js';
import { small, smallModel, stripes } from './support.js';

// Models in a worker: they do what models here do, from outside at once.

const data = stripes(90, 1);
const fresh = stripes(30, 2);
const SPEC = small(3, { norm: true, dropout: 0.2 });
const OPTIONS: FitOptions = { epochs: 5, validation: 0.2, batchSize: 16 };

const opened: { dispose(): void }[] = [];
function worker(): ModelWorker {
  const one = openWorker();
  opened.push(one);
  return one;
}
async function inWorker(spec = SPEC): Promise<WorkerModel> {
  const model = await createModel(spec, { seed: 3, worker: true });
  opened.push(model);
  return model;
}
afterEach(() => {
  for (const one of opened.splice(0)) one.dispose();
});

/** The figures of a training but for its seconds. */
const figures = (epochs: readonly object[]) => epochs.map((epoch) => ({ ...epoch, seconds: 0 }));

describe('a model in a worker', () => {
  it('does what one here does, to the byte', async () => {
    const here = await createModel(SPEC, { seed: 3 });
    const there = await inWorker();
    expect(await there.tensors()).toEqual(here.tensors());
    expect(there.parameters).toBe(here.parameters);
    expect(there.summary()).toBe(here.summary());
    const [one, other] = [await here.fit(data, OPTIONS), await there.fit(data, OPTIONS)];
    expect(figures(other.epochs)).toEqual(figures(one.epochs));
    expect({ ...other, epochs: null, checkpoint: null }).toEqual({ ...one, epochs: null, checkpoint: null });
    expect(other.checkpoint.training.state).toEqual(one.checkpoint.training.state);
    expect(there.spec).toEqual(here.spec);
    expect(await there.save()).toEqual(here.save());
    expect(await there.predict(fresh.x)).toEqual(here.predict(fresh.x));
    expect(await there.probabilities(fresh.x)).toEqual(here.probabilities(fresh.x));
    expect(await there.evaluate(fresh)).toEqual(here.evaluate(fresh));
    const loaded = await loadModel(here.save(), { worker: true });
    opened.push(loaded);
    expect(loaded.spec).toEqual(here.spec);
    expect(await loaded.save()).toEqual(here.save());
  });

  it.each([2, 3, 'auto'] as const)('trains with %s threads to the same bytes', async (threads) => {
    const spec = small(3, { norm: true, hidden: [70, 40] });
    const core = await loadCore({ build: 'simd-mt' });
    const one = await createModel(spec, { seed: 3, core });
    await one.fit(data, OPTIONS);
    const model = await createModel(spec, { seed: 3, core, threads, worker: true });
    opened.push(model);
    const { decisions } = await model.fit(data, OPTIONS);
    // Too narrow a network for more than one by itself.
    expect(decisions.threads).toBe(threads === 'auto' ? 1 : threads);
    expect(await model.save()).toEqual(one.save());
    await model.fit(data, OPTIONS);
  });

  it('goes on from a checkpoint of either kind', async () => {
    const here = await createModel(SPEC, { seed: 3 });
    await here.fit(data, { ...OPTIONS, epochs: 6 });
    const first = await inWorker();
    const { checkpoint } = await first.fit(data, { ...OPTIONS, epochs: 3 });
    const second = await inWorker();
    await second.fit(data, { ...OPTIONS, epochs: 6, checkpoint });
    // The schedule is of all epochs, so the first half is trained as a half.
    const local = await createModel(SPEC, { seed: 3 });
    const half = await local.fit(data, { ...OPTIONS, epochs: 3 });
    await local.fit(data, { ...OPTIONS, epochs: 6, checkpoint: half.checkpoint });
    expect(await second.save()).toEqual(local.save());
  });

  it('tells of epochs, steps and checkpoints, and waits for who keeps these', async () => {
    const model = await inWorker();
    const heard: string[] = [];
    let keeping = 0;
    const history = await model.fit(data, {
      ...OPTIONS,
      onEpoch: ({ epoch }) => heard.push(`epoch ${epoch}`),
      onStep: ({ step, rows }) => {
        expect([step, rows].every((value) => value > 0)).toBe(true);
        heard.push('step');
      },
      onCheckpoint: async ({ training }) => {
        keeping++;
        expect(keeping).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 5));
        heard.push(`kept ${training.epochs.length}`);
        keeping--;
      },
    });
    const epochs = heard.filter((what) => what !== 'step');
    expect(epochs).toEqual([1, 2, 3, 4, 5].flatMap((epoch) => [`kept ${epoch}`, `epoch ${epoch}`]));
    // At most one a frame: not one for each of the 25.
    expect(heard.filter((what) => what === 'step').length).toBeLessThan(20);
    expect(history.epochs).toHaveLength(5);
  });

  it('trains its next epoch when it is asked for it, and stops where it is left', async () => {
    const model = await inWorker();
    const before = await model.save();
    for await (const { epoch } of model.fit(data, { ...OPTIONS, epochs: 50 })) if (epoch === 3) break;
    expect(await model.save()).toEqual(before);
    expect((await model.fit(data, OPTIONS)).epochs).toHaveLength(5);
  });

  it('answers while it trains, as the model then is', async () => {
    const model = await inWorker();
    const answers: unknown[] = [];
    await model.fit(data, {
      ...OPTIONS,
      onEpoch: () => void model.predict(fresh.x).then((labels) => answers.push(labels.length)),
    });
    await model.predict(fresh.x);
    expect(answers).toEqual([30, 30, 30, 30, 30]);
  });
});

describe('a training is', () => {
  const long: FitOptions = { epochs: 100_000 };
  const places: [string, () => Promise<Model | WorkerModel>][] = [
    ['here', () => smallModel(3)],
    ['in a worker', () => inWorker()],
  ];

  it.each(places)('paused and goes on, to the same bytes: %s', async (_, make) => {
    const steady = await make();
    await steady.fit(data, { ...OPTIONS, epochs: 40 });
    const model = await make();
    let paused: () => void = () => {};
    const pause = new Promise<void>((resolve) => {
      paused = resolve;
    });
    const run = model.fit(data, {
      ...OPTIONS,
      epochs: 40,
      onEpoch: ({ epoch }) => {
        if (epoch !== 2) return;
        run.pause();
        paused();
      },
    });
    expect(run.paused).toBe(false);
    let over = false;
    void run.then(() => {
      over = true;
    });
    await pause;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect([run.paused, over]).toEqual([true, false]);
    // It answers meanwhile.
    expect(await model.predict(fresh.x)).toHaveLength(30);
    run.resume();
    await run;
    expect(await model.save()).toEqual(await steady.save());
  });

  it.each(places)('stopped by its signal, while it is paused too: %s', async (_, make) => {
    for (const pauses of [false, true]) {
      const model = await make();
      const before = await model.save();
      const controller = new AbortController();
      const run = model.fit(data, { ...long, signal: controller.signal });
      if (pauses) run.pause();
      setTimeout(() => controller.abort(), 50);
      await failure('interrupted', () => run);
      expect(await model.save()).toEqual(before);
      await failure('interrupted', () => model.fit(data, { signal: controller.signal }));
    }
  });

  it.each(places)('ended by dispose, while it is paused too: %s', async (_, make) => {
    for (const pauses of [false, true]) {
      const model = await make();
      const run = model.fit(data, long);
      if (pauses) run.pause();
      setTimeout(() => model.dispose(), 50);
      await failure('interrupted', () => run);
      await failure('usage', async () => model.predict(fresh.x));
    }
  });

  it.each(places)('ended by what onStep, onEpoch or onCheckpoint throws: %s', async (_, make) => {
    for (const name of ['onStep', 'onEpoch', 'onCheckpoint'] as const) {
      const model = await make();
      const fails = () => {
        throw new RangeError(`${name} fails`);
      };
      await expect(model.fit(data, { ...long, [name]: fails })).rejects.toThrow(`${name} fails`);
      expect((await model.fit(data, OPTIONS)).epochs).toHaveLength(5);
    }
  });
});

describe('a worker', () => {
  it('serves many models, which train side by side', async () => {
    const one = worker();
    const models = await Promise.all([1, 2, 3].map((seed) => createModel(SPEC, { worker: one, seed })));
    await Promise.all(models.map((model) => model.fit(data, OPTIONS)));
    for (const [index, model] of models.entries()) {
      const here = await createModel(SPEC, { seed: index + 1 });
      await here.fit(data, OPTIONS);
      expect(await model.save()).toEqual(here.save());
    }
    models[0]!.dispose();
    await failure('usage', () => models[0]!.save());
    expect(await models[1]!.predict(fresh.x)).toHaveLength(30);
  });

  it('takes samples over once: copied, moved or shared', async () => {
    const here = await createModel(SPEC, { seed: 3 });
    await here.fit({ x: Float32Array.from(data.x.flat()), y: data.y }, OPTIONS);
    const one = worker();
    for (const how of ['copied', 'moved', 'shared']) {
      const x = new Float32Array(
        how === 'shared' ? new SharedArrayBuffer(4 * 180) : new ArrayBuffer(4 * 180),
      );
      x.set(data.x.flat());
      const held = await one.hold({ x, y: data.y }, { transfer: how === 'moved' });
      expect(x.length).toBe(how === 'moved' ? 0 : 180);
      const model = await createModel(SPEC, { worker: one, seed: 3 });
      await model.fit(held, OPTIONS);
      expect(await model.save()).toEqual(here.save());
      await model.fit(held, { ...OPTIONS, validation: held as never });
      expect(await model.evaluate(held)).toMatchObject({ samples: 90 });
      held.release();
      const error = await failure('usage', () => model.evaluate(held));
      expect(error.message).toBe(
        'data is released, or held by another worker; what this worker holds is expected.',
      );
    }
    const rows = await one.hold(fresh.x);
    expect(await (await createModel(SPEC, { worker: one })).predict(rows)).toHaveLength(30);
  });

  it('that has been disposed of ends what it does, and all later calls', async () => {
    const one = worker();
    const model = await createModel(SPEC, { worker: one });
    const run = model.fit(data, { epochs: 100_000 });
    setTimeout(() => one.dispose(), 50);
    await failure('interrupted', () => run);
    await failure('interrupted', () => model.predict(fresh.x));
    await failure('interrupted', () => createModel(SPEC, { worker: one }));
    model.dispose();
    one.dispose();
  });

  it('whose thread dies ends all in one worker error', async () => {
    const script = `
      import { createModel, mlp } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url))};
      import { Worker } from 'node:worker_threads';
      const { terminate } = Worker.prototype;
      let started;
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (...args) { started ??= this; return postMessage.apply(this, args); };
      const model = await createModel(mlp({ inputs: 1, hidden: [4], outputs: 1 }), { worker: true });
      const run = model.fit({ x: [[1], [2]], y: [1, 2] }, { epochs: 1e6 });
      const save = new Promise((resolve) => setTimeout(resolve, 50)).then(() => model.save());
      setTimeout(() => terminate.call(started), 100);
      for (const work of [run, model.evaluate({ x: [[1]], y: [1] }).then(() => run), save.then(() => model.predict([[1]])).then(() => run), run.catch(() => model.save())])
        await work.then(() => console.log('?'), ({ code, message }) => console.log(code, message));
    `;
    const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    const sentence = 'worker The worker has died: it ended with exit code 1; a running worker is expected.\n';
    expect([status, stdout]).toEqual([0, sentence.repeat(4)]);
  });

  it('does not keep Node alive when dispose is forgotten, and does while it is asked for something', () => {
    const script = `
      import { createModel, mlp, openWorker } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url))};
      const worker = openWorker();
      const model = await createModel(mlp({ inputs: 1, hidden: [4], outputs: 1 }), { worker });
      model.fit({ x: [[1], [2]], y: [1, 2] }, { epochs: 20 }).then(({ epochs }) => console.log(epochs.length));
    `;
    const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect([status, stdout]).toEqual([0, '20\n']);
  });
});

describe('what a worker cannot be given is refused', () => {
  const cases: [string, string, (model: WorkerModel) => PromiseLike<unknown>][] = [
    [
      'a stream',
      'data is a stream (the model is in a worker); samples in memory is',
      (model) => model.fit((async function* () {})() as never),
    ],
    [
      'a function as rate',
      'learningRate is a function (the model is in a worker); a number or a schedule',
      (model) => model.fit(data, { learningRate: () => 0.1 }),
    ],
    ['no options', 'options is null; an object', (model) => model.fit(data, null as never)],
    [
      'a callback that is none',
      'onEpoch is 7; a function',
      (model) => model.fit(data, { onEpoch: 7 as never }),
    ],
    [
      'what cannot be cloned',
      'What was given cannot be posted to the worker (',
      (model) => model.evaluate({ x: data.x, y: data.y, weights: [() => 1] as never }),
    ],
    [
      'no signal',
      'signal is an object (Object); an AbortSignal',
      (model) => model.fit(data, { signal: {} } as never),
    ],
    [
      'a wrong option',
      "options has the unknown key 'rate'",
      (model) => model.fit(data, { rate: 1 } as never),
    ],
  ];
  it.each(cases)('%s', async (_, words, call) => {
    const model = await inWorker();
    const error = await failure('usage', () => call(model));
    expect(error.message).toContain(words);
    expect((await model.fit(data, OPTIONS)).epochs).toHaveLength(5);
  });

  it('with the place in the samples, as here', async () => {
    const model = await inWorker();
    const x = data.x.map((row) => [...row]);
    x[7]![1] = Number.NaN;
    const error = await failure('range', () => model.fit({ x, y: data.y }));
    expect(error).toBeInstanceOf(TreadleError);
    expect(error).toMatchObject({
      subject: 'x at row 7, column 1',
      message: expect.stringContaining('is NaN'),
    });
  });

  it.each([
    [{ worker: 7 }, 'worker is 7; true, false or what openWorker gave'],
    [{ worker: true, threads: 'all' }, "threads is 'all'; 'auto' or a whole number from 1 to 64"],
    [{ worker: true, threads: 0 }, 'threads is 0; a whole number from 1 to 64'],
    [{ worker: true, seed: -1 }, 'seed is -1; a whole number'],
    [{ onWarning: 7 }, 'onWarning is 7; a function'],
    [{ core: 7 }, 'core is 7; what loadCore gave'],
    [{ worker: true, core: { build: 'simd' } }, 'core is an object (Object); what loadCore gave'],
    [{ worker: true, sed: 1 }, "options has the unknown key 'sed'"],
  ])('%o', async (options, words) => {
    const error = (await createModel(SPEC, options as never).catch((reason) => reason)) as TreadleError;
    expect(error).toBeInstanceOf(TreadleError);
    expect(error.message).toContain(words);
  });

  it('and a worker says once that auto can have one thread only', async () => {
    const core = await loadCore({ build: 'simd' });
    const said: string[] = [];
    const onWarning = (sentence: string) => void said.push(sentence);
    const model = await createModel(SPEC, { core, threads: 'auto', worker: true, onWarning });
    opened.push(model);
    await model.fit(data, OPTIONS);
    expect(said).toEqual([
      'The model trains with one thread: the build simd has none; 1, or an engine with shared memory (a page that is cross-origin isolated) is expected.',
    ]);
    const error = await failure('usage', () => createModel(SPEC, { core, threads: 2, worker: true }));
    expect(error.message).toContain('threads is 2 (the build simd has none)');
  });
});

it('openWorker takes start alone', () => {
  expect(() => openWorker({ starts: 1 } as never)).toThrow("options has the unknown key 'starts'");
});

it.each([
  [() => 7, 'worker', 'The worker is not started ('],
  [
    () => {
      throw new Error('no such file');
    },
    'worker',
    'The worker is not started (no such file)',
  ],
  [7, 'usage', 'start is 7; a function is expected.'],
])('openWorker says what is wrong with start: %s', async (start, code, words) => {
  const error = await failure(code, () => openWorker({ start } as never));
  expect(error.message).toContain(words);
});

it.each([[undefined], [7], [() => 1], [{ ...SPEC, more: 7n }]])(
  'a spec that is none is told as here: %s',
  async (spec) => {
    const here = await failure('usage', () => createModel(spec as never));
    const there = await failure('usage', () => createModel(spec as never, { worker: true }));
    expect(there.message).toBe(here.message);
  },
);

describe('samples that are handed over', () => {
  it('are of one worker', async () => {
    const [one, other] = [worker(), worker()];
    const held = await one.hold(data);
    await other.hold(fresh);
    const model = await createModel(SPEC, { worker: other });
    const error = await failure('usage', () => model.fit(held, OPTIONS));
    expect(error.message).toContain('data is released, or held by another worker');
  });

  it('may stand in themselves, but not be empty by an earlier move', async () => {
    const one = worker();
    const x = Float32Array.from(data.x.flatMap((row) => [...row]));
    const samples: Record<string, unknown> = { x, y: data.y };
    samples.samples = samples;
    await one.hold(samples as never, { transfer: true });
    expect(x).toHaveLength(0);
    await failure('usage', () => one.hold({ x, y: data.y }, { transfer: true }));
    await failure('usage', () => one.hold(data, { transfers: true } as never));
    await failure('usage', () => one.hold(data, { transfer: 'yes' } as never));
  });
});

describe('a pause does not hold up the end of a training', () => {
  it.each([false, true] as const)('that was stopped before it (worker: %s)', async (there) => {
    const model = await createModel(SPEC, { worker: there as true });
    opened.push(model);
    const stop = new AbortController();
    const run = model.fit(data, { ...OPTIONS, epochs: 10_000, signal: stop.signal });
    setTimeout(() => {
      stop.abort();
      run.pause();
    }, 20);
    await failure('interrupted', () => run);
  });

  it('of a model that was disposed of before it', async () => {
    const model = await createModel(SPEC);
    const run = model.fit(data, { ...OPTIONS, epochs: 10_000 });
    setTimeout(() => {
      model.dispose();
      run.pause();
    }, 20);
    await failure('interrupted', () => run);
  });
});

it.each([false, true] as const)(
  'a run iterated late gives the epochs to come (worker: %s)',
  async (there) => {
    const model = await createModel(SPEC, { worker: there as true });
    opened.push(model);
    const run = model.fit(data, OPTIONS);
    await null;
    await null;
    const seen: number[] = [];
    for await (const { epoch } of run) seen.push(epoch);
    expect(seen).toEqual([2, 3, 4, 5]);
    expect((await run).epochs).toHaveLength(5);
  },
);

it('a worker that is ended while it starts rejects what it was asked', () => {
  const script = `
    import threads from 'node:worker_threads';
    import { syncBuiltinESMExports } from 'node:module';
    let last;
    threads.Worker = class extends threads.Worker { constructor(...all) { super(...all); last = this; } };
    syncBuiltinESMExports();
    const { createModel, mlp } = await import('${new URL('../../dist/index.js', import.meta.url)}');
    const model = createModel(mlp({ inputs: 2, hidden: [2], outputs: 2 }), { worker: true });
    setTimeout(() => last.terminate());
    console.log(await model.catch(({ code }) => code));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect(stdout.trim()).toBe('worker');
});
