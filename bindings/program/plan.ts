import { type Block, lowerModel } from '../model/blocks.js';
import { type ModelSpec, outputsOf } from '../model/layers.js';
import { LOSSES } from '../model/losses.js';
import {
  activate,
  activatesApart,
  type EpiloguePlaces,
  epilogueBackward,
  epilogueForward,
  type FoldPlaces,
  fold,
} from './epilogue.js';
import { type HeadPlaces, headBackward, headForward } from './head.js';
import { barrier, type Operation, operation } from './operations.js';
import { type BlockParameters, type ParameterPlan, planParameters } from './parameters.js';
import {
  forwardProduct,
  hasSparseGradient,
  inputGradient,
  type Operands,
  type ProductPlaces,
  type Source,
} from './product.js';
import { at, type Buffer, roundUp } from './types.js';
import {
  finishStep,
  type OptimizerBuffers,
  packUpdate,
  planOptimizer,
  type UpdateOperands,
  vectorGradient,
  weightUpdate,
} from './update.js';
import { ENTRY_BYTES, SAMPLE_SLACK, sampleStride, type Use } from './use.js';

// A plan is pure data: the buffers a model needs and the lists of operations that train and run it. Addresses are still
// handles; arena.ts turns them into numbers.

/** A set of samples in memory. */
export interface SetPlan {
  readonly rows: number;
  /** u8 or f32 rows, or the row starts of sparse ones. */
  readonly samples: Buffer;
  /** The values of sparse rows; null for others. */
  readonly entries: Buffer | null;
  readonly targets: Buffer;
  readonly weights: Buffer;
}

/** What training adds to a plan. */
export interface TrainingPlan {
  readonly optimizer: OptimizerBuffers;
  /** The output of each hidden block. */
  readonly outputs: readonly Buffer[];
  /** The samples' order in an epoch. */
  readonly order: Buffer;
  /** One training step, with the inputs of the blocks named true compressed. */
  train(compressed: readonly boolean[]): Operation[];
  /** The forward part of a step alone, which moves BatchNorm's running statistics. */
  statistics(compressed: readonly boolean[]): Operation[];
}

export interface Plan {
  readonly blocks: readonly Block[];
  readonly parameters: ParameterPlan;
  /** Every buffer, in the order in which they are laid out. */
  readonly buffers: readonly Buffer[];
  readonly state: Buffer;
  readonly zeros: Buffer;
  readonly scratch: Buffer;
  /** Products of each block; of inference alone, two buffers take turns. */
  readonly z: readonly Buffer[];
  /** Elements from row to row of each block's product and output. */
  readonly ld: readonly number[];
  /** The six addresses of each block's norm, as inference and training read them: {@link NormVectors}. */
  readonly norms: readonly (NormVectors | null)[];
  /** What the head leaves: probabilities or predictions of the rows, predicted classes, losses. */
  readonly output: HeadPlaces;
  readonly sets: readonly SetPlan[];
  /** Samples that are put into memory for one program only, and their order: 0, 1, 2, ... */
  readonly stage: SetPlan;
  readonly stageOrder: Buffer;
  /** The order of one batch of an evaluation. */
  readonly batchOrder: Buffer;
  /** Most rows that a program may be run on, and fewest that a training step takes. */
  readonly maxRows: number;
  readonly minRows: number;
  readonly training: TrainingPlan | null;
  /** Folds BatchNorm into weights and biases; empty where there is none. */
  readonly fold: readonly Operation[];
  /** Forward over a batch, with the losses where it has targets. */
  infer(compressed: readonly boolean[]): Operation[];
}

/** The buffers whose addresses a norm's table holds, in the order of assembly/nn's BatchNormVectors. */
export interface NormVectors {
  readonly table: Buffer;
  readonly mean: Buffer;
  readonly rstd: Buffer;
}

const CACHE_LINE = 64;

