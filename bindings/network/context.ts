import type { Core } from '../core/core.js';
import { TreadleError } from '../errors/errors.js';
import type { Head, ModelSpec } from '../model/layers.js';
import type { Loss } from '../model/losses.js';
import { type TensorRow, type Tensors, tensorTable } from '../model/tensors.js';
import { planModel } from '../program/plan.js';
import type { Use } from '../program/use.js';
import { DensityWatch } from './density.js';
import { NetworkMemory } from './memory.js';

/** What the parts of a network share: the model, its linear memory, and what the host keeps of it. */
export class NetworkContext {
  readonly core: Core;
  readonly model: ModelSpec;
  readonly head: Head;
  /** The loss that evaluations report. */
  readonly loss: Loss;
  /** Every tensor of the model; those in linear memory; those that training steps. */
  readonly table: readonly TensorRow[];
  readonly inMemory: readonly TensorRow[];
  readonly trained: readonly TensorRow[];
  readonly density: DensityWatch;
  /** Statistics of inputs and targets, which the host applies. */
  statistics: Tensors = new Map();
  /** Rises with every change of the parameters or of BatchNorm's running statistics. */
  revision = 0;
  /** Null once the network has been disposed of, so that nothing keeps the linear memory. */
  #memory: NetworkMemory | null;

  /** Throws `range` for layers that cannot be run, `range` or `engine` when there is not enough memory. */
  constructor(core: Core, model: ModelSpec, use: Use, head: Head) {
    this.core = core;
    this.model = model;
    this.head = head;
    this.loss = use.loss;
    const plan = planModel(model, use);
    this.table = tensorTable(model);
    this.inMemory = this.table.filter(({ layer }) => layer >= 0);
    this.trained = this.table.filter(({ trained }) => trained);
    this.density = new DensityWatch(plan.blocks, 1);
    this.#memory = new NetworkMemory(core, plan);
  }

  /** The linear memory. Throws `usage` once the network has been disposed of. */
  get memory(): NetworkMemory {
    if (this.#memory !== null) return this.#memory;
    throw new TreadleError('usage', 'The network has been disposed of; a network in use is expected.', {
      subject: 'network',
      found: 'a network that has been disposed of',
      expected: 'a network in use',
    });
  }

  /** Throws `usage` once the network has been disposed of: before arguments are looked at. */
  expectInUse(): void {
    void this.memory;
  }

  /** Lets go of the linear memory and returns it; null where that was done before. */
  release(): NetworkMemory | null {
    const memory = this.#memory;
    this.#memory = null;
    return memory;
  }
}
