/** A view of the same values in shared memory; the array itself when it already lies there. */
export function toShared<T extends Uint8Array | Uint16Array | Uint32Array>(array: T): T {
  if (array.buffer instanceof SharedArrayBuffer) return array;
  // A Buffer is a Uint8Array whose constructor does not take shared memory.
  const plain = array instanceof Uint8Array ? Uint8Array : array.constructor;
  const Type = plain as new (buffer: SharedArrayBuffer) => T;
  const shared = new Type(new SharedArrayBuffer(array.byteLength));
  shared.set(array);
  return shared;
}
