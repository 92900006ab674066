import { describe, expect, it } from 'vitest';
import { lowerModel, type ModelSpec, mlp } from '../../dist/bindings/index.js';
import { encodeProgram, layOut } from '../../dist/bindings/program/arena.js';
import { OPERATIONS, type Operation, operation } from '../../dist/bindings/program/operations.js';
import { planModel } from '../../dist/bindings/program/plan.js';
import { at, type Buffer } from '../../dist/bindings/program/types.js';
import type { TrainingUse, Use } from '../../dist/bindings/program/use.js';

const core = {
  panel: 32,
  rowPadding: 12,
  kBlock: 16,
  keepAll: 65536,
  stateBytes: 512,
  scratchBytes: 4096,
  factorVectors: 9,
  normChunk: 4096,
  entryStride: (K: number) => 8 * K + 64,
};
const kernels = { tileHeight: 4, sparseWidth: 16 } as const;
const recipe: TrainingUse = { loss: { type: 'crossEntropy' }, optimizer: { type: 'adam' } };

function planOf(model: ModelSpec, training: TrainingUse | null = recipe, change: Partial<Use> = {}) {
  const loss = training?.loss ?? { type: 'crossEntropy' as const };
  const use = { rows: 9, threads: 1, training, loss, sets: [{ rows: 100 }], stageEntries: 64, kernels, core };
  return planModel(model, { ...use, ...change });
}

const published = mlp({ inputs: 20, hidden: [37, 5], outputs: 3, dropout: 0.5, norm: true, inputType: 'u8' });

/** Every choice of blocks whose inputs are compressed. */
const choices = Array.from({ length: 8 }, (_, bits) => [0, 1, 2].map((l) => (bits & (1 << l)) !== 0));

const words = (operations: readonly Operation[]) =>
  operations.map(({ name, barrier }) => (barrier ? `${name} |` : name));

/** The buffers that operations name. */
const buffersOf = (operations: readonly Operation[]): Buffer[] =>
  operations.flatMap(({ args }) =>
    Object.values(args).flatMap((arg) => (typeof arg === 'object' && arg !== null ? [arg.buffer] : [])),
  );

describe('a plan', () => {
  it('pads rows to panels and places the weights one after another, then the vectors', () => {
    const { parameters, ld } = planOf(published);
    const vectors = 20 * 64 + 37 * 32 + 5 * 32;
    const offsets = [...parameters.matrices].map(([key, { offset }]) => [key, offset / 4]);
    expect(Object.fromEntries(offsets)).toMatchObject({
      '0.weight': 0,
      '4.weight': 20 * 64,
      '8.weight': 20 * 64 + 37 * 32,
      '0.bias': vectors,
      '1.gamma': vectors + 64,
      '1.beta': vectors + 128,
      '4.bias': vectors + 192,
      '8.bias': vectors + 288,
    });
    expect(parameters.vectors).toEqual({ offset: 4 * vectors, count: 320 });
    // Rows of hidden activations are a cache line longer.
    expect(ld).toEqual([64 + 16, 32 + 16, 32]);
  });

  it.each(choices.map((choice) => [choice]))(
    'names only buffers that it has, in no longer a program than the dense one: compressed %j',
    (choice) => {
      const plan = planOf(published);
      const { train, statistics } = plan.training!;
      for (const program of [train(choice), statistics(choice), plan.infer(choice), plan.fold]) {
        for (const buffer of buffersOf(program)) expect(plan.buffers).toContain(buffer);
      }
      expect(train(choice).length).toBeLessThanOrEqual(train([false, false, false]).length);
    },
  );

  it('runs the published recipe in this order', () => {
    expect(words(planOf(published).training!.train([true, true, false]))).toEqual([
      'CompressRows |',
      'Spmm |',
      'BlockForward |',
      'CompressRows |',
      'Spmm |',
      'BlockForward |',
      'PackRows',
      'CompressRows |',
      'Gemm |',
      'Softmax |',
      'CrossEntropyBackward |',
      'BiasGradient',
      'PackB',
      'PackColumns',
      'Sddmm |',
      'UpdateDense |',
      'BlockBackward |',
      'PackB',
      'CompressColumns',
      'Sddmm |',
      'UpdateCompressed |',
      'BlockBackward |',
      'PackB',
      'CompressColumns |',
      'UpdateCompressed |',
      'Step',
    ]);
  });

  it('works the whole input gradient out where a zero does not stop it', () => {
    const plan = planOf(mlp({ inputs: 4, hidden: [8], outputs: 3, activation: 'tanh' }));
    const names = words(plan.training!.train([false, false]));
    expect(names).not.toContain('Sddmm');
    expect(names).toContain('TransposePanels |');
    expect(plan.fold).toEqual([]);
    expect(plan.minRows).toBe(1);
  });

  it('stores gradients, clips and then steps where a norm is given', () => {
    const plan = planOf(published, { ...recipe, clipNorm: 1 });
    const names = words(plan.training!.train([false, false, false]));
    expect(names.slice(-4)).toEqual(['SquaredNorm |', 'Clip |', 'Step', 'Step']);
    expect(plan.training!.optimizer.gradients.bytes).toBe(plan.parameters.parameters.bytes);
  });

  it('has no training state without training, and folds in place', () => {
    const plan = planOf(published, null, { sets: [] });
    expect(plan.training).toBeNull();
    const names = plan.buffers.map(({ name }) => name);
    for (const name of ['slot0', 'gradients', 'order', 'd0', 'packed XT', 'column entries']) {
      expect(names).not.toContain(name);
    }
    const scaled = plan.fold.filter(({ name }) => name === 'ScalePanels');
    expect(scaled.map(({ args }) => args.out)).toEqual(scaled.map(({ args }) => args.source));
  });

  it('reads sparse samples from their rows', () => {
    const model = mlp({ inputs: 5000, hidden: [8], outputs: 3, inputType: 'sparse' });
    const names = words(
      planOf(model, recipe, { sets: [{ rows: 100, entries: 900 }] }).training!.train([false, false]),
    );
    expect(names[0]).toBe('SpmmCsr |');
    expect(names).toContain('CsrColumns |');
  });
});

