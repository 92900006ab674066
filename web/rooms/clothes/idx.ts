/** The content of an IDX file of bytes. */
export interface IdxContent {
  /** Such as [count, height, width]. */
  sizes: readonly number[];
  /** Shared memory where the page may share it, so that the worker need not have a copy. */
  bytes: Uint8Array;
}

/** Bytes of a file at an address, unpacked if they are gzip; some hosts unpack such files themselves. */
async function unpacked(address: string): Promise<ReadableStream<Uint8Array>> {
  const response = await fetch(address);
  const blob = response.ok ? await response.blob() : new Blob();
  const [first, second] = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  const isGzip = first === 0x1f && second === 0x8b;
  return isGzip ? blob.stream().pipeThrough(new DecompressionStream('gzip')) : blob.stream();
}

/** Reads an IDX file of bytes with so many dimensions, chunk by chunk. Throws for an answer that is no such file. */
export async function fetchIdx(address: string, dimensions: 1 | 3): Promise<IdxContent> {
  const headLength = 4 + 4 * dimensions;
  let head = new Uint8Array(0);
  let content: IdxContent | null = null;
  let filled = 0;
  const reader = (await unpacked(address)).getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    let chunk = read.value;
    if (content === null) {
      const joined = new Uint8Array(head.length + chunk.length);
      joined.set(head);
      joined.set(chunk, head.length);
      head = joined;
      if (head.length < headLength) continue;
      content = empty(address, head, dimensions);
      chunk = head.subarray(headLength);
    }
    if (filled + chunk.length > content.bytes.length) throw unfit(address, 'more bytes than it announces');
    content.bytes.set(chunk, filled);
    filled += chunk.length;
  }
  if (content === null) throw unfit(address, 'no file');
  if (filled < content.bytes.length) throw unfit(address, 'fewer bytes than it announces');
  return content;
}

/** Memory for what a head announces. */
function empty(address: string, head: Uint8Array, dimensions: number): IdxContent {
  const view = new DataView(head.buffer);
  if (view.getUint32(0) !== 0x800 + dimensions) throw unfit(address, 'another kind of file');
  const sizes = Array.from({ length: dimensions }, (_, at) => view.getUint32(4 + 4 * at));
  const length = sizes.reduce((product, size) => product * size, 1);
  if (length === 0 || length > 2 ** 28) throw unfit(address, `sizes of ${sizes.join(' x ')}`);
  const memory = crossOriginIsolated ? new SharedArrayBuffer(length) : new ArrayBuffer(length);
  return { sizes, bytes: new Uint8Array(memory) };
}

function unfit(address: string, found: string): Error {
  const file = new URL(address, location.href).pathname;
  return new Error(`${file} beside this page is ${found}; an IDX file of Fashion-MNIST is expected.`);
}
