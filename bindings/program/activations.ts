import type { Block } from '../model/blocks.js';
import type { ModelSpec } from '../model/layers.js';
import type { Buffers } from './buffers.js';
import type { EpiloguePlaces } from './epilogue.js';
import type { HeadPlaces } from './head.js';
import type { ParameterPlan } from './parameters.js';
import type { Operands, Source } from './product.js';
import type { Sizes } from './sizes.js';
import type { Buffer } from './types.js';
import type { Use } from './use.js';

// The buffers of each block's activations, which inference and the forward and backward passes of training share.

/** What every pass over a model is planned from. */
export interface Parts {
  readonly model: ModelSpec;
  readonly blocks: readonly Block[];
  readonly use: Use;
  readonly sizes: Sizes;
  readonly parameters: ParameterPlan;
  /** f32 zeros, as many as the widest row. */
  readonly zeros: Buffer;
}

/** The buffers whose addresses a norm's table holds, in the order of assembly/nn's BatchNormVectors. */
export interface NormVectors {
  readonly table: Buffer;
  readonly mean: Buffer;
  readonly rstd: Buffer;
}

/** Where activations stand; of each block, unless it says otherwise. */
export interface Activations {
  /** Products; of inference alone, two buffers take turns. */
  readonly z: readonly Buffer[];
  readonly operands: readonly Operands[];
  /** The last product and what the head leaves of it. */
  readonly output: HeadPlaces;
  readonly norms: readonly (NormVectors | null)[];
  /** The output of each hidden block, kept for the backward pass; none of inference alone. */
  readonly outputs: readonly Buffer[];
  readonly epilogues: readonly EpiloguePlaces[];
}

/** Plans the activations' buffers. */
export function planActivations({ model, blocks, use, sizes }: Parts, buffers: Buffers): Activations {
  const { core, rows: maxRows } = use;
  const { ld, padded } = sizes;
  const last = blocks.length - 1;
  const zBytes = blocks.map((_, l) => 4 * sizes.rows * ld[l]!);

  // Training keeps each product and each compressed input for the backward pass.
  const isKept = use.training !== null;
  const turns = isKept ? [] : [0, 1].map((turn) => buffers.bytes(`z of turn ${turn}`, Math.max(...zBytes)));
  const z = zBytes.map((bytes, l) => (isKept ? buffers.bytes(`z${l}`, bytes) : turns[l % 2]!));
  const packedX = buffers.words('packed X', sizes.rows * sizes.widestDense);
  const isCompressible = (l: number) => l > 0 || model.input.type !== 'sparse';
  const entryBytes = blocks.map(({ inputs }, l) =>
    isCompressible(l) ? maxRows * core.entryStride(inputs) : 0,
  );
  const startBytes = blocks.map(({ inputs }, l) =>
    isCompressible(l) ? sizes.startBytes(maxRows, inputs) : 0,
  );
  const compressed = (name: string, entries: number, starts: number) => ({
    entries: buffers.bytes(`entries${name}`, entries),
    starts: buffers.bytes(`starts${name}`, starts),
  });
  const shared = isKept ? null : compressed('', Math.max(...entryBytes), Math.max(...startBytes));
  const operands = blocks.map((_, l) => ({
    packedX,
    ...(shared ?? compressed(String(l), entryBytes[l]!, startBytes[l]!)),
  }));

  const output: HeadPlaces = {
    x: z[last]!,
    C: blocks[last]!.outputs,
    ld: ld[last]!,
    predicted: buffers.words('predicted', maxRows),
    losses: buffers.words('losses', maxRows),
    p: buffers.words('output', sizes.rows * ld[last]!),
  };

  const norms = blocks.map(({ norm, outputs }, l): NormVectors | null =>
    norm === null
      ? null
      : {
          table: buffers.words(`norm${l}`, 6),
          mean: buffers.words(`mean${l}`, padded(outputs)),
          rstd: buffers.words(`rstd${l}`, padded(outputs)),
        },
  );
  const outputs = isKept ? zBytes.slice(0, -1).map((bytes, l) => buffers.bytes(`out${l}`, bytes)) : [];
  const epilogues = blocks.map(
    (block, l): EpiloguePlaces => ({
      z: z[l]!,
      out: outputs[l] ?? z[l]!,
      ld: ld[l]!,
      columns: padded(block.outputs),
      norm: norms[l]?.table ?? null,
      index: l,
    }),
  );
  return { z, operands, output, norms, outputs, epilogues };
}

/** What block l reads: the batch's samples or `images` in their place, or the output of the block before, one of `from`. */
export function sourceOf(
  l: number,
  from: readonly Buffer[],
  relu: boolean,
  { model, sizes }: Parts,
  images?: Buffer,
): Source {
  if (l > 0) return { type: 'hidden', buffer: from[l - 1]!, stride: 4 * sizes.ld[l - 1]!, relu };
  return { type: model.input.type, features: model.input.features, images };
}
