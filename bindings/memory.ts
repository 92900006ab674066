import { type Arena, encodeProgram, layOut, type RecordFormat } from './arena.js';
import { type Core, createMemory, type Engine, instantiate, probeCore } from './engine.js';
import { type Operation, type Plan, planNetwork } from './plan.js';
import type { NetworkSpec } from './spec.js';

export type ProgramName = keyof Plan['programs'];

/** One network's linear memory: its plan laid out, its programs written, and views of its buffers by name. */
export class NetworkMemory {
  readonly plan: Plan;
  readonly core: Core;
  /** Bytes of each buffer: the plan's, and the encoded programs. */
  readonly #sizes: Map<string, number>;
  readonly #arena: Arena;
  readonly #format: RecordFormat;

  /** Throws `range` or `engine` when there is not enough memory (createMemory). */
  constructor(engine: Engine, spec: NetworkSpec, batch: number, samples: number) {
    const probe = probeCore(engine);
    const { constant } = probe;
    this.plan = planNetwork(
      spec,
      { batch, samples },
      {
        panel: constant('PANEL'),
        ...engine.kernels,
        sparseBlock: constant('K_BLOCK'),
        entryStride: probe.functions.entryStride,
        rowPadding: constant('ROW_PADDING'),
        keepAll: constant('KEEP_ALL'),
        stateBytes: constant('STATE_BYTES'),
      },
    );
    this.#format = { recordBytes: constant('RECORD_BYTES'), opcode: constant };
    const programs = this.#programs(this.plan.layers.map(() => false));
    this.#sizes = new Map(this.plan.buffers);
    for (const [name, operations] of programs) {
      this.#sizes.set(name, (operations.length + 1) * this.#format.recordBytes);
    }
    this.#arena = layOut(this.#sizes, constant('ARENA_START'));
    this.core = instantiate(engine, createMemory(engine.build, this.#arena.end));
    this.#write(programs);
  }

  /** Writes the programs: `compressed[l]` says whether layer l's input is compressed. None is longer than with nothing compressed. */
  writePrograms(compressed: readonly boolean[]): void {
    this.#write(this.#programs(compressed));
  }

  #programs(compressed: readonly boolean[]): [ProgramName, Operation[]][] {
    const { train, prepare, evaluate, predict } = this.plan.programs;
    const [pixels] = compressed;
    return [
      ['train', train(compressed)],
      ['prepare', prepare],
      ['evaluate', evaluate(pixels!)],
      ['predict', predict(pixels!)],
    ];
  }

  #write(programs: readonly [ProgramName, Operation[]][]): void {
    for (const [name, operations] of programs) {
      this.bytes(name).set(encodeProgram(operations, this.#arena.addresses, this.#format));
    }
  }

  /** Address of a buffer. */
  address(buffer: string): number {
    return this.#arena.addresses.get(buffer)!;
  }

  bytes(buffer: string): Uint8Array {
    return new Uint8Array(this.core.memory.buffer, this.address(buffer), this.#sizes.get(buffer));
  }

  floats(buffer: string): Float32Array {
    return new Float32Array(this.core.memory.buffer, this.address(buffer), this.#sizes.get(buffer)! / 4);
  }

  uints(buffer: string): Uint32Array {
    return new Uint32Array(this.core.memory.buffer, this.address(buffer), this.#sizes.get(buffer)! / 4);
  }

  /** Writes a word of the state block, by the name of its offset in assembly/net/state.ts without `STATE_`. */
  setState(name: string, type: 'u32' | 'f64', value: number): void {
    const view = new DataView(this.core.memory.buffer, this.address('state'));
    const offset = this.core.constant(`STATE_${name}`);
    if (type === 'u32') view.setUint32(offset, value, true);
    else view.setFloat64(offset, value, true);
  }

  /** Runs a program on `rows` samples whose indices start at the address `order`; returns the sum of their losses. */
  run(program: ProgramName, order: number, rows: number): number {
    const { runProgram, trainStep } = this.core.functions;
    const start = program === 'train' ? trainStep : runProgram;
    return start(this.address('state'), this.address(program), order, rows);
  }

  /** Threads that have joined by now, the network's own included; builds with threads only. */
  joined(): number {
    const words = new Int32Array(this.core.memory.buffer, this.address('state'));
    const joined = Atomics.load(words, this.core.constant('STATE_JOINED') / 4);
    return Math.min(joined, this.core.constant('MAX_THREADS'));
  }

  /** Counts the threads that have joined by now as active, and returns how many there are. Builds with threads only. */
  admitHelpers(): number {
    const words = new Int32Array(this.core.memory.buffer, this.address('state'));
    const active = this.joined();
    Atomics.store(words, this.core.constant('STATE_ACTIVE') / 4, active);
    return active;
  }
}
