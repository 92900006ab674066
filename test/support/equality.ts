import { expect } from 'vitest';

/** Typed arrays of the same type and bytes are equal; for others vitest compares element by element, a thousand times slower. */
expect.addEqualityTesters([
  (a: unknown, b: unknown) => {
    if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b) || a.constructor !== b.constructor) return undefined;
    return Buffer.compare(bytes(a), bytes(b)) === 0 ? true : undefined;
  },
]);

function bytes({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
