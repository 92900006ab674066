// Counts what a call allocates: the bytes of every typed array, buffer and inflated result as they are asked for, the
// memory that instances of WebAssembly have come to, and the growth of the JavaScript heap. To be installed before the
// code that is measured is imported, as modules may keep a constructor they found when they were loaded.
import { syncBuiltinESMExports } from 'node:module';
import { getHeapStatistics } from 'node:v8';
import zlib from 'node:zlib';

let counted = 0;
let budget = Number.POSITIVE_INFINITY;
let refused = 0;
/** Depth of calls whose inner allocations are counted by their result. */
let inside = 0;
let heapBefore = 0;
/** Memories of the instances that were made. */
let memories = [];

function count(bytes) {
  if (inside > 0) return;
  counted += bytes;
  if (counted <= budget) return;
  refused = Math.max(refused, counted);
  throw new Error(`the meter refuses ${counted} bytes, more than ${budget}`);
}

/** Replaces the constructors and functions that allocate memory outside the heap by ones that count. */
export function installMeter() {
  const typedArrays = [
    Uint8Array,
    Int8Array,
    Uint8ClampedArray,
    Uint16Array,
    Int16Array,
    Uint32Array,
    Int32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ];
  for (const original of [...typedArrays, ArrayBuffer, SharedArrayBuffer]) {
    const size = original.BYTES_PER_ELEMENT ?? 1;
    globalThis[original.name] = new Proxy(original, {
      construct(target, args, newTarget) {
        const [first] = args;
        if (typeof first === 'number') count(first * size);
        const made = Reflect.construct(
          target,
          args,
          newTarget === globalThis[original.name] ? target : newTarget,
        );
        if (typeof first === 'object' && !isBuffer(first)) count(made.byteLength);
        return made;
      },
    });
  }
  const prototype = Object.getPrototypeOf(Uint8Array.prototype);
  for (const name of ['slice', 'map', 'filter']) countResult(prototype, name, (made) => made.byteLength);
  for (const name of ['alloc', 'allocUnsafe', 'allocUnsafeSlow', 'from', 'concat']) {
    countResult(Buffer, name, (made) => made.byteLength);
  }
  for (const name of ['gunzipSync', 'inflateSync']) {
    countResult(zlib, name, (made) => (made.buffer instanceof ArrayBuffer ? made : made.buffer).byteLength);
  }
  syncBuiltinESMExports();
  WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
    construct(target, args) {
      const instance = Reflect.construct(target, args);
      memories.push(instance.exports.memory);
      return instance;
    },
  });
}

function isBuffer(value) {
  return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer;
}

/** Counts what a function returns, and nothing of what it allocates on the way. */
function countResult(owner, name, sizeOf) {
  const original = owner[name];
  owner[name] = function (...args) {
    inside++;
    let made;
    try {
      made = original.apply(this, args);
    } finally {
      inside--;
    }
    count(sizeOf(made));
    return made;
  };
}

/** Starts to count; an allocation beyond `limit` bytes in all is refused before it is made. */
export function startMeter(limit) {
  counted = 0;
  refused = 0;
  memories = [];
  budget = limit;
  heapBefore = getHeapStatistics().used_heap_size;
}

/** Ends the count: the bytes allocated; those refused are in it. The heap counts as zero when it was collected. */
export function stopMeter() {
  const heap = Math.max(0, getHeapStatistics().used_heap_size - heapBefore);
  budget = Number.POSITIVE_INFINITY;
  const grown = memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  return Math.max(counted, refused) + grown + heap;
}
