import { describe, expect, it } from 'vitest';
import {
  type Layer,
  lowerModel,
  type ModelSpec,
  memoryFor,
  mlp,
  Network,
  type TrainingOptions,
} from '../../dist/bindings/host.js';
import { encodeProgram, layOut } from '../../dist/bindings/program/arena.js';
import { type Operation, operation } from '../../dist/bindings/program/operations.js';
import { planModel } from '../../dist/bindings/program/plan.js';
import { at, type Place } from '../../dist/bindings/program/types.js';
import type { Use } from '../../dist/bindings/program/use.js';
import { failure } from '../support/errors.js';
import { coreOf, cores, RECIPE, recipe } from './support.js';

const core: Use['core'] = {
  panel: 32,
  rowPadding: 12,
  kBlock: 16,
  keepAll: 65536,
  stateBytes: 512,
  scratchBytes: 4096,
  factorVectors: 9,
  normChunk: 1024,
  entryStride: (K: number) => 8 * K + 64,
};
const kernels = { tileHeight: 4, sparseWidth: 16 } as const;
const planOf = (model: ModelSpec, training: TrainingOptions | null, more: Partial<Use> = {}) => {
  const loss = training?.loss ?? RECIPE.loss;
  return planModel(model, {
    rows: 9,
    threads: 1,
    training,
    loss,
    sets: [{ rows: 100 }],
    stageEntries: 0,
    kernels,
    core,
    ...more,
  });
};

const shape = { inputs: 20, hidden: [37, 5], classes: 3, dropout: 0.5 };
const model = recipe(shape);
const plan = planOf(model, RECIPE);
/** Every choice of blocks whose inputs are compressed. */
const choices = Array.from({ length: 8 }, (_, bits) => [0, 1, 2].map((l) => (bits & (1 << l)) !== 0));
const [dense, compressed] = [plan.training!.train(choices[0]!), plan.training!.train(choices[7]!)];

type Planned = ReturnType<typeof planOf>;
const bytesOf = (of: Planned, name: string) => of.buffers.find((buffer) => buffer.name === name)?.bytes;
const names = (of: Planned) => of.buffers.map(({ name }) => name);
const argsOf = (operations: readonly Operation[], name: string) =>
  operations.filter((each) => each.name === name).map(({ args }) => args);

/** A program as text; after | all threads meet. */
const inText = (operations: readonly Operation[]) =>
  operations.map(({ name, barrier }) => (barrier ? `${name} |` : name));

/** The places in a program's arguments. */
const places = (operations: readonly Operation[]): Place[] =>
  operations.flatMap(({ args }) =>
    Object.values(args).flatMap((arg) => (typeof arg === 'object' && arg !== null ? [arg] : [])),
  );

/** A place as a name and a number of elements. */
const element = ({ buffer, offset }: Place) => [buffer.name, offset / 4];

/** Every program of a plan. */
const programsOf = (of: Planned): (readonly Operation[])[] => {
  const picks = Array.from({ length: 2 ** of.blocks.length }, (_, bits) =>
    of.blocks.map((_, l) => (bits & (1 << l)) !== 0),
  );
  const { training } = of;
  return [
    of.fold,
    ...picks.map((pick) => of.infer(pick)),
    ...(training ? picks.flatMap((pick) => [training.train(pick), training.statistics(pick)]) : []),
  ];
};

const ALL_PLANS: [name: string, model: ModelSpec, training: TrainingOptions | null, more?: Partial<Use>][] = [
  ['the default recipe', model, RECIPE],
  ['clipped', model, { ...RECIPE, clipNorm: 1, average: true }],
  ['inference alone', model, null],
  [
    'one layer without bias',
    { input: { features: 4, type: 'f32' }, layers: [{ type: 'dense', units: 2, bias: false }] },
    { ...RECIPE, average: true },
  ],
  [
    'tanh',
    mlp({ inputs: 20, hidden: [37, 5], outputs: 3, activation: 'tanh' }),
    { loss: { type: 'huber' }, optimizer: { type: 'sgd' } },
  ],
  [
    'sparse',
    mlp({ inputs: 20, hidden: [37], outputs: 3, inputType: 'sparse' }),
    { loss: { type: 'binaryCrossEntropy' }, optimizer: { type: 'adamW' } },
    { sets: [{ rows: 100, entries: 500 }], stageEntries: 64 },
  ],
];

