import { BUILDS } from '../core/builds.js';
import {
  type Core,
  type CoreConstants,
  createMemory,
  type Instance,
  instantiate,
  probeCore,
} from '../core/core.js';
import type { TreadleError } from '../errors/errors.js';
import { problem } from '../errors/problem.js';
import type { ModelSpec } from '../model/layers.js';
import { type Arena, encodeProgram, layOut } from '../program/arena.js';
import { BATCH_WORDS, type BatchWord, FLOAT_WORDS, type Operation } from '../program/operations.js';
import { type Plan, planModel } from '../program/plan.js';
import type { Buffer } from '../program/types.js';
import type { PlanConstants, Use } from '../program/use.js';

/** What the words of a batch hold: numbers, or the buffers whose addresses they are; null for the address 0. */
export type BatchValues = { readonly [Word in BatchWord]?: number | Buffer | null };

/** A program of a network: its place, with room for the longest of its versions. */
export type ProgramName = 'train' | 'statistics' | 'fold' | 'infer' | 'inferSparse' | 'inferFew';

/** In the debug build: bytes between two buffers, and what they are filled with. Nothing may ever write there. */
const CANARY_BYTES = 64;
const CANARY = 0xc5;

/** The core's constants that a plan is made with. */
export function planConstants(core: Core): PlanConstants {
  const { constants, functions } = probeCore(core);
  return { ...constants, entryStride: functions.entryStride };
}

/**
 * Bytes of linear memory that a network of this model and use takes. Pure.
 *
 * @example memoryFor(core, spec, use) / 2 ** 20; // MiB
 */
export function memoryFor(core: Core, model: ModelSpec, use: Omit<Use, 'core' | 'kernels'>): number {
  const { constants } = probeCore(core);
  const plan = planModel(model, { ...use, core: planConstants(core), kernels: core.kernels });
  const buffers = [...plan.buffers, ...programBuffers(plan, constants).values()];
  return layOut(buffers, constants.arenaStart, gapOf(core)).end;
}

function gapOf({ build }: Core): number {
  return BUILDS[build].optimized ? 0 : CANARY_BYTES;
}

function programBuffers(plan: Plan, { recordBytes }: CoreConstants): Map<ProgramName, Buffer> {
  const none = plan.blocks.map(() => false);
  const all = plan.blocks.map(() => true);
  const versions: Record<ProgramName, readonly (readonly Operation[])[]> = {
    train: plan.training ? [plan.training.train(none), plan.training.train(all)] : [],
    statistics: plan.training ? [plan.training.statistics(none), plan.training.statistics(all)] : [],
    fold: [plan.fold],
    infer: [plan.infer(none), plan.infer(all)],
    inferSparse: [plan.infer(none), plan.infer(all)],
    inferFew: [plan.infer(all)],
  };
  const buffers = new Map<ProgramName, Buffer>();
  for (const [name, each] of Object.entries(versions)) {
    if (each.length === 0) continue;
    const records = Math.max(...each.map(({ length }) => length)) + 1;
    buffers.set(name as ProgramName, { name: `${name} program`, bytes: records * recordBytes });
  }
  return buffers;
}

/** Where the words of a batch stand, in words from its first. */
const WORD_PLACES = Object.fromEntries(
  BATCH_WORDS.map((word, at) => [word, { at, isFloat: FLOAT_WORDS.includes(word) }]),
) as Readonly<Record<BatchWord, { at: number; isFloat: boolean }>>;

/** A buffer as arrays of its numbers. */
interface Views {
  readonly u8: Uint8Array;
  readonly f32: Float32Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
}

/** One network's linear memory: its plan laid out, its programs, and views of its buffers by their handles. */
export class NetworkMemory {
  readonly plan: Plan;
  readonly instance: Instance;
  readonly #arena: Arena;
  readonly #views = new Map<Buffer, Views>();
  readonly #programs: ReadonlyMap<ProgramName, Buffer>;
  /** In the debug build the stretches between buffers; empty in others. */
  readonly #canaries: readonly Uint8Array[];

