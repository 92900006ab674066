import { describe, expect, it } from 'vitest';
import { encodeProgram, layOut } from '../../dist/bindings/arena.js';
import { type Operation, planNetwork } from '../../dist/bindings/plan.js';

const constants = { strip: 16, rowPadding: 12, tileHeight: 4, keepAll: 65536, stateBytes: 512 };
const spec = { inputs: 20, hidden: [17, 5], classes: 3, dropout: 0.5 };
const plan = planNetwork(spec, { batch: 8, samples: 100 }, constants);

describe('a plan', () => {
  it('pads rows to strips and places the parameters one after another', () => {
    expect(plan.layers.map(({ weight }) => weight)).toEqual([
      { buffer: 'parameters', offset: 0, rows: 20, columns: 17, ld: 32 },
      { buffer: 'parameters', offset: 4 * (24 * 32 + 3 * 32), rows: 17, columns: 5, ld: 16 },
      {
        buffer: 'parameters',
        offset: 4 * (24 * 32 + 3 * 32 + 24 * 16 + 3 * 16),
        rows: 5,
        columns: 3,
        ld: 16,
      },
    ]);
    expect(plan.parameterCount).toBe(24 * 32 + 3 * 32 + 24 * 16 + 3 * 16 + 12 * 16 + 16);
    expect(plan.layers.map(({ norm }) => norm !== null)).toEqual([true, true, false]);
  });

  it('gives every parameter buffer the same size and the batch one row to spare', () => {
    for (const name of ['parameters', 'gradients', 'moment1', 'moment2']) {
      expect(plan.buffers.get(name)).toBe(plan.parameterCount * 4);
    }
    expect(plan.maxRows).toBe(9);
    expect(plan.buffers.get('images')).toBe(100 * 20 + 4);
    expect(plan.buffers.get('confusion')).toBe(3 * 3 * 4);
  });

  it('names only buffers that it has, in every program', () => {
    const programs: Operation[][] = Object.values(plan.programs);
    const named = programs
      .flat()
      .flatMap(({ args }) =>
        args.flatMap((arg) => (typeof arg === 'object' && 'buffer' in arg ? [arg.buffer] : [])),
      );
    expect(named.length).toBeGreaterThan(100);
    for (const name of named) expect([...plan.buffers.keys()]).toContain(name);
  });

  it('drops with a probability in steps of 2^-16, and scales by what it keeps', () => {
    const norm = (dropout: number) =>
      planNetwork({ ...spec, dropout }, { batch: 8, samples: 9 }, constants).programs.train.find(
        ({ opcode }) => opcode === 'OP_NORM_FORWARD',
      )!.args;
    expect(norm(0.5).slice(4, 6)).toEqual([32768, { float: 2 }]);
    expect(norm(0).slice(4, 6)).toEqual([65536, { float: 1 }]);
    expect(norm(0.9999999).slice(4, 6)).toEqual([1, { float: 65536 }]);
  });

  it('writes no hidden bias gradient', () => {
    const outputs = plan.programs.train.filter(({ opcode }) => opcode === 'OP_BIAS_GRADIENT');
    expect(outputs).toHaveLength(1);
    expect(outputs[0]!.args[2]).toEqual({ buffer: 'gradients', offset: plan.layers[2]!.bias.offset });
  });
});

describe('an arena', () => {
  it('starts every buffer on a cache line, without overlap', () => {
    const sizes = new Map([
      ['a', 1],
      ['b', 64],
      ['c', 65],
      ['d', 4],
    ]);
    const { addresses, end } = layOut(sizes, 1000);
    expect([...addresses]).toEqual([
      ['a', 1024],
      ['b', 1088],
      ['c', 1152],
      ['d', 1280],
    ]);
    expect(end).toBe(1284);
  });

  it('encodes opcodes, barriers, numbers, floats and addresses, and ends the program', () => {
    const operations: Operation[] = [
      { opcode: 'ONE', barrier: true, args: [-5, { float: 0.5 }, { buffer: 'a', offset: 8 }] },
      { opcode: 'TWO', barrier: false, args: [] },
    ];
    const codes: Record<string, number> = { OP_END: 0, ONE: 1, TWO: 2 };
    const bytes = encodeProgram(operations, new Map([['a', 4096]]), {
      recordBytes: 64,
      opcode: (name) => codes[name]!,
    });
    const words = new Int32Array(bytes.buffer);
    expect([...words.subarray(0, 5)]).toEqual([1, 1, -5, 0x3f000000, 4104]);
    expect([...words.subarray(16, 18)]).toEqual([2, 0]);
    expect(words[32]).toBe(0);
    expect(bytes).toHaveLength(3 * 64);
  });

  it('refuses an address it does not have', () => {
    const operations: Operation[] = [{ opcode: 'ONE', barrier: true, args: [{ buffer: 'x' }] }];
    expect(() => encodeProgram(operations, new Map(), { recordBytes: 64, opcode: () => 1 })).toThrow(
      "no buffer 'x'",
    );
  });
});
