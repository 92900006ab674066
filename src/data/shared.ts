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

/** Memory below this is left to the garbage collector: it may be part of a pool. */
const WORTH_RELEASING = 1 << 20;

/**
 * Gives an array's memory back at once instead of when the garbage collector next runs; the array is empty afterwards.
 * The memory is sent to a port that nobody holds the other end of.
 */
export function release(array: Uint8Array): void {
  const { buffer } = array;
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength < WORTH_RELEASING) return;
  const { port1, port2 } = new MessageChannel();
  port2.close();
  port1.postMessage(null, [buffer]);
  port1.close();
}

/** Images and their labels in shared memory, where threads read the same bytes; what lies there is not copied. */
export function sharedSamples({ images, labels }: { images: Uint8Array; labels: Uint8Array }) {
  return { images: toShared(images), labels: toShared(labels) };
}