describe.each(ALL_PLANS)('every plan: %s', (_, of, training, more) => {
  const planned = planOf(of, training, more);

  it('has a name and a place for every buffer, once', () => {
    expect(new Set(planned.buffers).size).toBe(planned.buffers.length);
    expect(new Set(names(planned)).size).toBe(planned.buffers.length);
  });

  it('names only buffers that it has, and addresses within them, in every program', () => {
    for (const program of programsOf(planned)) {
      for (const { buffer, offset } of places(program)) {
        expect(planned.buffers).toContain(buffer);
        expect(offset >= 0 && offset <= buffer.bytes, buffer.name).toBe(true);
      }
    }
  });

  it('ends what a later operation reads with a barrier', () => {
    // Of two operations between which no barrier stands, none reads what the other writes.
    const written = [
      'out',
      'c',
      'z',
      'p',
      'dx',
      'd',
      'db',
      'dgamma',
      'dbeta',
      'folded',
      'scale',
      'entries',
      'partials',
    ];
    const read = ['a', 'b', 'source', 'starts', 'x', 'dz', 'g', 'partials', 'init'];
    for (const program of programsOf(planned)) {
      let fresh = new Set<string>();
      for (const { name, args, barrier } of program) {
        const key = (field: string) => {
          const place = args[field];
          return typeof place === 'object' && place !== null ? `${place.buffer.name}+${place.offset}` : null;
        };
        const isCompress = name.startsWith('Compress') || name === 'CsrColumns';
        for (const field of read) {
          if (isCompress && field === 'starts') continue;
          const place = key(field);
          if (place !== null) expect(fresh.has(place), `${name} reads ${place}`).toBe(false);
        }
        for (const field of isCompress ? [...written, 'starts'] : written) {
          const isRead =
            field === 'z' ||
            (field === 'd' && name === 'Sddmm') ||
            (field === 'scale' && name === 'ScalePanels');
          const place = key(field);
          if (place !== null && !isRead) fresh.add(place);
        }
        if (barrier) fresh = new Set();
      }
    }
  });

  it('writes no program that is longer than with nothing or everything compressed', () => {
    const { training: trained, infer, blocks } = planned;
    for (const of of [infer, ...(trained ? [trained.train, trained.statistics] : [])]) {
      const most = Math.max(...[true, false].map((each) => of(blocks.map(() => each)).length));
      const all = Array.from({ length: 2 ** blocks.length }, (_, bits) =>
        of(blocks.map((_, l) => (bits & (1 << l)) !== 0)),
      );
      expect(Math.max(...all.map(({ length }) => length))).toBe(most);
    }
  });
});

