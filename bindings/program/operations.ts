import type { Argument, Place } from './types.js';

// The operations of the layer program: opcodes, and arguments by name in the order of assembly/abi/operations.ts, where
// each is explained. A test compares the two.

/** How an argument stands in a record: a whole number, a float, or an address (null: 0). Four bytes each. */
type Field = 'i32' | 'f32' | 'place';

export const OPERATIONS = {
  PackRows: {
    opcode: 1,
    fields: {
      kind: 'i32',
      height: 'i32',
      K: 'i32',
      source: 'place',
      stride: 'i32',
      ordered: 'i32',
      out: 'place',
    },
  },
  PackColumns: {
    opcode: 2,
    fields: {
      kind: 'i32',
      height: 'i32',
      M: 'i32',
      source: 'place',
      stride: 'i32',
      ordered: 'i32',
      out: 'place',
    },
  },
  CompressRows: {
    opcode: 3,
    fields: {
      kind: 'i32',
      K: 'i32',
      source: 'place',
      stride: 'i32',
      ordered: 'i32',
      entries: 'place',
      starts: 'place',
    },
  },
  CompressColumns: {
    opcode: 4,
    fields: {
      kind: 'i32',
      M: 'i32',
      source: 'place',
      stride: 'i32',
      ordered: 'i32',
      entries: 'place',
      starts: 'place',
    },
  },
  CsrColumns: { opcode: 5, fields: { features: 'i32', entries: 'place', starts: 'place' } },
  PackB: { opcode: 6, fields: { K: 'i32', N: 'i32', source: 'place', stride: 'i32', out: 'place' } },
  PackTransposedB: {
    opcode: 7,
    fields: {
      N: 'i32',
      K: 'i32',
      source: 'place',
      stride: 'i32',
      out: 'place',
    },
  },
  TransposePanels: { opcode: 8, fields: { I: 'i32', O: 'i32', source: 'place', out: 'place' } },
  ScalePanels: { opcode: 9, fields: { K: 'i32', N: 'i32', source: 'place', scale: 'place', out: 'place' } },
  AugmentImages: {
    opcode: 10,
    fields: {
      stride: 'i32',
      out: 'place',
      room: 'place',
      roomBytes: 'i32',
      height: 'i32',
      width: 'i32',
      channels: 'i32',
      flip: 'f32',
      share: 'f32',
      rotation: 'f32',
      zoom: 'f32',
      aspect: 'f32',
      shear: 'f32',
      shift: 'f32',
    },
  },
  Gemm: {
    opcode: 20,
    fields: {
      height: 'i32',
      M: 'i32',
      N: 'i32',
      K: 'i32',
      a: 'place',
      b: 'place',
      init: 'place',
      c: 'place',
      cStride: 'i32',
    },
  },
  Spmm: {
    opcode: 21,
    fields: {
      width: 'i32',
      N: 'i32',
      K: 'i32',
      starts: 'place',
      b: 'place',
      init: 'place',
      c: 'place',
      cStride: 'i32',
    },
  },
  SpmmCsr: {
    opcode: 22,
    fields: {
      width: 'i32',
      N: 'i32',
      K: 'i32',
      b: 'place',
      init: 'place',
      c: 'place',
      cStride: 'i32',
    },
  },
  Sddmm: {
    opcode: 23,
    fields: {
      width: 'i32',
      N: 'i32',
      K: 'i32',
      starts: 'place',
      d: 'place',
      dStride: 'i32',
      b: 'place',
      dx: 'place',
      xStride: 'i32',
    },
  },
  BlockForward: {
    opcode: 30,
    fields: {
      z: 'place',
      out: 'place',
      ld: 'i32',
      columns: 'i32',
      width: 'i32',
      norm: 'place',
      epsilon: 'f32',
      momentum: 'f32',
      carry: 'f32',
      frozen: 'i32',
      kind: 'i32',
      slope: 'f32',
      keepBelow: 'i32',
      keepScale: 'f32',
      layer: 'i32',
    },
  },
  BlockBackward: {
    opcode: 31,
    fields: {
      z: 'place',
      out: 'place',
      d: 'place',
      ld: 'i32',
      columns: 'i32',
      width: 'i32',
      norm: 'place',
      dgamma: 'place',
      dbeta: 'place',
      frozen: 'i32',
      kind: 'i32',
      slope: 'f32',
      keepBelow: 'i32',
      keepScale: 'f32',
      layer: 'i32',
    },
  },
  FoldNorm: {
    opcode: 32,
    fields: {
      bias: 'place',
      columns: 'i32',
      norm: 'place',
      epsilon: 'f32',
      scale: 'place',
      folded: 'place',
    },
  },
  Activate: { opcode: 33, fields: { kind: 'i32', slope: 'f32', ld: 'i32', source: 'place', out: 'place' } },
  BiasGradient: { opcode: 34, fields: { ld: 'i32', dz: 'place', db: 'place' } },
  Softmax: {
    opcode: 40,
    fields: {
      C: 'i32',
      ld: 'i32',
      x: 'place',
      p: 'place',
      predicted: 'place',
      losses: 'place',
      smoothing: 'f32',
    },
  },
  CrossEntropyBackward: { opcode: 41, fields: { C: 'i32', ld: 'i32', p: 'place', smoothing: 'f32' } },
  Sigmoid: { opcode: 42, fields: { C: 'i32', ld: 'i32', x: 'place', p: 'place', losses: 'place' } },
  SigmoidBackward: { opcode: 43, fields: { C: 'i32', ld: 'i32', p: 'place' } },
  Regression: {
    opcode: 44,
    fields: {
      kind: 'i32',
      delta: 'f32',
      C: 'i32',
      ld: 'i32',
      x: 'place',
      p: 'place',
      losses: 'place',
    },
  },
  RegressionBackward: { opcode: 45, fields: { kind: 'i32', delta: 'f32', C: 'i32', ld: 'i32', p: 'place' } },
  UpdateDense: {
    opcode: 50,
    fields: {
      height: 'i32',
      I: 'i32',
      O: 'i32',
      a: 'place',
      b: 'place',
      kind: 'i32',
      w: 'place',
      m: 'place',
      v: 'place',
      factors: 'place',
    },
  },
  UpdateCompressed: {
    opcode: 51,
    fields: {
      width: 'i32',
      I: 'i32',
      O: 'i32',
      blocks: 'i32',
      starts: 'place',
      b: 'place',
      kind: 'i32',
      w: 'place',
      m: 'place',
      v: 'place',
      factors: 'place',
    },
  },
  Step: {
    opcode: 52,
    fields: {
      kind: 'i32',
      count: 'i32',
      w: 'place',
      g: 'place',
      m: 'place',
      v: 'place',
      factors: 'place',
    },
  },
  SquaredNorm: { opcode: 53, fields: { count: 'i32', g: 'place', partials: 'place' } },
  Clip: { opcode: 54, fields: { count: 'i32', g: 'place', partials: 'place', limit: 'f32' } },
  Average: { opcode: 55, fields: { count: 'i32', w: 'place', average: 'place', factor: 'place' } },
} as const satisfies Record<string, { opcode: number; fields: Record<string, Field> }>;

