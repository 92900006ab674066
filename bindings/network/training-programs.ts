import type { NetworkContext } from './context.js';
import { nonZeroShare } from './density.js';

/** The programs of training, written anew where the inputs that are sparse enough to be compressed have changed. */
export class TrainingPrograms {
  readonly #context: NetworkContext;
  /** The choice of compressed blocks that they are written for. */
  #written = '';
  /** Rows of the latest training batch, whose densities are measured; 0 before the first. */
  rows = 0;

  constructor(context: NetworkContext) {
    this.#context = context;
    this.#write();
  }

  /** Compresses the inputs of the blocks that were sparse enough in the latest batch. Changes no result. */
  update(): void {
    if (this.rows > 0) this.#measure();
    this.#write();
  }

  #measure(): void {
    const { memory, density } = this.#context;
    const { blocks, ld, training } = memory.plan;
    training!.outputs.forEach((out, l) => {
      density.measure(l + 1, nonZeroShare(memory.f32(out), this.rows, blocks[l]!.outputs, ld[l]!));
    });
  }

  #write(): void {
    const { memory, density } = this.#context;
    const { compressed } = density;
    const choice = compressed.join();
    if (choice === this.#written) return;
    this.#written = choice;
    memory.writeProgram('train', memory.plan.training!.train(compressed));
    memory.writeProgram('statistics', memory.plan.training!.statistics(compressed));
  }
}