describe('a plan of the default recipe', () => {
  const vectors = 20 * 64 + 37 * 32 + 5 * 32;

  it('pads rows to panels and places the weights one after another, then the vectors', () => {
    const matrices = Object.fromEntries(
      [...plan.parameters.matrices].map(([key, { buffer, offset, rows, columns }]) => [
        key,
        [buffer.name, offset / 4, rows, columns],
      ]),
    );
    expect(matrices).toEqual({
      '0.weight': ['parameters', 0, 20, 37],
      '0.bias': ['parameters', vectors, 1, 37],
      '1.gamma': ['parameters', vectors + 64, 1, 37],
      '1.beta': ['parameters', vectors + 128, 1, 37],
      '1.runningMean': ['1.runningMean', 0, 1, 37],
      '1.runningVar': ['1.runningVar', 0, 1, 37],
      '4.weight': ['parameters', 20 * 64, 37, 5],
      '4.bias': ['parameters', vectors + 192, 1, 5],
      '5.gamma': ['parameters', vectors + 224, 1, 5],
      '5.beta': ['parameters', vectors + 256, 1, 5],
      '5.runningMean': ['5.runningMean', 0, 1, 5],
      '5.runningVar': ['5.runningVar', 0, 1, 5],
      '8.weight': ['parameters', 20 * 64 + 37 * 32, 5, 3],
      '8.bias': ['parameters', vectors + 288, 1, 3],
    });
    expect(plan.parameters.weights).toEqual({ offset: 0, count: vectors });
    expect(plan.parameters.vectors).toEqual({ offset: 4 * vectors, count: 320 });
    // Rows of hidden activations are a cache line longer.
    const [line, rows] = [64, 12];
    expect(plan.ld.map((ld) => 4 * ld)).toEqual([4 * 64 + line, 4 * 32 + line, 4 * 32]);
    expect(['z0', 'out1', 'z2', 'd0', 'd1'].map((name) => bytesOf(plan, name)! / rows)).toEqual([
      4 * 64 + line,
      4 * 32 + line,
      4 * 32,
      4 * 64 + line,
      4 * 64 + line,
    ]);
  });

  it('keeps moments of every parameter, gradients of the vectors alone', () => {
    for (const name of ['parameters', 'slot0', 'slot1'])
      expect(bytesOf(plan, name)).toBe(4 * (vectors + 320));
    expect(bytesOf(plan, 'gradients')).toBe(320 * 4);
    expect([plan.minRows, plan.maxRows]).toEqual([2, 9]);
    expect(bytesOf(plan, 'set 0 samples')).toBe(100 * 20 + 16);
    expect(bytesOf(plan, 'set 0 targets')).toBe(100 * 4 + 16);
    expect(names(plan)).not.toContain('W^T');
  });

  it('has room for the compressed rows of each input, and the columns of the widest, 37 padded to 64', () => {
    const bytes = (name: string) => plan.blocks.map((_, l) => bytesOf(plan, `${name}${l}`));
    expect(bytes('entries')).toEqual([20, 37, 5].map((inputs) => 9 * (8 * inputs + 64)));
    // Blocks of 16: two, three and one in a row, one in a column of 9; and the end.
    expect(bytes('starts')).toEqual([9 * 3 * 4, 9 * 4 * 4, 9 * 2 * 4]);
    expect(bytesOf(plan, 'column entries')).toBe(64 * (8 * 9 + 64));
    expect(bytesOf(plan, 'column starts')).toBe(64 * 2 * 4);
    // Columns in tiles of either height: 64 padded to 72.
    expect(bytesOf(plan, 'packed XT')).toBe(4 * 12 * 72);
  });

  it('has weights folded with BatchNorm in panels, where there is one', () => {
    expect(inText(plan.fold)).toEqual(['FoldNorm', 'FoldNorm |', 'ScalePanels', 'ScalePanels']);
    const scales = argsOf(plan.fold, 'ScalePanels').map(({ K, N, source, scale, out }) => [
      K,
      N,
      ...[source, scale, out].map((place) => element(place as Place)),
    ]);
    expect(scales).toEqual([
      [20, 37, ['parameters', 0], ['scale0', 0], ['folded W0', 0]],
      [37, 5, ['parameters', 20 * 64], ['scale1', 0], ['folded W1', 0]],
    ]);
    expect([bytesOf(plan, 'folded W0'), bytesOf(plan, 'folded W1')]).toEqual([4 * 20 * 64, 4 * 37 * 32]);
    for (const choice of choices) {
      const products = plan.infer(choice).filter(({ args }) => 'init' in args);
      expect(products.map(({ args }) => element(args.b as Place))).toEqual([
        ['folded W0', 0],
        ['folded W1', 0],
        ['parameters', 20 * 64 + 37 * 32],
      ]);
    }
  });

  it('writes gradients within their buffer, all of whose parameters Adam then steps', () => {
    const gradients = places(compressed).filter(({ buffer }) => buffer.name === 'gradients');
    // The head's bias, gamma and beta of the second block and of the first, and the step.
    expect(gradients.map(({ offset }) => offset / 4)).toEqual([288, 224, 256, 64, 128, 0]);
    const { count, w, g, m, v, factors } = compressed.at(-1)!.args;
    expect(compressed.at(-1)!.name).toBe('Step');
    expect([count, ...[w, g, m, v, factors].map((place) => element(place as Place))]).toEqual([
      320,
      ['parameters', vectors],
      ['gradients', 0],
      ['slot0', vectors],
      ['slot1', vectors],
      ['vectorFactors', 0],
    ]);
  });

  it('steps every weight matrix once, with moments of its own, after all that reads it', () => {
    for (const program of [dense, compressed]) {
      const updates = program.filter(({ name }) => name.startsWith('Update'));
      const found = updates.map(({ args: { I, O, w, m, v, factors } }) => [
        I,
        O,
        ...[w, m, v, factors].map((place) => element(place as Place)),
      ]);
      const expected = [...plan.parameters.blocks]
        .reverse()
        .map(({ weight: { offset, rows, columns } }) => [
          rows,
          columns,
          ...['parameters', 'slot0', 'slot1'].map((name) => [name, offset / 4]),
          ['weightFactors', 0],
        ]);
      expect(found).toEqual(expected);
      updates.forEach((update) => {
        const later = program.slice(program.indexOf(update) + 1).filter(({ name }) => name !== 'Step');
        const weight = element(update.args.w as Place);
        expect(places(later).map(element)).not.toContainEqual(weight);
      });
    }
  });

  it('drops with a probability in steps of 2^-16, and scales by what it keeps', () => {
    const kept = (dropout: number) => {
      const program = planOf(recipe({ ...shape, dropout }), RECIPE).training!.train(choices[0]!);
      const { keepBelow, keepScale } = argsOf(program, 'BlockForward')[0]!;
      return [keepBelow, keepScale];
    };
    expect(kept(0.5)).toEqual([32768, 2]);
    expect(kept(0)).toEqual([65536, 1]);
    expect(kept(0.9999999)).toEqual([1, 65536]);
  });

  it('writes no hidden bias gradient', () => {
    for (const program of [dense, compressed]) {
      const biases = argsOf(program, 'BiasGradient').map(({ db }) => element(db as Place));
      expect(biases).toEqual([['gradients', 288]]);
    }
  });

  it('counts statistics by the forward part of a step, without head and update', () => {
    for (const choice of choices) {
      const program = plan.training!.train(choice);
      const statistics = plan.training!.statistics(choice);
      expect(statistics).toEqual(program.slice(0, statistics.length));
      expect(program[statistics.length]!.name).toBe('Softmax');
    }
  });
});

