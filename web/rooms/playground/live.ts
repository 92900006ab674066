import { computed, signal } from '@preact/signals';
import type { HeldData, WorkerModel } from 'treadle';
import type { Trainer } from '../../panel/trainer.ts';
import { gridOf } from './grid.ts';
import type { Surface } from './painting.ts';
import { valuesOfUnit } from './Units.tsx';
import { type BlockOutput, hiddenOutputs, MOST_PRODUCTS, productsOf, type Unit } from './units.ts';

/** Places along a side of the surface that is shown, and of the units' small ones. */
const SIDE = 72;
const UNIT_SIDE = 20;
/** Least time between two pictures of the units, in milliseconds. */
const UNITS_EVERY = 200;

const NOTHING: Surface = { side: SIDE, values: null, outputs: 1, isUnit: false };

/** What is seen of a network while it trains: its surface, and those of its hidden units. */
export class Live {
  readonly surface = signal<Surface>(NOTHING);
  /** Whether there is any. */
  readonly isSeen = computed(() => this.surface.value.values !== null);
  readonly units = signal<{ side: number; layers: readonly BlockOutput[] }>({ side: UNIT_SIDE, layers: [] });
  /** The unit that is shown in place of the surface. */
  readonly shown = signal<Unit | null>(null);
  readonly #trainer: Trainer;
  #grid: Promise<HeldData> | null = null;
  #gridOf: unknown = null;
  #last = 0;

  constructor(trainer: Trainer) {
    this.#trainer = trainer;
  }

  /** Looks at the model once. */
  async look(model: WorkerModel, isLast = true): Promise<void> {
    const unit = this.shown.value;
    const now = performance.now();
    const wantsUnits = isLast || now - this.#last >= UNITS_EVERY;
    try {
      if (unit === null) await this.#lookAtOutput(model);
      if (wantsUnits || unit !== null) {
        this.#last = now;
        await this.#lookAtUnits(model, wantsUnits);
      }
    } catch {
      // The model is done with, and the next one is looked at; or what ails it is told where it is trained.
    }
  }

  async show(unit: Unit | null): Promise<void> {
    this.shown.value = unit;
    if (this.#trainer.model.value !== null) await this.look(this.#trainer.model.value, false);
  }

  clear(): void {
    this.surface.value = NOTHING;
    this.units.value = { side: UNIT_SIDE, layers: [] };
  }

  async #lookAtOutput(model: WorkerModel): Promise<void> {
    // The grid is handed over once to each worker.
    const { worker } = this.#trainer;
    if (this.#gridOf !== worker) {
      this.#gridOf = worker;
      this.#grid = worker.hold(gridOf(SIDE));
    }
    const values = await model.probabilities((await this.#grid)!);
    if (this.shown.value !== null) return;
    this.surface.value = { side: SIDE, values, outputs: values.length / SIDE ** 2, isUnit: false };
  }

  async #lookAtUnits(model: WorkerModel, wantsAll: boolean): Promise<void> {
    const spec = model.spec;
    const products = productsOf(spec);
    const most = Math.floor(Math.sqrt(MOST_PRODUCTS / Math.max(1, products)));
    if (most < 8) return; // Too wide to be drawn beside all else.
    const tensors = await model.tensors();
    if (wantsAll) {
      const side = Math.min(UNIT_SIDE, most);
      this.units.value = { side, layers: hiddenOutputs(spec, tensors, gridOf(side)) };
    }
    const unit = this.shown.value;
    if (unit === null) return;
    const side = Math.min(SIDE, most);
    const block = hiddenOutputs(spec, tensors, gridOf(side))[unit.block];
    if (block === undefined || unit.unit >= block.width) return;
    this.surface.value = { side, values: valuesOfUnit(block, unit.unit), outputs: 1, isUnit: true };
  }
}
