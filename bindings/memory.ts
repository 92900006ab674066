import { type Arena, encodeProgram, layOut, type RecordFormat } from './arena.js';
import { type Core, checkMemory, createMemory, type Engine, instantiate, probeCore } from './engine.js';
import { type Operation, type Plan, planNetwork } from './plan.js';
import { checkSpec, type NetworkSpec } from './spec.js';

export type ProgramName = keyof Plan['programs'];

/**
 * Throws what the constructor of a network with such a batch size and so many samples would throw: `range` for a spec
 * that is not a network, and for one that needs more memory than WebAssembly has. Allocates none of it.
 */
export function checkNetwork(engine: Engine, spec: NetworkSpec, batch: number, samples: number): void {
  checkSpec(spec);
  checkMemory(planMemory(engine, spec, batch, samples).arena.end);
}

/** A network's plan with its programs, laid out in memory that need not exist. */
function planMemory(engine: Engine, spec: NetworkSpec, batch: number, samples: number) {
  const { constant, functions } = probeCore(engine);
  const plan = planNetwork(
    spec,
    { batch, samples },
    {
      panel: constant('PANEL'),
      ...engine.kernels,
      sparseBlock: constant('K_BLOCK'),
      entryStride: functions.entryStride,
      rowPadding: constant('ROW_PADDING'),
      keepAll: constant('KEEP_ALL'),
      stateBytes: constant('STATE_BYTES'),
    },
  );
  const format: RecordFormat = { recordBytes: constant('RECORD_BYTES'), opcode: constant };
  const programs = programsOf(
    plan,
    plan.layers.map(() => false),
  );
  const sizes = new Map(plan.buffers);
  for (const [name, operations] of programs) sizes.set(name, (operations.length + 1) * format.recordBytes);
  return { plan, format, programs, sizes, arena: layOut(sizes, constant('ARENA_START')) };
}

/** A plan's programs: `compressed[l]` says whether layer l's input is compressed. */
function programsOf({ programs }: Plan, compressed: readonly boolean[]): [ProgramName, Operation[]][] {
  const { train, prepare, evaluate, predict } = programs;
  const [pixels] = compressed;
  return [
    ['train', train(compressed)],
    ['prepare', prepare],
    ['evaluate', evaluate(pixels!)],
    ['predict', predict(pixels!)],
  ];
}

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
    const { plan, format, programs, sizes, arena } = planMemory(engine, spec, batch, samples);
    this.plan = plan;
    this.#format = format;
    this.#sizes = sizes;
    this.#arena = arena;
    this.core = instantiate(engine, createMemory(engine.build, this.#arena.end));
    this.#write(programs);
  }

  /** Writes the programs: `compressed[l]` says whether layer l's input is compressed. None is longer than with nothing compressed. */
  writePrograms(compressed: readonly boolean[]): void {
    this.#write(programsOf(this.plan, compressed));
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
