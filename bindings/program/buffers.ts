import type { Buffer } from './types.js';

/** The buffers of a plan, in the order in which they are laid out. */
export class Buffers {
  readonly #all: Buffer[] = [];

  get all(): readonly Buffer[] {
    return this.#all;
  }

  /** A new buffer. */
  bytes(name: string, bytes: number): Buffer {
    const buffer = { name, bytes };
    this.#all.push(buffer);
    return buffer;
  }

  /** A new buffer of 32-bit values. */
  words(name: string, count: number): Buffer {
    return this.bytes(name, 4 * count);
  }

  /** Takes in buffers that were planned elsewhere; null stands for one that is not needed. */
  add(...buffers: readonly (Buffer | null)[]): void {
    for (const buffer of buffers) if (buffer !== null) this.#all.push(buffer);
  }
}