/** Compiles a model into buffers and programs. Throws `range` for layers that cannot be run (lowerModel). */
export function planModel(model: ModelSpec, use: Use): Plan {
  const blocks = lowerModel(model);
  const { core, training, rows: maxRows } = use;
  const { panel } = core;
  const last = blocks.length - 1;
  const buffers: Buffer[] = [];
  const take = (name: string, bytes: number): Buffer => {
    const buffer = { name, bytes };
    buffers.push(buffer);
    return buffer;
  };
  const floats = (name: string, count: number) => take(name, 4 * count);

  const padded = (width: number) => roundUp(width, panel);
  // Rows of a hidden activation are a cache line more than whole panels. A panel is two lines, so that makes them odd in
  // number, and one column's rows spread over all the sets of a cache.
  const ld = blocks.map(({ outputs }, l) => padded(outputs) + (l < last ? CACHE_LINE / 4 : 0));
  const allRows = roundUp(maxRows, core.rowPadding);
  const widths = [model.input.features, ...blocks.map(({ outputs }) => outputs)];
  const widest = Math.max(...widths.map((width) => roundUp(padded(width), core.rowPadding)));
  const denseInputs = model.input.type === 'sparse' ? widths.slice(1) : widths;
  const widestDense = Math.max(...denseInputs.map((width) => roundUp(padded(width), core.rowPadding)));
  const startsBytes = (count: number, length: number) => 4 * count * (Math.ceil(length / core.kBlock) + 1);

  const state = take('state', core.stateBytes);
  const zeros = floats('zeros', Math.max(widest, maxRows));
  const scratch = take('scratch', core.scratchBytes * use.threads);
  const parameters = planParameters(blocks, panel);
  buffers.push(parameters.parameters, ...parameters.statistics);

  const setOf = (name: string, rows: number, entries: number): SetPlan => {
    const stride = sampleStride(model.input.type, model.input.features);
    const samples = take(`${name} samples`, stride === null ? 4 * (rows + 1) : rows * stride + SAMPLE_SLACK);
    const { targets } = LOSSES[use.loss.type];
    const targetBytes = targets === 'classes' ? 4 : 4 * Math.max(1, outputsOf(model));
    return {
      rows,
      samples,
      entries: stride === null ? take(`${name} entries`, ENTRY_BYTES * entries) : null,
      targets: take(`${name} targets`, rows * targetBytes + SAMPLE_SLACK),
      weights: floats(`${name} weights`, rows),
    };
  };
  const sets = use.sets.map(({ rows, entries = 0 }, index) => setOf(`set ${index}`, rows, entries));
  const stage = setOf('stage', maxRows, use.stageEntries);
  const stageOrder = floats('stage order', maxRows);
  const batchOrder = floats('batch order', maxRows);

  // Products. With training each is kept for the backward pass.
  const zBytes = (l: number) => 4 * allRows * ld[l]!;
  const turns =
    training === null
      ? [0, 1].map((turn) => take(`z of turn ${turn}`, Math.max(...ld.map((_, l) => zBytes(l)))))
      : [];
  const z = blocks.map((_, l) => (training === null ? turns[l % 2]! : take(`z${l}`, zBytes(l))));
  const packedX = floats('packed X', allRows * widestDense);
  const entriesBytes = (l: number) => maxRows * core.entryStride(blocks[l]!.inputs);
  const compressible = blocks.map((_, l) => l > 0 || model.input.type !== 'sparse');
  const entryBytes = blocks.map((_, l) => (compressible[l] ? entriesBytes(l) : 0));
  const startBytes = blocks.map(({ inputs }, l) => (compressible[l] ? startsBytes(maxRows, inputs) : 0));
  const shared =
    training === null
      ? { entries: take('entries', Math.max(...entryBytes)), starts: take('starts', Math.max(...startBytes)) }
      : null;
  const operands = blocks.map(
    (_, l): Operands => ({
      packedX,
      entries: shared?.entries ?? take(`entries${l}`, entryBytes[l]!),
      starts: shared?.starts ?? take(`starts${l}`, startBytes[l]!),
    }),
  );

  const predicted = floats('predicted', maxRows);
  const losses = floats('losses', maxRows);
  const headBase = { x: z[last]!, C: blocks[last]!.outputs, ld: ld[last]!, predicted, losses };
  const output: HeadPlaces = { ...headBase, p: floats('output', allRows * ld[last]!) };

  const norms = blocks.map(({ norm, outputs }, l): NormVectors | null =>
    norm === null
      ? null
      : {
          table: floats(`norm${l}`, 6),
          mean: floats(`mean${l}`, padded(outputs)),
          rstd: floats(`rstd${l}`, padded(outputs)),
        },
  );
  const outputs = training === null ? [] : blocks.slice(0, -1).map((_, l) => take(`out${l}`, zBytes(l)));
  const epilogues = blocks.map(
    ({ outputs: width }, l): EpiloguePlaces => ({
      z: z[l]!,
      out: outputs[l] ?? z[l]!,
      ld: ld[l]!,
      columns: padded(width),
      norm: norms[l]?.table ?? null,
      index: l,
    }),
  );

  const folded = blocks.map((block, l): FoldPlaces | null => {
    if (block.norm === null) return null;
    const scale = floats(`scale${l}`, padded(block.outputs));
    const { weight, bias } = parameters.blocks[l]!;
    // Inference alone has no use for the weights as they were.
    if (training === null && bias !== null) return { weight, bias, scale };
    return {
      weight: training === null ? weight : at(floats(`folded W${l}`, block.inputs * padded(block.outputs))),
      bias: at(floats(`folded b${l}`, padded(block.outputs))),
      scale,
    };
  });
  const folds = blocks.flatMap((block, l) =>
    folded[l] ? [fold(block, parameters.blocks[l]!, epilogues[l]!, folded[l], zeros)] : [],
  );

  const biasOf = ({ bias }: BlockParameters) => bias ?? at(zeros);
  const source = (l: number, from: readonly Buffer[], relu: boolean): Source =>
    l === 0
      ? { type: model.input.type, features: model.input.features }
      : { type: 'hidden', buffer: from[l - 1]!, stride: 4 * ld[l - 1]!, relu };

  const infer = (compressed: readonly boolean[]): Operation[] => [
    ...blocks.flatMap((block, l) => {
      const own = parameters.blocks[l]!;
      const places: ProductPlaces = {
        weight: folded[l]?.weight ?? own.weight,
        bias: folded[l]?.bias ?? biasOf(own),
        z: z[l]!,
        zStride: 4 * ld[l]!,
      };
      const relu = l > 0 && !activatesApart(blocks[l - 1]!) && blocks[l - 1]!.activation === 'relu';
      const choice = { compressed: compressed[l]!, keepEntries: false };
      return [
        ...forwardProduct(block, source(l, z, relu), places, operands[l]!, use, choice),
        ...(l < last ? activate(block, z[l]!, ld[l]!) : []),
      ];
    }),
    headForward(use.loss, output),
  ];

  const plan = {
    blocks,
    parameters,
    state,
    zeros,
    scratch,
    z,
    ld,
    norms,
    output,
    sets,
    stage,
    stageOrder,
    batchOrder,
    maxRows,
    fold:
      folds.length === 0
        ? []
        : [...barrier(folds.map(([vectors]) => vectors)), ...folds.map(([, weights]) => weights)],
    infer,
  };
  if (training === null) return { ...plan, buffers, minRows: 1, training: null };

  const optimizer = planOptimizer(training, parameters, use);
  buffers.push(...optimizer.slots, optimizer.gradients, optimizer.weightFactors, optimizer.vectorFactors);
  for (const buffer of [optimizer.partials, optimizer.average, optimizer.averageFactor])
    if (buffer) buffers.push(buffer);
  const order = floats('order', Math.max(1, ...sets.map(({ rows }) => rows)));
  const widestRow = 4 * Math.max(...ld);
  const d = [take('d0', allRows * widestRow), take('d1', allRows * widestRow)] as const;
  const widestInput = Math.max(...denseInputs.slice(0, -1).map(padded), 0);
  const csr = model.input.type === 'sparse';
  const batchEntries = csr ? Math.max(use.stageEntries, ...use.sets.map(({ entries = 0 }) => entries)) : 0;
  const update: UpdateOperands = {
    packedXT: floats('packed XT', allRows * widestDense),
    packedDZ: floats('packed dZ', maxRows * widest),
    columnEntries: take(
      'column entries',
      Math.max(widestInput * core.entryStride(maxRows), ENTRY_BYTES * batchEntries),
    ),
    columnStarts: take(
      'column starts',
      Math.max(startsBytes(widestInput, maxRows), csr ? 8 * padded(model.input.features) : 0),
    ),
  };
  const onlyEntries = blocks.map((_, l) => hasSparseGradient(blocks, l));
  const dense = blocks.filter((_, l) => l > 0 && !onlyEntries[l]);
  const transposed =
    dense.length === 0
      ? null
      : floats('W^T', Math.max(...dense.map((block) => padded(block.inputs) * block.outputs)));

  const forward = (compressed: readonly boolean[]): Operation[] =>
    blocks.flatMap((block, l) => {
      const own = parameters.blocks[l]!;
      const places = { weight: own.weight, bias: biasOf(own), z: z[l]!, zStride: 4 * ld[l]! };
      const choice = { compressed: compressed[l]!, keepEntries: onlyEntries[l]! };
      return [
        ...forwardProduct(block, source(l, outputs, false), places, operands[l]!, use, choice),
        ...(l < last ? epilogueForward(block, epilogues[l]!, use) : []),
      ];
    });

  const head = { ...headBase, p: d[0] };
  const lastBias = parameters.blocks[last]!.bias;
  const train = (compressed: readonly boolean[]): Operation[] => [
    ...forward(compressed),
    ...barrier([headForward(use.loss, head)]),
    ...barrier([headBackward(training.loss, head)]),
    ...(lastBias
      ? [
          operation('BiasGradient', {
            ld: head.ld,
            dz: at(head.p),
            db: vectorGradient(lastBias, training, parameters, optimizer),
          }),
        ]
      : []),
    ...blocks
      .map((block, l) => {
        const own = parameters.blocks[l]!;
        const [dz, next] = (last - l) % 2 === 0 ? d : ([d[1], d[0]] as const);
        const gradientOf = (vector: typeof own.bias) =>
          vector && vectorGradient(vector, training, parameters, optimizer);
        const gradients = {
          dgamma: gradientOf(own.norm?.gamma ?? null),
          dbeta: gradientOf(own.norm ? own.norm.beta : own.bias),
        };
        const from = source(l, outputs, false);
        const stride = 4 * ld[l]!;
        const gradientPlaces = {
          weight: own.weight,
          d: dz,
          dStride: stride,
          dx: next,
          xStride: l > 0 ? 4 * ld[l - 1]! : 0,
          zeros,
          transposed,
        };
        return [
          ...(l < last ? epilogueBackward(block, epilogues[l]!, dz, gradients, use) : []),
          ...barrier([
            ...packUpdate(block, from, dz, stride, update, use, compressed[l]!),
            ...(l > 0 ? inputGradient(block, gradientPlaces, operands[l]!, use, onlyEntries[l]!) : []),
          ]),
          ...weightUpdate(block, from, own.weight, update, optimizer, training, use, compressed[l]!),
        ];
      })
      .reverse()
      .flat(),
    ...finishStep(training, parameters, optimizer),
  ];
  const lastNorm = blocks.findLastIndex(({ norm }) => norm !== null);
  const needsVariance = lastNorm >= 0 && !training.frozenStatistics;
  return {
    ...plan,
    buffers,
    minRows: needsVariance ? 2 : 1,
    training: { optimizer, outputs, order, train, statistics: forward },
  };
}