/** A block's operations. */
interface Steps {
  forward: string[];
  backward: string[];
}

describe('a training program', () => {
  /**
   * What a block does with its input and its weights: forward and backward, densely and compressed. The input gradient
   * is worked out at the entries of a compressed input, so a hidden one is compressed either way. After | all threads
   * meet.
   */
  const samples: Record<'dense' | 'compressed', Steps> = {
    dense: { forward: ['PackRows |', 'Gemm |'], backward: ['PackB', 'PackColumns |', 'UpdateDense |'] },
    compressed: {
      forward: ['CompressRows |', 'Spmm |'],
      backward: ['PackB', 'CompressColumns |', 'UpdateCompressed |'],
    },
  };
  const block: Record<'dense' | 'compressed', Steps> = {
    dense: {
      forward: ['PackRows', 'CompressRows |', 'Gemm |'],
      backward: ['PackB', 'PackColumns', 'Sddmm |', 'UpdateDense |'],
    },
    compressed: {
      forward: ['CompressRows |', 'Spmm |'],
      backward: ['PackB', 'CompressColumns', 'Sddmm |', 'UpdateCompressed |'],
    },
  };

  it.each(choices.map((choice) => [choice]))(
    'runs the operations of its choice, and all threads meet before what reads their work: compressed %j',
    (choice) => {
      const program = plan.training!.train(choice);
      const [first, second, third] = [samples, block, block].map(({ dense, compressed }, l) =>
        choice[l] ? compressed : dense,
      );
      expect(inText(program)).toEqual([
        ...first!.forward,
        'BlockForward |',
        ...second!.forward,
        'BlockForward |',
        ...third!.forward,
        'Softmax |',
        'CrossEntropyBackward |',
        'BiasGradient',
        ...third!.backward,
        'BlockBackward |',
        ...second!.backward,
        'BlockBackward |',
        ...first!.backward,
        'Step',
      ]);
    },
  );

  it('works out the whole input gradient where an output of zero lets gradients through', () => {
    const smooth = planOf(mlp({ inputs: 20, hidden: [37, 5], outputs: 3, activation: 'gelu' }), RECIPE);
    const layer = ['PackB', 'PackColumns', 'PackRows', 'TransposePanels |', 'Gemm |', 'UpdateDense |'];
    expect(inText(smooth.training!.train([false, false, false]))).toEqual([
      ...['PackRows |', 'Gemm |', 'BlockForward |'],
      ...['PackRows |', 'Gemm |', 'BlockForward |'],
      ...['PackRows |', 'Gemm |', 'Softmax |', 'CrossEntropyBackward |', 'BiasGradient'],
      ...layer,
      'BlockBackward |',
      ...layer,
      'BlockBackward |',
      ...['PackB', 'PackColumns |', 'UpdateDense |', 'Step'],
    ]);
    // The widest: 5 inputs padded to 32 x 3 outputs, 37 padded to 64 x 5.
    expect(bytesOf(smooth, 'W^T')).toBe(4 * Math.max(32 * 3, 64 * 5));
  });

  it('reads sparse samples by their rows and their transpose', () => {
    const of = mlp({ inputs: 300, hidden: [37], outputs: 3, inputType: 'sparse' });
    const sets = [{ rows: 100, entries: 700 }];
    const planned = planOf(of, RECIPE, { sets, stageEntries: 90 });
    expect(inText(planned.training!.train([true, true]))).toEqual([
      ...['SpmmCsr |', 'BlockForward |', 'CompressRows |', 'Spmm |'],
      ...['Softmax |', 'CrossEntropyBackward |', 'BiasGradient'],
      ...['PackB', 'CompressColumns', 'Sddmm |', 'UpdateCompressed |', 'BlockBackward |'],
      ...['PackB', 'CsrColumns |', 'UpdateCompressed |', 'Step'],
    ]);
    // Whatever is compressed, the samples are not packed.
    expect(inText(planned.training!.train([false, true]))).toEqual(
      inText(planned.training!.train([true, true])),
    );
    expect(
      argsOf(planned.training!.train([true, true]), 'UpdateCompressed').map(({ blocks }) => blocks),
    ).toEqual([0, 1]);
    expect(bytesOf(planned, 'set 0 samples')).toBe(4 * 101);
    expect(bytesOf(planned, 'set 0 entries')).toBe(8 * 700);
    expect(bytesOf(planned, 'stage entries')).toBe(8 * 90);
    expect(bytesOf(planned, 'column entries')).toBe(Math.max(8 * 700, 64 * (8 * 9 + 64)));
    expect(bytesOf(planned, 'column starts')).toBe(8 * 320);
    // No operand is as wide as the samples.
    expect(bytesOf(planned, 'packed XT')).toBe(4 * 12 * 72);
    expect([bytesOf(planned, 'entries0'), bytesOf(planned, 'starts0')]).toEqual([0, 0]);
  });

  it('takes no statistics of a batch where there is no norm, and then one row is enough', () => {
    const bare = planOf(mlp({ inputs: 20, hidden: [37], outputs: 3 }), RECIPE);
    expect(bare.minRows).toBe(1);
    expect(bare.fold).toEqual([]);
    expect(names(bare).filter((name) => /norm|folded|scale|running/.test(name))).toEqual([]);
    const [{ norm, dropout }] = [bare.blocks[0]!];
    expect([norm, dropout]).toEqual([null, 0]);
    const program = bare.training!.train([false, false]);
    expect(argsOf(program, 'BlockForward')[0]).toMatchObject({ norm: null, frozen: 0, keepBelow: 65536 });
    // Without a norm the backward part leaves the bias gradient in dbeta.
    const { dgamma, dbeta } = argsOf(program, 'BlockBackward')[0]!;
    expect(dgamma).toBeNull();
    expect(element(dbeta as Place)).toEqual(['gradients', 0]);
    expect(planOf(model, { ...RECIPE, frozenStatistics: true }).minRows).toBe(1);
  });

  it('has no gradient of a bias that is left out', () => {
    const layers: Layer[] = [
      { type: 'dense', units: 7, bias: false },
      { type: 'tanh' },
      { type: 'dense', units: 3, bias: false },
    ];
    const planned = planOf({ input: { features: 5, type: 'f32' }, layers }, RECIPE);
    const program = planned.training!.train([false, false]);
    expect(argsOf(program, 'BiasGradient')).toEqual([]);
    expect(argsOf(program, 'BlockBackward')[0]).toMatchObject({ dgamma: null, dbeta: null });
    expect(argsOf(program, 'Step')).toEqual([]);
    expect(argsOf(program, 'Gemm')[0]!.init).toEqual(at(planned.zeros));
    expect(planned.parameters.vectors.count).toBe(0);
  });

  it.each([
    ['relu', 1, 0],
    ['leakyRelu', 2, 0.01],
    ['tanh', 3, 0],
    ['sigmoid', 4, 0],
    ['gelu', 5, 0],
    ['silu', 6, 0],
  ] as const)('has the activation %s as kind %i, and inference applies it', (activation, kind, slope) => {
    const planned = planOf(mlp({ inputs: 20, hidden: [37], outputs: 3, activation }), RECIPE);
    const program = planned.training!.train([false, false]);
    expect(argsOf(program, 'BlockForward')[0]).toMatchObject({ kind, slope });
    expect(argsOf(program, 'BlockBackward')[0]).toMatchObject({ kind, slope });
    const inference = planned.infer([false, false]);
    // ReLU is applied by what reads the product.
    if (activation === 'relu') {
      expect(argsOf(inference, 'Activate')).toEqual([]);
      expect(argsOf(inference, 'PackRows').map((args) => args.kind)).toEqual([0, 1]);
    } else {
      expect(argsOf(inference, 'Activate')).toMatchObject([{ kind, slope }]);
      expect(argsOf(inference, 'PackRows').map((args) => args.kind)).toEqual([0, 0]);
    }
  });

  it.each([
    [{ type: 'crossEntropy', labelSmoothing: 0.1 }, ['Softmax', 'CrossEntropyBackward'], { smoothing: 0.1 }],
    [{ type: 'binaryCrossEntropy' }, ['Sigmoid', 'SigmoidBackward'], {}],
    [{ type: 'squaredError' }, ['Regression', 'RegressionBackward'], { kind: 0 }],
    [{ type: 'huber', delta: 2 }, ['Regression', 'RegressionBackward'], { kind: 1, delta: 2 }],
  ] as const)('has the head and the targets of its loss: %o', (loss, head, args) => {
    const planned = planOf(model, { ...RECIPE, loss });
    const program = planned.training!.train(choices[0]!);
    for (const name of head) expect(argsOf(program, name)).toMatchObject([args]);
    const perRow = loss.type === 'crossEntropy' ? 4 : 12;
    expect(bytesOf(planned, 'set 0 targets')).toBe(100 * perRow + 16);
    expect(planned.infer(choices[0]!).at(-1)!.name).toBe(head[0]);
  });

  it.each([
    [{ type: 'adam' }, 0, 2],
    [{ type: 'adam', l2: 0.1 }, 1, 2],
    [{ type: 'adamW' }, 1, 2],
    [{ type: 'sgd' }, 2, 0],
    [{ type: 'sgd', momentum: 0.9 }, 3, 1],
    [{ type: 'sgd', momentum: 0.9, nesterov: true }, 4, 1],
  ] as const)('steps by its optimiser: %o', (optimizer, kind, slots) => {
    const planned = planOf(model, { ...RECIPE, optimizer });
    expect(names(planned).filter((name) => name.startsWith('slot'))).toHaveLength(slots);
    const program = planned.training!.train(choices[0]!);
    for (const args of [...argsOf(program, 'UpdateDense'), ...argsOf(program, 'Step')]) {
      expect(args.kind).toBe(kind);
      expect([args.m !== null, args.v !== null]).toEqual([slots > 0, slots > 1]);
    }
  });

  it('stores all gradients before any parameter steps where they are clipped together', () => {
    const clipped = planOf(model, { ...RECIPE, clipNorm: 0.5 });
    const all = clipped.parameters.weights.count + clipped.parameters.vectors.count;
    expect(bytesOf(clipped, 'gradients')).toBe(4 * all);
    expect(bytesOf(clipped, 'partials')).toBe(8 * Math.ceil(all / 1024));
    for (const choice of choices) {
      const program = clipped.training!.train(choice);
      expect(inText(program).slice(-5)).toEqual([
        expect.stringMatching(/^Update/),
        'SquaredNorm |',
        'Clip |',
        'Step',
        'Step',
      ]);
      const updates = program.filter(({ name }) => name.startsWith('Update'));
      expect(updates.map(({ args: { kind, m, v } }) => [kind, element(m as Place), v])).toEqual(
        [...clipped.parameters.blocks]
          .reverse()
          .map(({ weight }) => [5, ['gradients', weight.offset / 4], null]),
      );
      const steps = argsOf(program, 'Step').map(({ count, w, g, m, factors }) => [
        count,
        ...[w, g, m, factors].map((place) => element(place as Place)),
      ]);
      const { weights, vectors } = clipped.parameters;
      const v = vectors.offset / 4;
      expect(steps).toEqual([
        [weights.count, ['parameters', 0], ['gradients', 0], ['slot0', 0], ['weightFactors', 0]],
        [vectors.count, ['parameters', v], ['gradients', v], ['slot0', v], ['vectorFactors', 0]],
      ]);
      const vectorGradients = [
        ...argsOf(program, 'BiasGradient').map(({ db }) => db),
        ...argsOf(program, 'BlockBackward').flatMap(({ dgamma, dbeta }) => [dgamma, dbeta]),
      ];
      for (const place of vectorGradients)
        expect((place as Place).offset).toBeGreaterThanOrEqual(vectors.offset);
      expect(argsOf(program, 'Clip')[0]).toMatchObject({ count: all, limit: 0.5 });
    }
  });

  it('averages all parameters after every one of them has stepped', () => {
    const averaged = planOf(model, { ...RECIPE, average: true });
    const program = averaged.training!.train(choices[7]!);
    expect(inText(program).slice(-2)).toEqual(['Step |', 'Average']);
    const { count } = program.at(-1)!.args;
    expect(4 * (count as number)).toBe(averaged.parameters.parameters.bytes);
    expect(bytesOf(averaged, 'average')).toBe(averaged.parameters.parameters.bytes);
  });
});

