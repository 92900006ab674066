import { type Core, type HelperTicket, problem } from '#bindings';
import type { ModelCheckpoint } from '../formats/checkpoint-bytes.js';
import { createHere, loadHere } from '../model/create.js';
import type { History, Model } from '../model/model.js';
import type { Data, FitOptions, StepEvent } from '../model/options.js';
import type { FitRun } from '../model/run.js';
import type { Helper } from '../threads/helpers.js';
import type { OwnPort } from '../threads/own.js';
import { type Answer, type HeldReference, postedError, type Request, receivedError } from './protocol.js';

/** Least time between two steps that are told of, in milliseconds: a frame of a page. */
const FRAME = 16;

/** A training of a model of this worker. */
interface Training {
  run: FitRun<History>;
  stop: AbortController;
  /** Lets the next epoch begin. */
  next: () => void;
  /** Ends the wait for what the page does with a checkpoint. */
  kept: (error: Error | null) => void;
}

/** What a worker does for the page, or the thread of Node, that started it: it holds models and samples, and trains. */
export class ModelService {
  readonly #port: OwnPort;
  readonly #models = new Map<number, Model>();
  readonly #held = new Map<number, unknown>();
  readonly #trainings = new Map<number, Training>();
  readonly #helpers = new Map<number, { dies: (reason: string) => void; ends: () => void }>();
  /** One core for each build, so that better kernels reach all models. */
  readonly #cores = new Map<string, Core>();
  #nextHelper = 0;

  constructor(port: OwnPort) {
    this.#port = port;
  }

  hear(request: Request): void {
    switch (request.type) {
      case 'create':
      case 'load':
      case 'hold':
      case 'call':
        this.#answer(request.id, () => this.#do(request));
        break;
      case 'fit':
        this.#answer(request.id, () => this.#fit(request));
        break;
      case 'release':
        this.#held.delete(request.data);
        break;
      case 'dispose':
        this.#models.get(request.model)?.dispose();
        this.#models.delete(request.model);
        break;
      case 'helper': {
        const helper = this.#helpers.get(request.helper);
        if (request.death !== null) helper?.dies(request.death);
        helper?.ends();
        break;
      }
      default:
        this.#steer(request);
    }
  }

  #steer(request: Extract<Request, { type: 'next' | 'stop' | 'leave' | 'pause' | 'kept' }>): void {
    const training = this.#trainings.get(request.id);
    if (training === undefined) return;
    if (request.type === 'next') training.next();
    if (request.type === 'pause') request.isPaused ? training.run.pause() : training.run.resume();
    if (request.type === 'kept') training.kept(request.error && receivedError(request.error));
    if (request.type === 'stop' || request.type === 'leave') {
      training.stop.abort();
      training.next();
    }
  }

  #answer(id: number, work: () => Promise<unknown>): void {
    work().then(
      (value) => this.#post({ type: 'done', id, value, spec: this.#models.get(id)?.spec }),
      (error: unknown) => this.#post({ type: 'failed', id, error: postedError(error) }),
    );
  }

  async #do(request: Extract<Request, { type: 'create' | 'load' | 'hold' | 'call' }>): Promise<unknown> {
    if (request.type === 'hold') {
      this.#held.set(request.id, request.data);
      return null;
    }
    if (request.type === 'call') {
      const model = this.#model(request.model) as unknown as Record<string, (...args: unknown[]) => unknown>;
      return model[request.method]!(...request.args.map((value) => this.#found(value)));
    }
    const core = this.#core(request.options.core);
    const options = { ...request.options, core };
    const start = (ticket: HelperTicket) => this.#startHelper(ticket);
    const model =
      request.type === 'create'
        ? await createHere(request.spec, options, start)
        : await loadHere(request.bytes, options, start);
    this.#models.set(request.id, model);
    return null;
  }

  async #fit({ id, model: number, data, options, listens, kernels }: Extract<Request, { type: 'fit' }>) {
    const model = this.#model(number);
    for (const core of this.#cores.values()) if (!core.kernelsForced) Object.assign(core, { kernels });
    const stop = new AbortController();
    const fitOptions: FitOptions = { ...options, signal: stop.signal };
    if (fitOptions.validation !== undefined) {
      fitOptions.validation = this.#found(fitOptions.validation) as number | Data;
    }
    if (listens.steps) fitOptions.onStep = this.#steps(id);
    if (listens.checkpoints) fitOptions.onCheckpoint = (checkpoint) => this.#checkpoint(id, checkpoint);
    const run = model.fit(this.#found(data) as Data, fitOptions);
    const training: Training = { run, stop, next: () => {}, kept: () => {} };
    this.#trainings.set(id, training);
    try {
      for await (const figures of run) {
        const wanted = new Promise<void>((resolve) => {
          training.next = resolve;
        });
        this.#post({ type: 'epoch', id, value: figures });
        await wanted;
      }
      return { history: await run, spec: model.spec };
    } finally {
      this.#trainings.delete(id);
    }
  }

  /** Tells of steps, at most one a frame. */
  #steps(id: number): (step: StepEvent) => void {
    let last = Number.NEGATIVE_INFINITY;
    return (value) => {
      const now = performance.now();
      if (now - last < FRAME) return;
      last = now;
      this.#post({ type: 'step', id, value });
    };
  }

  #checkpoint(id: number, value: ModelCheckpoint): Promise<void> {
    const training = this.#trainings.get(id)!;
    const kept = new Promise<void>((resolve, reject) => {
      training.kept = (error) => (error === null ? resolve() : reject(error));
    });
    this.#post({ type: 'checkpoint', id, value });
    return kept;
  }

  /** Helpers run beside this worker: who started it starts them too. */
  #startHelper(ticket: HelperTicket): Helper {
    const helper = this.#nextHelper++;
    let ends: () => void = () => {};
    const ended = new Promise<void>((resolve) => {
      ends = resolve;
    });
    const entry = { dies: (_: string) => {}, ends };
    this.#helpers.set(helper, entry);
    this.#post({ type: 'help', helper, ticket });
    return {
      onDeath: (callback) => {
        entry.dies = callback;
      },
      ended: () => ended.then(() => void this.#helpers.delete(helper)),
      terminate: () => this.#post({ type: 'endHelp', helper }),
    };
  }

  /** A core that was posted, or the one of its build that came before. */
  #core(core: Core): Core {
    const key = `${core.build} ${core.revectorized} ${core.kernelsForced}`;
    const known = this.#cores.get(key);
    if (known !== undefined) return known;
    this.#cores.set(key, core);
    return core;
  }

  #model(number: number): Model {
    const model = this.#models.get(number);
    if (model === undefined) {
      throw problem('usage', { subject: 'The model', found: 'disposed of', expected: 'a model in use' });
    }
    return model;
  }

  /** What a call means: samples that are held stand in it by their number. */
  #found(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || !('treadleHeld' in value)) return value;
    const { treadleHeld } = value as HeldReference;
    if (!this.#held.has(treadleHeld)) {
      const found = 'released, or held by another worker';
      throw problem('usage', { subject: 'data', found, expected: 'what this worker holds' });
    }
    return this.#held.get(treadleHeld);
  }

  #post(answer: Answer): void {
    this.#port.post(answer);
  }
}
