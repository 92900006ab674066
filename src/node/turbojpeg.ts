/**
 * libjpeg-turbo, compiled to WebAssembly with the interface that it calls TurboJPEG. Every image has an instance of its
 * own: nothing of a hostile file outlives it, and the build cannot clean up after an error, for want of `longjmp`.
 */
import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';

/** TurboJPEG's numbers of the pixels that it writes. */
const PIXELS = { 1: 6, 3: 0, 4: 11 } as const;

/** Samples of a pixel: grey, red-green-blue, or cyan-magenta-yellow-key as they are stored. */
export type Channels = keyof typeof PIXELS;

/** What is called of the library: pointers are places in its memory. */
interface Library {
  memory: WebAssembly.Memory;
  malloc(bytes: number): number;
  tjInitDecompress(): number;
  tjDecompress2(
    handle: number,
    jpeg: number,
    bytes: number,
    out: number,
    width: number,
    pitch: number,
    height: number,
    pixels: number,
    flags: number,
  ): number;
}

/** The last error or first warning is written over this text; the place is the same in every instance. */
const NO_MESSAGE = 'No error\0';

/** Bytes between the image and the next marker are no harm: cameras leave some. */
const HARMLESS = /extraneous bytes before marker/;

let loaded: { module: WebAssembly.Module; message: number } | undefined;

/**
 * The pixels of a JPEG at its size times `scale` eighths, rounded up, of which it is `width` and `height`: a view of
 * (height, width, channels) bytes. Takes the file, the pixels and, where it has several scans, two bytes for each of
 * its coefficients. Throws a plain Error in the library's words for a damaged file.
 */
export function decompress(jpeg: Uint8Array, width: number, height: number, channels: Channels): Uint8Array {
  loaded ??= load();
  const library = start(loaded.module);
  const text = () => messageOf(library.memory, loaded!.message);
  const input = allocate(library, jpeg.length);
  const size = width * height * channels;
  const output = allocate(library, size);
  new Uint8Array(library.memory.buffer).set(jpeg, input);
  const handle = library.tjInitDecompress();
  let state: number;
  try {
    const pixels = PIXELS[channels];
    state = library.tjDecompress2(handle, input, jpeg.length, output, width, 0, height, pixels, 0);
  } catch (error) {
    throw error instanceof Stopped ? new Error(text()) : error;
  }
  if (state !== 0 && !HARMLESS.test(text())) throw new Error(text());
  return new Uint8Array(library.memory.buffer, output, size);
}

/** What the library throws through its own calls when it gives up. */
class Stopped extends Error {}

const none = () => 0;
const IMPORTS = {
  env: {
    setjmp: none,
    longjmp() {
      throw new Stopped();
    },
  },
  wasi_snapshot_preview1: {
    proc_exit: none,
    environ_sizes_get: none,
    environ_get: none,
    fd_close: none,
    fd_seek: none,
    fd_write: none,
  },
};

function start(module: WebAssembly.Module): Library {
  return new WebAssembly.Instance(module, IMPORTS).exports as unknown as Library;
}

function load(): { module: WebAssembly.Module; message: number } {
  const packed = readFileSync(new URL('../vendor/jpeg-turbo.wasm.br', import.meta.url));
  const module = new WebAssembly.Module(new Uint8Array(brotliDecompressSync(packed)));
  return { module, message: Buffer.from(start(module).memory.buffer).lastIndexOf(NO_MESSAGE) };
}

function messageOf({ buffer }: WebAssembly.Memory, at: number): string {
  const bytes = Buffer.from(buffer, at);
  return bytes.toString('latin1', 0, bytes.indexOf(0));
}

function allocate({ malloc }: Library, bytes: number): number {
  const at = malloc(bytes);
  if (at === 0) throw new Error(`no memory for ${bytes} bytes`);
  return at;
}
