import { describe, expect, it } from 'vitest';
import { encodeProgram, layOut } from '../../dist/bindings/arena.js';
import { type Operation, type Place, planNetwork } from '../../dist/bindings/plan.js';

const constants = {
  panel: 32,
  rowPadding: 12,
  tileHeight: 4,
  sparseWidth: 16,
  sparseBlock: 16,
  entryStride: (K: number) => 8 * K + 64,
  keepAll: 65536,
  stateBytes: 512,
};
const spec = { inputs: 20, hidden: [37, 5], classes: 3, dropout: 0.5 };
const plan = planNetwork(spec, { batch: 8, samples: 100 }, constants);
/** Every choice of layers whose inputs are compressed. */
const choices = Array.from({ length: 8 }, (_, bits) => [0, 1, 2].map((l) => (bits & (1 << l)) !== 0));
const [dense, compressed] = [plan.programs.train(choices[0]!), plan.programs.train(choices[7]!)];

/** The places in a program's arguments. */
const places = (operations: Operation[]): Place[] =>
  operations.flatMap(({ args }) =>
    args.flatMap((arg) => (typeof arg === 'object' && 'buffer' in arg ? [arg] : [])),
  );

describe('a plan', () => {
  it('pads rows to panels and places the weights one after another, then the vectors', () => {
    const vectors = 20 * 64 + 37 * 32 + 5 * 32;
    // Rows of hidden activations are a cache line longer.
    const line = 64;
    const matrix = (elements: number, rows: number, columns: number) => ({
      buffer: 'parameters',
      offset: 4 * elements,
      rows,
      columns,
    });
    expect(plan.layers).toEqual([
      {
        inputs: 20,
        outputs: 37,
        columns: 64,
        inputStride: 4 * 32 + line,
        outputStride: 4 * 64 + line,
        weight: matrix(0, 20, 37),
        bias: matrix(vectors, 1, 37),
        norm: { gamma: matrix(vectors + 64, 1, 37), beta: matrix(vectors + 128, 1, 37) },
      },
      {
        inputs: 37,
        outputs: 5,
        columns: 32,
        inputStride: 4 * 64 + line,
        outputStride: 4 * 32 + line,
        weight: matrix(20 * 64, 37, 5),
        bias: matrix(vectors + 192, 1, 5),
        norm: { gamma: matrix(vectors + 224, 1, 5), beta: matrix(vectors + 256, 1, 5) },
      },
      {
        inputs: 5,
        outputs: 3,
        columns: 32,
        inputStride: 4 * 32 + line,
        outputStride: 4 * 32,
        weight: matrix(20 * 64 + 37 * 32, 5, 3),
        bias: matrix(vectors + 288, 1, 3),
        norm: null,
      },
    ]);
    const rows = 12;
    expect(plan.buffers.get('z0')).toBe(rows * (4 * 64 + line));
    expect(plan.buffers.get('x2')).toBe(rows * (4 * 32 + line));
    expect(plan.buffers.get('z2')).toBe(rows * 4 * 32);
    for (const name of ['d0', 'd1']) expect(plan.buffers.get(name)).toBe(rows * (4 * 64 + line));
    expect(plan.vectors).toEqual({ offset: 4 * vectors, count: 320 });
    expect(plan.parameterCount).toBe(vectors + 320);
  });

  it('keeps moments of every parameter, gradients of the vectors alone, and one row of the batch to spare', () => {
    for (const name of ['parameters', 'moment1', 'moment2']) {
      expect(plan.buffers.get(name)).toBe(plan.parameterCount * 4);
    }
    expect(plan.buffers.get('gradients')).toBe(320 * 4);
    expect(plan.maxRows).toBe(9);
    expect(plan.buffers.get('images')).toBe(100 * 20 + 4);
    expect(plan.buffers.get('confusion')).toBe(3 * 3 * 4);
  });

  it('has room for the compressed rows of each input, and the columns of the widest, 37 padded to 64', () => {
    const bytes = (name: string) => plan.layers.map((_, l) => plan.buffers.get(`${name}${l}`));
    expect(bytes('entries')).toEqual([20, 37, 5].map((inputs) => 9 * (8 * inputs + 64)));
    // Blocks of 16: two, three and one in a row, one in a column of 9; and the end.
    expect(bytes('starts')).toEqual([9 * 3 * 4, 9 * 4 * 4, 9 * 2 * 4]);
    expect(plan.buffers.get('columnEntries')).toBe(64 * (8 * 9 + 64));
    expect(plan.buffers.get('columnStarts')).toBe(64 * 2 * 4);
  });

  it('has weights folded with BatchNorm in panels, where there is one', () => {
    const prepare = plan.programs.prepare;
    expect(prepare.map(({ opcode, barrier }) => [opcode, barrier])).toEqual([
      ['OP_FOLD_NORM', false],
      ['OP_FOLD_NORM', true],
      ['OP_SCALE_PANELS', false],
      ['OP_SCALE_PANELS', false],
    ]);
    expect(prepare.slice(2).map(({ args }) => args)).toMatchObject([
      [20, 37, { offset: 0 }, { buffer: 'scale0' }, { buffer: 'foldedW0' }],
      [37, 5, { offset: 4 * 20 * 64 }, { buffer: 'scale1' }, { buffer: 'foldedW1' }],
    ]);
    expect(plan.buffers.get('foldedW0')).toBe(4 * 20 * 64);
    expect(plan.buffers.get('foldedW1')).toBe(4 * 37 * 32);
    const { evaluate, predict } = plan.programs;
    for (const program of [evaluate(false), predict(false), evaluate(true), predict(true)]) {
      // The weights stand before the bias in both.
      const weights = program.flatMap(({ opcode, args }) =>
        opcode === 'OP_GEMM' ? [args[5]] : opcode === 'OP_SPMM' ? [args[4]] : [],
      );
      expect(weights).toMatchObject([
        { buffer: 'foldedW0' },
        { buffer: 'foldedW1' },
        { buffer: 'parameters', offset: 4 * (20 * 64 + 37 * 32) },
      ]);
    }
  });

  it('names only buffers that it has, in every program', () => {
    const { train, prepare, evaluate, predict } = plan.programs;
    const inference = [evaluate, predict].flatMap((program) => [program(false), program(true)]);
    for (const program of [prepare, ...inference, ...choices.map(train)]) {
      expect(program.length).toBeGreaterThan(3);
      for (const { buffer } of places(program)) expect([...plan.buffers.keys()]).toContain(buffer);
    }
  });

  it('writes gradients within their buffer, all of whose parameters Adam then steps', () => {
    const gradients = places(compressed).filter(({ buffer }) => buffer === 'gradients');
    const offsets = gradients.map(({ offset }) => (offset ?? 0) / 4);
    // The head's bias, gamma and beta of the second block and of the first, and the step.
    expect(offsets).toEqual([288, 224, 256, 64, 128, 0]);
    expect(compressed.at(-1)).toMatchObject({
      opcode: 'OP_ADAM',
      args: [
        320,
        { buffer: 'parameters', offset: plan.vectors.offset },
        { buffer: 'gradients' },
        { buffer: 'moment1', offset: plan.vectors.offset },
        { buffer: 'moment2', offset: plan.vectors.offset },
      ],
    });
  });

  it('steps every weight matrix once, with moments of its own', () => {
    for (const program of [dense, compressed]) {
      const updates = program.filter(({ opcode }) => opcode.startsWith('OP_UPDATE'));
      const matrices = updates.map(({ args }) => ({ shape: args.slice(1, 3), update: args.slice(-3) }));
      expect(matrices).toMatchObject(
        [...plan.layers].reverse().map(({ weight: { offset, rows, columns } }) => ({
          shape: [rows, columns],
          update: ['parameters', 'moment1', 'moment2'].map((buffer) => ({ buffer, offset })),
        })),
      );
    }
  });

  it('drops with a probability in steps of 2^-16, and scales by what it keeps', () => {
    const norm = (dropout: number) =>
      planNetwork({ ...spec, dropout }, { batch: 8, samples: 9 }, constants)
        .programs.train(choices[0]!)
        .find(({ opcode }) => opcode === 'OP_NORM_FORWARD')!.args;
    expect(norm(0.5).slice(4, 6)).toEqual([32768, { float: 2 }]);
    expect(norm(0).slice(4, 6)).toEqual([65536, { float: 1 }]);
    expect(norm(0.9999999).slice(4, 6)).toEqual([1, { float: 65536 }]);
  });

  it('writes no hidden bias gradient', () => {
    for (const program of [dense, compressed]) {
      const outputs = program.filter(({ opcode }) => opcode === 'OP_BIAS_GRADIENT');
      expect(outputs).toHaveLength(1);
      expect(outputs[0]!.args[2]).toEqual({ buffer: 'gradients', offset: 4 * 288 });
    }
  });
});