describe('layers that cannot be run', () => {
  const input = { features: 4, type: 'f32' } as const;
  it.each([
    { layers: [{ type: 'relu' }, { type: 'dense', units: 2 }], place: 'layers[0] is relu' },
    {
      layers: [
        { type: 'dense', units: 2 },
        { type: 'relu' },
        { type: 'batchNorm' },
        { type: 'dense', units: 2 },
      ],
      place: 'layers[2] is batchNorm behind relu',
    },
    {
      layers: [{ type: 'dense', units: 2 }, { type: 'relu' }, { type: 'tanh' }, { type: 'dense', units: 2 }],
      place: 'layers[2] is tanh behind relu',
    },
  ] as const)('are refused by name: $place', ({ layers, place }) => {
    expect(() => lowerModel({ input, layers })).toThrow(place);
  });
});

describe('an arena', () => {
  const buffer = (name: string, bytes: number): Buffer => ({ name, bytes });

  it('starts every buffer on a cache line, without overlap', () => {
    const buffers = [buffer('a', 1), buffer('b', 64), buffer('c', 65), buffer('d', 4)];
    const { addresses, end } = layOut(buffers, 1000);
    expect(buffers.map((each) => addresses.get(each))).toEqual([1024, 1088, 1152, 1280]);
    expect(end).toBe(1284);
  });

  it('encodes opcodes, barriers, numbers, floats and addresses, and ends the program', () => {
    const x = buffer('x', 64);
    const args = { kind: 6, slope: 0.5, ld: 32, source: at(x, 8), out: null };
    const bytes = encodeProgram(
      [{ ...operation('Activate', args), barrier: true }],
      new Map([[x, 4096]]),
      96,
    );
    const encoded = new Int32Array(bytes.buffer);
    expect([...encoded.subarray(0, 7)]).toEqual([OPERATIONS.Activate.opcode, 1, 6, 0x3f000000, 32, 4104, 0]);
    expect(encoded[24]).toBe(0);
    expect(bytes).toHaveLength(2 * 96);
  });

  it('refuses an address it does not have', () => {
    const step = operation('BiasGradient', { ld: 4, dz: at(buffer('x', 4)), db: null });
    expect(() => encodeProgram([step], new Map(), 96)).toThrow("no buffer 'x'");
  });
});
