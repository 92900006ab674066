import { CLASSES } from 'virtual:fashion-mnist';
import { signal } from '@preact/signals';
import type { HeldData, ModelWorker, WorkerModel } from 'treadle';
import type { Trainer } from '../../panel/trainer.ts';
import { type Images, inputsOf, PIXELS, partOf } from './images.ts';

/** Images that are looked at while a network trains; in the end, all are. */
const WHILE_TRAINING = 2000;

/** What a model says of images. */
export interface Look {
  images: Images;
  /** (images, classes), row-major. */
  probabilities: Float32Array;
  /** The most probable class of each image. */
  said: Uint8Array;
  /** confusion[true][said]: counts. */
  confusion: number[][];
  right: number;
}

/** What is seen of a network: what it says of the images that are held out, and of the one that is drawn. */
export class Live {
  readonly look = signal<Look | null>(null);
  /** Probabilities of the classes of what is drawn; null: nothing to say. */
  readonly drawn = signal<Float32Array | null>(null);
  /** Milliseconds from the last stroke, or the last look, to the answer. */
  readonly took = signal(0);
  readonly #trainer: Trainer;
  #images: Images | null = null;
  #held: { of: Images; type: string; worker: ModelWorker; data: Promise<HeldData> } | null = null;
  #pixels: Uint8Array | null = null;
  #since = 0;
  #isAsked = false;
  #isAnswering = false;

  constructor(trainer: Trainer) {
    this.#trainer = trainer;
  }

  /** Images that are looked at from now on. */
  async use(images: Images | null): Promise<void> {
    this.#images = images;
    this.look.value = null;
    const { value } = this.#trainer.model;
    if (value !== null) await this.see(value);
  }

  /** Looks at a model once, and asks it anew what is drawn. */
  async see(model: WorkerModel): Promise<void> {
    this.#since = performance.now();
    void this.#answer();
    const all = this.#images;
    if (all === null) return;
    const images = this.#trainer.busy && all.count > WHILE_TRAINING ? partOf(all, 0, WHILE_TRAINING) : all;
    try {
      const probabilities = await model.probabilities(await this.#hold(images, model));
      if (this.#images === all) this.look.value = lookOf(images, probabilities);
    } catch {
      // The model is done with, and the next one is looked at; or what ails it is told where it is trained.
    }
  }

  /** Asks what is drawn since then: 28 x 28 pixels, or null for nothing. No more than one question is on its way. */
  ask(pixels: Uint8Array | null, since: number): void {
    this.#pixels = pixels;
    this.#since = since;
    void this.#answer();
  }

  async #answer(): Promise<void> {
    this.#isAsked = true;
    if (this.#isAnswering) return;
    this.#isAnswering = true;
    while (this.#isAsked) {
      this.#isAsked = false;
      const model = this.#trainer.model.value;
      if (model === null || this.#pixels === null || model.spec.input.features !== PIXELS) {
        this.drawn.value = null;
        continue;
      }
      const since = this.#since;
      try {
        this.drawn.value = await model.probabilities(inputsOf(model.spec, this.#pixels));
        this.took.value = performance.now() - since;
      } catch {
        // As above.
      }
    }
    this.#isAnswering = false;
  }

  /** Images are handed to the worker once. */
  #hold(images: Images, { spec }: WorkerModel): Promise<HeldData> {
    const { worker } = this.#trainer;
    const { type = 'f32' } = spec.input;
    const held = this.#held;
    const isHeld = held !== null && held.worker === worker && held.type === type;
    if (isHeld && isSame(held.of, images)) return held.data;
    void held?.data.then((data) => data.release());
    this.#held = { of: images, type, worker, data: worker.hold(inputsOf(spec, images.x)) };
    return this.#held.data;
  }
}

/** Whether two are the same part of the same memory. */
const isSame = ({ x: a }: Images, { x: b }: Images) =>
  a.buffer === b.buffer && a.byteOffset === b.byteOffset && a.length === b.length;

function lookOf(images: Images, probabilities: Float32Array): Look {
  const width = CLASSES.length;
  const confusion = CLASSES.map(() => CLASSES.map(() => 0));
  const said = new Uint8Array(images.count);
  let right = 0;
  for (let row = 0; row < images.count; row++) {
    let best = 0;
    for (let one = 1; one < width; one++) {
      if (probabilities[row * width + one]! > probabilities[row * width + best]!) best = one;
    }
    said[row] = best;
    confusion[images.y[row]!]![best]! += 1;
    if (best === images.y[row]) right += 1;
  }
  return { images, probabilities, said, confusion, right };
}