describe('a plan of inference alone', () => {
  const only = planOf(model, null, { sets: [] });

  it('has no training, no moments, gradients, orders, copies of outputs or operands of updates', () => {
    expect(only.training).toBeNull();
    expect(only.minRows).toBe(1);
    const expected =
      /^(slot|gradients|.*Factors?$|partials|average|order$|packed XT|packed dZ|column|d[01]$|out\d|W\^T|folded W|z\d)/;
    expect(names(only).filter((name) => expected.test(name))).toEqual([]);
    expect(names(plan).filter((name) => expected.test(name)).length).toBeGreaterThan(10);
  });

  it('folds weights and biases in their place', () => {
    for (const { source, out } of argsOf(only.fold, 'ScalePanels')) expect(out).toEqual(source);
    for (const { bias, folded } of argsOf(only.fold, 'FoldNorm')) expect(folded).toEqual(bias);
  });

  it('folds a bias that is left out into a buffer, and never into the zeros', () => {
    const layers: Layer[] = [
      { type: 'dense', units: 7, bias: false },
      { type: 'batchNorm' },
      { type: 'dense', units: 3 },
    ];
    const bare = planOf({ input: { features: 5, type: 'f32' }, layers }, null);
    const [{ bias, folded }] = argsOf(bare.fold, 'FoldNorm') as [Record<string, Place>];
    expect(element(bias!)).toEqual(['zeros', 0]);
    expect(element(folded!)).toEqual(['folded b0', 0]);
    expect(argsOf(bare.infer([false, false]), 'Gemm')[0]!.init).toBe(folded);
  });

  it('lets the products of blocks take turns in two buffers', () => {
    const z = only.z.map(({ name }) => name);
    expect(z).toEqual(['z of turn 0', 'z of turn 1', 'z of turn 0']);
    for (const { source, c } of [true, false].flatMap((each) => {
      const program = only.infer(only.blocks.map(() => each));
      return program.flatMap(({ name, args }, index) =>
        name === 'Gemm' || name === 'Spmm' ? [{ source: program[index - 1]!.args.source, c: args.c }] : [],
      );
    })) {
      if (source !== null) expect((source as Place).buffer).not.toBe((c as Place).buffer);
    }
  });
});

