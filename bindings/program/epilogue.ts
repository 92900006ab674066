import { ACTIVATIONS, type Block } from '../model/blocks.js';
import { barrier, type Operation, operation } from './operations.js';
import type { BlockParameters } from './parameters.js';
import { at, type Buffer, type Place } from './types.js';
import type { Use } from './use.js';

// What follows a block's product: norm, activation and dropout, in training and in inference.

/** What the epilogue of one block reads and writes. */
export interface EpiloguePlaces {
  /** The product, (B, O); kept for the backward pass. */
  readonly z: Buffer;
  /** The block's output. */
  readonly out: Buffer;
  /** Elements from row to row of both, and those of a row that hold values. */
  readonly ld: number;
  readonly columns: number;
  /** The six addresses of a norm (assembly/nn); null without one. */
  readonly norm: Buffer | null;
  /** The block's number, which dropout masks are drawn by. */
  readonly index: number;
}

/** A dropout's threshold in the core and the factor of what is kept: a multiple of 2^-16, at least one such step. */
export function keep(rate: number, keepAll: number): { keepBelow: number; keepScale: number } {
  const keepBelow = Math.max(1, Math.round((1 - rate) * keepAll));
  return { keepBelow, keepScale: keepAll / keepBelow };
}

function shared(block: Block, { z, out, ld, columns, norm, index }: EpiloguePlaces, { core, training }: Use) {
  return {
    z: at(z),
    out: at(out),
    ld,
    columns,
    width: block.outputs,
    norm: norm && at(norm),
    frozen: training?.frozenStatistics ? 1 : 0,
    kind: ACTIVATIONS[block.activation].kind,
    slope: block.slope,
    ...keep(block.dropout, core.keepAll),
    layer: index,
  };
}

/** out = dropout(activation(norm(z))). */
export function epilogueForward(block: Block, places: EpiloguePlaces, use: Use): Operation[] {
  const { epsilon = 1, momentum = 0 } = block.norm ?? {};
  const args = shared(block, places, use);
  return barrier([operation('BlockForward', { ...args, epsilon, momentum, carry: 1 - momentum })]);
}

/** d holds the gradient of out on entry, that of z on return; gradients of the block's vectors go to `gradients`. */
export function epilogueBackward(
  block: Block,
  places: EpiloguePlaces,
  d: Buffer,
  gradients: { dgamma: Place | null; dbeta: Place | null },
  use: Use,
): Operation[] {
  return barrier([operation('BlockBackward', { ...shared(block, places, use), d: at(d), ...gradients })]);
}

/** Where a block's folded weights and bias go. They may be the weights and the bias themselves. */
export interface FoldPlaces {
  readonly weight: Place;
  readonly bias: Place;
  readonly scale: Buffer;
}

/** Inference's BatchNorm, as a factor and a bias of the dense layer: [the vectors, then the weights]. */
export function fold(
  block: Block,
  parameters: BlockParameters,
  { columns, norm }: EpiloguePlaces,
  folded: FoldPlaces,
  zeros: Buffer,
): [Operation, Operation] {
  const vectors = operation('FoldNorm', {
    bias: parameters.bias ?? at(zeros),
    columns,
    norm: at(norm!),
    epsilon: block.norm!.epsilon,
    scale: at(folded.scale),
    folded: folded.bias,
  });
  const { inputs: K, outputs: N } = block;
  const source = parameters.weight;
  return [vectors, operation('ScalePanels', { K, N, source, scale: at(folded.scale), out: folded.weight })];
}

/** Whether inference applies a block's activation by an operation of its own; ReLU is applied where its output is read. */
export function activatesApart({ activation }: Block): boolean {
  return activation !== 'identity' && activation !== 'relu';
}

/** Inference's activation of a hidden block, in place. */
export function activate(block: Block, z: Buffer, ld: number): Operation[] {
  if (!activatesApart(block)) return [];
  const { kind } = ACTIVATIONS[block.activation];
  return barrier([operation('Activate', { kind, slope: block.slope, ld, source: at(z), out: at(z) })]);
}
