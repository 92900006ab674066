import { TreadleError } from '#bindings';
import { quote } from '../strict/text.js';
import { type Conversions, floatArray } from './floats.js';
import { OP } from './pickle-opcodes.js';
import { readPickle } from './pickle-reader.js';
import { type ArrayState, isNode } from './pickle-values.js';
import { elementCount, type FloatTensor, formatError } from './tensor.js';

/**
 * A pickle of a dict from names to numpy arrays of floating-point numbers: what `pickle.dump` writes in Python. Written are
 * float32 arrays in C order, which `pickle.load` reads with nothing but numpy. Opcodes and frames as in CPython's
 * Lib/pickletools.py. Reading one allocates at most 400 bytes an opcode, of which there may be 200,000, and the arrays'
 * bytes four times (protocol 2 has them as text, float16 is widened, and Fortran order is turned into C order).
 */

/** A bytes object of at least this length is written outside the frames, as CPython does. */
const FRAME_TARGET = 64 * 1024;

/** Encodes arrays as a protocol-4 pickle of a dict, in the map's order. Throws `shape` when shape and data disagree. */
export function encodePickle(arrays: ReadonlyMap<string, FloatTensor>): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(OP.PROTO, 4)];
  let frame: Uint8Array[] = [];
  const closeFrame = () => {
    const length = frame.reduce((sum, part) => sum + part.length, 0);
    parts.push(Uint8Array.of(OP.FRAME, ...littleEndian(length, 8)), ...frame);
    frame = [];
  };

  frame.push(Uint8Array.of(OP.EMPTY_DICT, OP.MARK));
  for (const [name, { shape, data }] of arrays) {
    if (elementCount(shape) !== data.length) {
      const message = `Array ${quote(name)} has ${data.length} values; shape [${shape}] is expected to hold them.`;
      throw new TreadleError('shape', message, { subject: name, found: data.length, expected: shape });
    }
    frame.push(text(name), arrayHead(shape));
    if (data.byteLength >= FRAME_TARGET) closeFrame();
    const target = data.byteLength >= FRAME_TARGET ? parts : frame;
    target.push(Uint8Array.of(OP.BINBYTES, ...littleEndian(data.byteLength, 4)));
    target.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    frame.push(Uint8Array.of(OP.TUPLE, OP.BUILD));
  }
  frame.push(Uint8Array.of(OP.SETITEMS, OP.STOP));
  closeFrame();
  return joined(parts);
}

/**
 * The arrays of a pickle of a dict, by name and unread; null for an entry that is no array. Nothing in it is executed.
 * An array may have several names. Throws `format` errors that begin with `source`, the file's name.
 */
export function pickledArrays(bytes: Uint8Array, source: string): Map<string, ArrayState | null> {
  const root = readPickle(bytes, source);
  if (!isNode(root, 'dict'))
    throw formatError(source, 'the pickle holds something else', 'a dict of numpy arrays');
  const arrays = new Map<string, ArrayState | null>();
  for (const [name, node] of root.entries) {
    if (isNode(node, 'array') && node.state === null)
      throw formatError(source, `array ${quote(name)} has no content`, 'an array with a state');
    arrays.set(name, isNode(node, 'array') ? node.state : null);
  }
  // Distinct arrays share bytes only in a hostile pickle, which has far more read than it holds.
  let total = 0;
  for (const state of new Set(arrays.values())) total += state?.bytes.length ?? 0;
  if (total > bytes.length) {
    throw formatError(source, 'its arrays hold more bytes than the file', 'bytes of its own for each array');
  }
  return arrays;
}

/** Decodes a pickle of a dict of floating-point arrays. Throws `format` errors that begin with `source`, the file's name. */
export function decodePickle(bytes: Uint8Array, source: string): Map<string, FloatTensor> {
  return floatArrays(pickledArrays(bytes, source), source);
}

/** Copies of floating-point arrays as float32; throws `format` for anything else. What was converted is noted. */
export function floatArrays(
  arrays: ReadonlyMap<string, ArrayState | null>,
  source: string,
  conversions: Conversions = new Map(),
): Map<string, FloatTensor> {
  const found = new Map<string, FloatTensor>();
  const copies = new Map<ArrayState, FloatTensor>();
  for (const [name, state] of arrays) {
    if (state === null) throw formatError(source, `entry ${quote(name)} is no array`, 'a numpy array');
    const { dtype, ...array } = state;
    const copy =
      copies.get(state) ??
      floatArray({ ...array, letters: dtype.letters, order: dtype.order ?? '' }, name, source, conversions);
    copies.set(state, copy);
    found.set(name, copy);
  }
  return found;
}

/** numpy's name of an array's element type and byte order, such as `<f4`. */
export function dtypeOf({ dtype }: ArrayState): string {
  return `${dtype.order ?? ''}${dtype.letters}`;
}

/** Everything of one array up to its bytes: `_reconstruct(ndarray, (0,), b'b')`, then its state's first four items. */
function arrayHead(shape: readonly number[]): Uint8Array {
  return joined([
    // numpy 2 calls the package numpy._core and still answers to the older name.
    global('numpy.core.multiarray', '_reconstruct'),
    global('numpy', 'ndarray'),
    Uint8Array.of(OP.BININT1, 0, OP.TUPLE1, OP.SHORT_BINBYTES, 1, 0x62, OP.TUPLE3, OP.REDUCE),
    Uint8Array.of(OP.MARK, OP.BININT1, 1, OP.MARK),
    ...shape.map((size) => Uint8Array.of(OP.BININT, ...littleEndian(size, 4))),
    Uint8Array.of(OP.TUPLE),
    global('numpy', 'dtype'),
    text('f4'),
    Uint8Array.of(OP.NEWFALSE, OP.NEWTRUE, OP.TUPLE3, OP.REDUCE, OP.MARK, OP.BININT1, 3),
    text('<'),
    Uint8Array.of(OP.NONE, OP.NONE, OP.NONE),
    Uint8Array.of(OP.BININT, 255, 255, 255, 255, OP.BININT, 255, 255, 255, 255, OP.BININT1, 0),
    Uint8Array.of(OP.TUPLE, OP.BUILD, OP.NEWFALSE),
  ]);
}

function global(module: string, name: string): Uint8Array {
  return joined([text(module), text(name), Uint8Array.of(OP.STACK_GLOBAL)]);
}

function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return joined([Uint8Array.of(OP.BINUNICODE, ...littleEndian(bytes.length, 4)), bytes]);
}

function littleEndian(value: number, bytes: 4 | 8): Uint8Array {
  const encoded = new Uint8Array(8);
  new DataView(encoded.buffer).setBigUint64(0, BigInt(value), true);
  return encoded.subarray(0, bytes);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
