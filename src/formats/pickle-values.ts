import { quote } from '../strict/text.js';

/** A value on the reader's stack: plain data, and descriptions of what Python would build. */
export type PickleValue = null | boolean | number | string | Uint8Array | PickleNode;

export type PickleNode = TupleNode | DictNode | GlobalNode | DtypeNode | ArrayNode;

export interface TupleNode {
  kind: 'tuple';
  items: PickleValue[];
}
export interface DictNode {
  kind: 'dict';
  entries: Map<string, PickleValue>;
}
/** A class or function, by name only. */
export interface GlobalNode {
  kind: 'global';
  name: string;
}
/** A numpy dtype such as `<f4`: its letters, and its byte order once BUILD has set it. */
export interface DtypeNode {
  kind: 'dtype';
  letters: string;
  order: string | null;
}
/** A numpy array; its state is null until BUILD has set it. */
export interface ArrayNode {
  kind: 'array';
  state: ArrayState | null;
}
export interface ArrayState {
  shape: number[];
  dtype: DtypeNode;
  fortranOrder: boolean;
  /** A view into the pickle. */
  bytes: Uint8Array;
}

/** The globals that numpy's own pickles of arrays name; numpy 2 renamed the package `core`. */
const RECONSTRUCT = new Set(['numpy.core.multiarray._reconstruct', 'numpy._core.multiarray._reconstruct']);
/** What protocol 5 calls for a contiguous array. */
const FROM_BUFFER = new Set(['numpy.core.numeric._frombuffer', 'numpy._core.numeric._frombuffer']);
const NDARRAY = 'numpy.ndarray';
const DTYPE = 'numpy.dtype';

/** The most dimensions that numpy gives an array. */
const MAX_RANK = 64;

/** A refusal: what was found and what was expected, as two phrases of one sentence. */
export interface Refusal {
  found: string;
  expected: string;
}

/** A named global, or a refusal that says which one was asked for. */
export function globalNamed(module: string, name: string): GlobalNode | Refusal {
  const full = `${module}.${name}`;
  const isKnown = RECONSTRUCT.has(full) || FROM_BUFFER.has(full) || full === NDARRAY || full === DTYPE;
  if (isKnown) return { kind: 'global', name: full };
  const shown = /^[\w.]{1,80}$/.test(full) ? full : quote(full);
  return { found: `the pickle asks for ${shown}`, expected: 'numpy array reconstruction, and nothing else,' };
}

/** The result of REDUCE: an array or a dtype. Its state is set by BUILD, except for an array of `_frombuffer`. */
export function reduced(callable: PickleValue, args: PickleValue): ArrayNode | DtypeNode | Refusal {
  const name = isNode(callable, 'global') ? callable.name : '';
  const items = isNode(args, 'tuple') ? args.items : [];
  if (RECONSTRUCT.has(name)) {
    const [type, shape, code] = items;
    const isPlain =
      items.length === 3 &&
      isNode(type, 'global') &&
      type.name === NDARRAY &&
      isNode(shape, 'tuple') &&
      (code === 'b' || (code instanceof Uint8Array && code.length === 1 && code[0] === 0x62));
    if (isPlain) return { kind: 'array', state: null };
  } else if (FROM_BUFFER.has(name)) {
    const [bytes, dtype, shape, order] = items;
    const isPlain = items.length === 4 && (order === 'C' || order === 'F');
    const state = isPlain ? arrayState(shape, dtype, order === 'F', bytes) : null;
    if (state !== null) return { kind: 'array', state };
  } else if (name === DTYPE) {
    const [letters, align, copy] = items;
    if (items.length === 3 && typeof letters === 'string' && isFlag(align) && isFlag(copy)) {
      return { kind: 'dtype', letters, order: null };
    }
  }
  const callee = name === '' ? 'something that is no function' : name;
  return {
    found: `the pickle calls ${callee} in an unknown way`,
    expected: "numpy's call of _reconstruct, _frombuffer or dtype",
  };
}

/** Gives a dtype or an array its state, as BUILD does; returns a refusal, or null when all is well. */
export function build(target: PickleValue, state: PickleValue): Refusal | null {
  const items = isNode(state, 'tuple') ? state.items : [];
  if (isNode(target, 'dtype')) return buildDtype(target, items);
  if (isNode(target, 'array')) return buildArray(target, items);
  return { found: 'the pickle sets the state of something else', expected: 'a numpy array or dtype' };
}

/** A dtype's state after version and byte order: no sub-array, names or fields; size and alignment left open; no flags. */
const PLAIN_DTYPE = [null, null, null, -1, -1, 0];

/** State of a plain dtype: version 3, byte order, and the rest as above. */
function buildDtype(target: DtypeNode, items: readonly PickleValue[]): Refusal | null {
  const [version, order, ...rest] = items;
  const isPlain = version === 3 && typeof order === 'string' && equal(rest, PLAIN_DTYPE);
  if (!isPlain || target.order !== null) {
    return {
      found: `dtype ${quote(target.letters)} has an unknown state`,
      expected: 'a plain number type of version 3',
    };
  }
  target.order = order;
  return null;
}

/** State of an array: version 1, shape, dtype, whether in Fortran order, bytes. */
function buildArray(target: ArrayNode, items: readonly PickleValue[]): Refusal | null {
  const [version, shape, dtype, fortranOrder, bytes] = items;
  const isState = items.length === 5 && version === 1;
  const state = isState ? arrayState(shape, dtype, fortranOrder, bytes) : null;
  if (state === null || target.state !== null) {
    return {
      found: 'an array has an unknown state',
      expected: 'one of version, shape, dtype, order and bytes',
    };
  }
  target.state = state;
  return null;
}

/** An array's state; null when a part is not what numpy writes there. */
function arrayState(
  shape: PickleValue | undefined,
  dtype: PickleValue | undefined,
  fortranOrder: PickleValue | undefined,
  bytes: PickleValue | undefined,
): ArrayState | null {
  const isState =
    isNode(shape, 'tuple') &&
    shape.items.length <= MAX_RANK &&
    shape.items.every((size): size is number => typeof size === 'number' && size >= 0) &&
    isNode(dtype, 'dtype') &&
    typeof fortranOrder === 'boolean' &&
    bytes instanceof Uint8Array;
  return isState ? { shape: shape.items as number[], dtype, fortranOrder, bytes } : null;
}

/** Whether a value is a node of the given kind. */
export function isNode<K extends PickleNode['kind']>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<PickleNode, { kind: K }> {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;
}

function equal(found: readonly PickleValue[], expected: readonly PickleValue[]): boolean {
  return found.length === expected.length && found.every((value, index) => value === expected[index]);
}

/** Python wrote these as True and False or, before numpy 1.17, as 1 and 0. */
function isFlag(value: PickleValue | undefined): boolean {
  return typeof value === 'boolean' || value === 0 || value === 1;
}