const LARGE1 = recipe({ inputs: 784, hidden: [1024, 512, 256, 128], classes: 10, dropout: 0.5 });

it.each(cores)('large1 that only predicts takes its weights and 2 MiB: $build', (each) => {
  const network = new Network(each, LARGE1);
  const weights = network.table
    .filter(({ role }) => role === 'weight' || role === 'bias')
    .reduce((sum, { shape }) => sum + 4 * shape.reduce((product, size) => product * size), 0);
  expect(network.memoryBytes).toBeGreaterThan(weights);
  expect(network.memoryBytes).toBeLessThanOrEqual(weights + 2 * 2 ** 20);
  network.dispose();
});

it('memoryFor says what a network takes, in whole pages', () => {
  for (const [training, rows] of [
    [RECIPE, 257],
    [{ ...RECIPE, clipNorm: 1 }, 33],
  ] as const) {
    for (const each of cores) {
      const sets = [{ rows: 1000 }];
      const network = new Network(each, model, { training, sets, batchSize: rows - 1, threads: 2 });
      const bytes = memoryFor(each, model, {
        rows,
        threads: 2,
        training,
        loss: training.loss,
        sets,
        stageEntries: 0,
      });
      expect(network.memoryBytes).toBe(65536 * Math.ceil(bytes / 65536));
    }
  }
});