  /** Throws `range` or `engine` when there is not enough memory (createMemory). */
  constructor(core: Core, plan: Plan) {
    this.plan = plan;
    const { constants } = probeCore(core);
    this.#programs = programBuffers(plan, constants);
    const buffers = [...plan.buffers, ...this.#programs.values()];
    this.#arena = layOut(buffers, constants.arenaStart, gapOf(core));
    this.instance = instantiate(core, createMemory(core.build, this.#arena.end));
    this.#canaries =
      gapOf(core) === 0
        ? []
        : buffers.map((buffer) => {
            const start = this.address(buffer) + buffer.bytes;
            return new Uint8Array(this.instance.memory.buffer, start, CANARY_BYTES).fill(CANARY);
          });
  }

  get bytes(): number {
    return this.instance.memory.buffer.byteLength;
  }

  /** Address of a buffer. */
  address(buffer: Buffer): number {
    const address = this.#arena.addresses.get(buffer) ?? this.#arena.addresses.get(this.#known(buffer));
    return address!;
  }

  #known(buffer: Buffer): Buffer {
    throw new Error(`The network has no buffer '${buffer.name}'.`);
  }

  u8(buffer: Buffer): Uint8Array {
    return this.#viewsOf(buffer).u8;
  }

  f32(buffer: Buffer): Float32Array {
    return this.#viewsOf(buffer).f32;
  }

  u32(buffer: Buffer): Uint32Array {
    return this.#viewsOf(buffer).u32;
  }

  i32(buffer: Buffer): Int32Array {
    return this.#viewsOf(buffer).i32;
  }

  /** Made once: a step needs some of them, and small networks take thousands of steps a second. */
  #viewsOf(buffer: Buffer): Views {
    const found = this.#views.get(buffer);
    if (found !== undefined) return found;
    const [memory, start, words] = [this.instance.memory.buffer, this.address(buffer), buffer.bytes >> 2];
    const views = {
      u8: new Uint8Array(memory, start, buffer.bytes),
      f32: new Float32Array(memory, start, words),
      u32: new Uint32Array(memory, start, words),
      i32: new Int32Array(memory, start, words),
    };
    this.#views.set(buffer, views);
    return views;
  }

  /** Writes a program. It is not longer than with nothing or everything compressed. */
  writeProgram(name: ProgramName, operations: readonly Operation[]): void {
    const bytes = encodeProgram(operations, this.#arena.addresses, this.instance.constants.recordBytes);
    this.u8(this.#programs.get(name)!).set(bytes);
  }

  /** Writes words of the batch. */
  setBatch(values: BatchValues): void {
    const { u32, f32 } = this.#viewsOf(this.plan.state);
    const start = this.instance.constants.teamBytes / 4;
    for (const word in values) {
      const value = values[word as BatchWord]!;
      const { at, isFloat } = WORD_PLACES[word as BatchWord];
      (isFloat ? f32 : u32)[start + at] =
        value === null ? 0 : typeof value === 'number' ? value : this.address(value);
    }
  }

  /** Samples of the latest batch. */
  get rows(): number {
    const at = this.instance.constants.teamBytes / 4 + WORD_PLACES.rows.at;
    return this.u32(this.plan.state)[at]!;
  }

  /** Runs a program on the batch. Throws `worker` when a helper thread has died; the network is of no use then. */
  run(name: ProgramName): void {
    const { teamBroken } = this.instance.constants;
    const isBroken = () => this.team[teamBroken / 4] === 1;
    try {
      if (isBroken()) throw helperGone();
      this.instance.functions.runProgram(
        this.address(this.plan.state),
        this.address(this.#programs.get(name)!),
      );
    } catch (cause) {
      throw isBroken() ? helperGone(cause) : cause;
    }
    for (const canary of this.#canaries) {
      if (canary.some((byte) => byte !== CANARY)) throw new Error('A program wrote outside its buffers.');
    }
  }

  /** The words of the team, which several threads use. */
  get team(): Int32Array {
    return this.i32(this.plan.state);
  }
}

function helperGone(cause?: unknown): TreadleError {
  return problem('worker', {
    subject: 'A helper thread of the network',
    found: 'gone',
    expected: 'a thread that helps until the network is disposed of',
    cause,
  });
}
