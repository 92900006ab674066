import { quote } from '../strict/text.js';

/** A value on the reader's stack: plain data, and descriptions of what Python would build. */
export type PickleValue = null | boolean | number | string | Uint8Array | PickleNode;

export type PickleNode = TupleNode | DictNode | GlobalNode | DtypeNode | ArrayNode | LongTextNode;

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
/** A text too long for a name: an array's bytes, a character each, as protocol 2 has them. */
export interface LongTextNode {
  kind: 'longText';
  utf8: Uint8Array;
  /** The bytes, once they were asked for. */
  encoded: Uint8Array | null;
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
/** How Python 3 writes bytes in protocol 2: `_codecs.encode(text, 'latin1')`, and `bytes()` for none. */
const ENCODE = '_codecs.encode';
const BYTES = new Set(['__builtin__.bytes', 'builtins.bytes']);
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
  const isKnown =
    RECONSTRUCT.has(full) ||
    FROM_BUFFER.has(full) ||
    BYTES.has(full) ||
    [ENCODE, NDARRAY, DTYPE].includes(full);
  if (isKnown) return { kind: 'global', name: full };
  const shown = /^[\w.]{1,80}$/.test(full) ? full : quote(full);
  return { found: `the pickle asks for ${shown}`, expected: 'numpy array reconstruction, and nothing else,' };
}

/**
 * The result of REDUCE: an array, a dtype, or bytes; `texts` keeps what was encoded, as a text may be asked for again. A state is set by BUILD, except
 * for an array of `_frombuffer`.
 */
export function reduced(
  callable: PickleValue,
  args: PickleValue,
  texts: Map<string, Uint8Array | null>,
): ArrayNode | DtypeNode | Uint8Array | Refusal {
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
    const [kind, align, copy] = items;
    const letters = kind === undefined ? kind : asText(kind);
    if (items.length === 3 && typeof letters === 'string' && isFlag(align) && isFlag(copy)) {
      return { kind: 'dtype', letters, order: null };
    }
  }
  if (name === ENCODE) {
    const bytes = items.length === 2 && items[1] === 'latin1' ? encoded(items[0]!, texts) : null;
    if (bytes !== null) return bytes;
  } else if (BYTES.has(name) && items.length === 0 && isNode(args, 'tuple')) {
    return new Uint8Array(0);
  }
  const callee = name === '' ? 'something that is no function' : name;
  return {
    found: `the pickle calls ${callee} in an unknown way`,
    expected: "numpy's call of _reconstruct, _frombuffer, dtype or encode",
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
  const [version, mark, ...rest] = items;
  const order = mark === undefined ? mark : asText(mark);
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

/** A text; one of Python 2, which is bytes, as text where it has ASCII only. */
export function asText(value: PickleValue): PickleValue {
  if (!(value instanceof Uint8Array) || value.length > 256 || value.some((byte) => byte > 0x7f)) return value;
  return String.fromCharCode(...value);
}

/** The bytes of a text in Latin-1; null where it has other characters, or is none. */
function encoded(value: PickleValue, texts: Map<string, Uint8Array | null>): Uint8Array | null {
  if (typeof value === 'string') {
    const known = texts.get(value);
    if (known !== undefined) return known;
    const bytes = latinOf(new TextEncoder().encode(value));
    texts.set(value, bytes);
    return bytes;
  }
  if (!isNode(value, 'longText')) return null;
  value.encoded ??= latinOf(value.utf8);
  return value.encoded;
}

/** The Latin-1 characters of UTF-8 as bytes; null where there are others, or it is no UTF-8. */
function latinOf(utf8: Uint8Array): Uint8Array | null {
  const bytes = new Uint8Array(utf8.length);
  let count = 0;
  for (let at = 0; at < utf8.length; at++) {
    const first = utf8[at]!;
    if (first < 0x80) bytes[count++] = first;
    else {
      const next = utf8[++at] ?? 0;
      if ((first !== 0xc2 && first !== 0xc3) || (next & 0xc0) !== 0x80) return null;
      bytes[count++] = ((first & 3) << 6) | (next & 0x3f);
    }
  }
  return bytes.subarray(0, count);
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