export type OperationName = keyof typeof OPERATIONS;

/** One record of the layer program. */
export interface Operation {
  readonly name: OperationName;
  /** Every thread waits for the others after this operation. */
  readonly barrier: boolean;
  /** By the names of its fields. */
  readonly args: Readonly<Record<string, Argument>>;
}

type Value<F> = F extends 'place' ? Place | null : number;

/** The arguments of an operation, by name. */
export type Arguments<N extends OperationName> = {
  readonly [F in keyof (typeof OPERATIONS)[N]['fields']]: Value<(typeof OPERATIONS)[N]['fields'][F]>;
};

/** One operation with its arguments by name; the compiler checks that none is missing. */
export function operation<N extends OperationName>(name: N, args: Arguments<N>): Operation {
  return { name, barrier: false, args: args as unknown as Record<string, Argument> };
}

/** Marks the last operation: what follows reads what these wrote. */
export function barrier(operations: readonly Operation[]): Operation[] {
  return operations.map((each, index) =>
    index === operations.length - 1 ? { ...each, barrier: true } : each,
  );
}

/** What the words of a batch are, in the order of the class Batch in assembly/abi/batch.ts; four bytes each. */
export const BATCH_WORDS = [
  'program',
  'rows',
  'order',
  'samples',
  'targets',
  'weights',
  'zeros',
  'scratch',
  'step',
  'key0',
  'key1',
  'inverse',
  'momentum',
  'carry',
  'draw',
  'augment',
] as const;
export type BatchWord = (typeof BATCH_WORDS)[number];

/** The words that are f32; the others are whole numbers. */
export const FLOAT_WORDS: readonly BatchWord[] = ['inverse', 'momentum', 'carry'];
