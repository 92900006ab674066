import { formatError } from './tensor.js';

/** Reads a pickle's bytes in order, never past the end of the file or of the present frame. */
export interface PickleCursor {
  /** The byte to be read next. */
  position(): number;
  /** An unsigned little-endian integer of 1, 2, 4 or 8 bytes. */
  uint(bytes: 1 | 2 | 4 | 8): number;
  /** A signed little-endian 32-bit integer. */
  int32(): number;
  /** A view of the next bytes; `length` is checked first. */
  take(length: number): Uint8Array;
  /** The next bytes as UTF-8; at most MAX_TEXT. */
  text(length: number): string;
  /** The rest of the line as UTF-8, without its newline; at most MAX_TEXT. */
  line(): string;
  /** Opens a frame over the next bytes; frames do not nest. */
  openFrame(length: number): void;
  /** Whether every byte of the file, and of its frames, has been read. */
  atEnd(): boolean;
}

/** The longest text in bytes: texts are names of arrays, globals and types. */
const MAX_TEXT = 4096;

/** Makes a cursor at the first byte. Its methods throw `format` errors that begin with `source`. */
export function pickleCursor(bytes: Uint8Array, source: string): PickleCursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  // One for all texts: making one takes longer than decoding a name.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let at = 0;
  let frameEnd = 0;

  /** Moves past `length` bytes and returns where they begin. */
  function advance(length: number): number {
    const inFrame = at < frameEnd;
    const limit = inFrame ? frameEnd : bytes.length;
    if (length > limit - at) {
      const what = inFrame ? 'its frame' : 'the file';
      throw formatError(
        source,
        `the pickle needs ${length} bytes at byte ${at}, and ${what} ends at ${limit}`,
        'a complete pickle',
      );
    }
    at += length;
    return at - length;
  }

  function take(length: number): Uint8Array {
    const start = advance(length);
    return bytes.subarray(start, start + length);
  }

  function uint(size: 1 | 2 | 4 | 8): number {
    const start = advance(size);
    if (size === 1) return view.getUint8(start);
    if (size === 2) return view.getUint16(start, true);
    if (size === 4) return view.getUint32(start, true);
    // Above 2^53 the rounding does not matter: no file is that long.
    return Number(view.getBigUint64(start, true));
  }

  function text(length: number): string {
    const start = at;
    if (length > MAX_TEXT) {
      throw formatError(
        source,
        `the pickle has a text of ${length} bytes at byte ${start}`,
        `at most ${MAX_TEXT}`,
      );
    }
    try {
      return decoder.decode(take(length));
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw formatError(source, `the pickle's text at byte ${start} is not valid UTF-8`, 'UTF-8 text');
    }
  }

  return {
    position: () => at,
    uint,
    int32: () => view.getInt32(advance(4), true),
    take,
    text,
    line() {
      const end = bytes.subarray(at, at + MAX_TEXT + 1).indexOf(0x0a);
      const line = text(end === -1 ? Math.min(bytes.length - at, MAX_TEXT + 1) : end);
      advance(1);
      return line;
    },
    openFrame(length) {
      if (at < frameEnd)
        throw formatError(source, `a frame opens inside another at byte ${at}`, 'one after it');
      if (length > bytes.length - at) {
        const found = `a frame of ${length} bytes begins at byte ${at} of ${bytes.length}`;
        throw formatError(source, found, 'a frame that ends in the file');
      }
      frameEnd = at + length;
    },
    atEnd: () => at === bytes.length,
  };
}