it('a model that needs more than 4 GiB is refused with what it needs', async () => {
  const wide = recipe({ ...shape, hidden: [1 << 20, 1 << 20] });
  const error = await failure('range', () => new Network(coreOf('simd'), wide, { training: RECIPE }));
  expect(error.message).toMatch(/^The network needs [\d.]+ GiB of memory; WebAssembly has at most 4 GiB\.$/);
});

describe('lowerModel', () => {
  const lower = (...layers: Layer[]) => lowerModel({ input: { features: 4, type: 'f32' }, layers });
  const [dense, norm, relu, drop]: Layer[] = [
    { type: 'dense', units: 3 },
    { type: 'batchNorm' },
    { type: 'relu' },
    { type: 'dropout', rate: 0.5 },
  ];

  it('groups layers into blocks, with what was left out', () => {
    expect(
      lower(
        { type: 'dense', units: 8, bias: false, init: 'zeros' },
        { type: 'batchNorm', epsilon: 1e-3, momentum: 0.2 },
        { type: 'leakyRelu', slope: 0.3 },
        drop!,
        { type: 'dense', units: 6 },
        { type: 'leakyRelu' },
        { type: 'dense', units: 5 },
        { type: 'batchNorm' },
        { type: 'dense', units: 2 },
      ),
    ).toEqual([
      {
        layer: 0,
        inputs: 4,
        outputs: 8,
        bias: false,
        init: 'zeros',
        norm: { layer: 1, epsilon: 1e-3, momentum: 0.2 },
        activation: 'leakyRelu',
        slope: 0.3,
        dropout: 0.5,
      },
      {
        layer: 4,
        inputs: 8,
        outputs: 6,
        bias: true,
        init: 'heNormal',
        norm: null,
        activation: 'leakyRelu',
        slope: 0.01,
        dropout: 0,
      },
      {
        layer: 6,
        inputs: 6,
        outputs: 5,
        bias: true,
        init: 'glorotUniform',
        norm: { layer: 7, epsilon: 1e-5, momentum: 0.1 },
        activation: 'identity',
        slope: 0,
        dropout: 0,
      },
      {
        layer: 8,
        inputs: 5,
        outputs: 2,
        bias: true,
        init: 'glorotUniform',
        norm: null,
        activation: 'identity',
        slope: 0,
        dropout: 0,
      },
    ]);
  });

  it.each<[string, Layer[]]>([
    ['layers[0] is relu at the start', [relu!, dense!]],
    ['layers[0] is batchNorm at the start', [norm!, dense!]],
    ['layers[0] is dropout at the start', [drop!, dense!]],
    ['layers[2] is batchNorm behind relu', [dense!, relu!, norm!, dense!]],
    ['layers[2] is relu behind dropout', [dense!, drop!, relu!, dense!]],
    ['layers[3] is batchNorm behind dropout', [dense!, relu!, drop!, norm!, dense!]],
    ['layers[2] is relu behind relu', [dense!, relu!, relu!, dense!]],
    ['layers[2] is tanh behind relu', [dense!, relu!, { type: 'tanh' }, dense!]],
    ['layers[2] is dropout behind dropout', [dense!, drop!, drop!, dense!]],
    ['layers[5] is batchNorm behind batchNorm', [dense!, norm!, relu!, dense!, norm!, norm!, dense!]],
  ])('names the layer that cannot stand where it does: %s', async (words, layers) => {
    const error = await failure('range', () => lower(...layers));
    expect(error.message).toBe(
      `${words}; dense, then at most one batchNorm, one activation and one dropout in this order, then the next dense, is expected.`,
    );
    expect(error.subject).toBe(words.split(' ')[0]);
    await failure(
      'range',
      () => new Network(coreOf('debug'), { input: { features: 4, type: 'f32' }, layers }),
    );
  });
});