/** A layer's operations. */
interface Layer {
  forward: string[];
  backward: string[];
}

describe('a training program', () => {
  /**
   * What a layer does with its input and its weights: forward and backward, densely and compressed. The input gradient
   * is worked out at the entries of a compressed input, so a hidden one is compressed either way. After | all threads
   * meet.
   */
  const pixels: Record<'dense' | 'compressed', Layer> = {
    dense: {
      forward: ['OP_GATHER_A |', 'OP_GEMM |'],
      backward: ['OP_PACK_B', 'OP_GATHER_TRANSPOSED_A |', 'OP_UPDATE_DENSE |'],
    },
    compressed: {
      forward: ['OP_COMPRESS_PIXEL_ROWS |', 'OP_SPMM |'],
      backward: ['OP_PACK_B', 'OP_COMPRESS_PIXEL_COLUMNS |', 'OP_UPDATE_COMPRESSED |'],
    },
  };
  const block: Record<'dense' | 'compressed', Layer> = {
    dense: {
      forward: ['OP_PACK_A', 'OP_COMPRESS_ROWS |', 'OP_GEMM |'],
      backward: ['OP_PACK_B', 'OP_PACK_TRANSPOSED_A', 'OP_SDDMM |', 'OP_UPDATE_DENSE |'],
    },
    compressed: {
      forward: ['OP_COMPRESS_ROWS |', 'OP_SPMM |'],
      backward: ['OP_PACK_B', 'OP_COMPRESS_COLUMNS', 'OP_SDDMM |', 'OP_UPDATE_COMPRESSED |'],
    },
  };

  it.each(choices.map((choice) => [choice]))(
    'runs the operations of its choice, and all threads meet before what reads their work: compressed %j',
    (choice) => {
      const program = plan.programs.train(choice);
      const [first, second, third] = [pixels, block, block].map(({ dense, compressed }, l) =>
        choice[l] ? compressed : dense,
      );
      expect(program.map(({ opcode, barrier }) => (barrier ? `${opcode} |` : opcode))).toEqual([
        ...first!.forward,
        'OP_NORM_FORWARD |',
        ...second!.forward,
        'OP_NORM_FORWARD |',
        ...third!.forward,
        'OP_SOFTMAX |',
        'OP_TALLY',
        'OP_CROSS_ENTROPY_BACKWARD |',
        'OP_BIAS_GRADIENT',
        ...third!.backward,
        'OP_NORM_BACKWARD |',
        ...second!.backward,
        'OP_NORM_BACKWARD |',
        ...first!.backward,
        'OP_ADAM',
      ]);
      // A program is rewritten in place, in the room of the dense one.
      expect(program.length).toBeLessThanOrEqual(dense.length);
    },
  );
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