describe('an arena', () => {
  it('starts every buffer on a cache line, without overlap, with a gap where one is asked for', () => {
    const buffers = [1, 64, 65, 4].map((bytes, index) => ({ name: 'abcd'[index]!, bytes }));
    const addresses = (gap?: number) => {
      const arena = layOut(buffers, 1000, gap);
      return [...buffers.map((buffer) => arena.addresses.get(buffer)), arena.end];
    };
    expect(addresses()).toEqual([1024, 1088, 1152, 1280, 1284]);
    expect(addresses(64)).toEqual([1024, 1152, 1280, 1472, 1540]);
  });

  it('encodes opcodes, barriers, numbers, floats and addresses, and ends the program', () => {
    const buffer = { name: 'a', bytes: 64 };
    const operations: Operation[] = [
      {
        ...operation('Activate', { kind: 3, slope: 0.5, ld: -5, source: at(buffer, 8), out: null }),
        barrier: true,
      },
      operation('BiasGradient', { ld: 7, dz: at(buffer), db: null }),
    ];
    const bytes = encodeProgram(operations, new Map([[buffer, 4096]]), 64);
    const words = new Int32Array(bytes.buffer);
    expect([...words.subarray(0, 8)]).toEqual([33, 1, 3, 0x3f000000, -5, 4104, 0, 0]);
    expect([...words.subarray(16, 22)]).toEqual([34, 0, 7, 4096, 0, 0]);
    expect(words[32]).toBe(0);
    expect(bytes).toHaveLength(3 * 64);
  });

  it('refuses an address it does not have', () => {
    const operations = [operation('BiasGradient', { ld: 1, dz: at({ name: 'x', bytes: 4 }), db: null })];
    expect(() => encodeProgram(operations, new Map(), 64)).toThrow("The plan has no buffer 'x'.");
  });
});
