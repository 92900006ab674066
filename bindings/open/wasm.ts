import { BUILDS, type BuildName } from '../core/builds.js';
import { createMemory, instantiate, PAGE } from '../core/core.js';
import type { ResponseLike, UrlLike, WasmModule } from '../core/globals.js';
import { TreadleError } from '../errors/errors.js';
import { problem } from '../errors/problem.js';
import { locate } from './files.js';

/** A build of the core to compile: its bytes, its address, an answer of `fetch`, or a module that is compiled already. */
export type WasmSource = WasmModule | ArrayBuffer | Uint8Array | UrlLike | string | ResponseLike;

/** The compiled module of a build that comes with the package. Throws `not-found` or `engine`. */
export async function compileBuild(build: BuildName): Promise<WasmModule> {
  return compileBytes(await readWasm(build));
}

/**
 * The bytes of a build that comes with the package. Throws `not-found`.
 *
 * @example createHash('sha256').update(await readWasm('simd')).digest('hex');
 */
export async function readWasm(build: BuildName): Promise<Uint8Array> {
  const place = placeOf(build);
  return place instanceof Uint8Array ? place : readUrl(place);
}

/** A bundle that is no ES module may have no address that others could be found from. */
function placeOf(build: BuildName): URL | Uint8Array {
  try {
    return locate(build);
  } catch (cause) {
    throw notFound(`build/${build}.wasm`, (cause as Error).message, cause);
  }
}

/** The compiled module of a source. Throws `usage` for what is none, `not-found` or `engine`. */
export async function compileSource(source: WasmSource): Promise<WasmModule> {
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer || source instanceof Uint8Array) return compileBytes(source);
  if (isResponse(source)) return compileBytes(await bodyOf(source, source.url || 'the response'));
  if (source instanceof URL || typeof source === 'string')
    return compileBytes(await readUrl(addressOf(source)));
  throw problem('usage', {
    subject: 'wasm',
    found: source,
    expected: 'bytes, a URL, a Response or a WebAssembly.Module',
  });
}

/** The build that a module is, by what it exports and by the memory that it takes. Throws `engine` for another module. */
export function buildOf(module: WasmModule): BuildName {
  for (const [name, { relaxed, threads }] of Object.entries(BUILDS) as [
    BuildName,
    (typeof BUILDS)[BuildName],
  ][]) {
    if (name === 'debug') continue;
    const constants = tryConstants(module, name);
    if (constants !== null && constants.fused === relaxed && constants.threads === threads) return name;
  }
  throw new TreadleError('engine', 'The module given as wasm is no build of the core.', {
    subject: 'wasm',
    expected: 'a build of the core',
  });
}

function tryConstants(module: WasmModule, build: BuildName) {
  try {
    return instantiate({ build, module }, createMemory(build, PAGE)).constants;
  } catch (error) {
    // Another kind of memory than it takes; one of another version is told as such.
    if (error instanceof TreadleError) throw error;
    return null;
  }
}

/** Compiles a build's bytes. Throws `engine` when they are no module that this engine takes. */
export async function compileBytes(bytes: ArrayBuffer | Uint8Array): Promise<WasmModule> {
  try {
    return await WebAssembly.compile(bytes as BufferSource);
  } catch (cause) {
    const found = (cause as Error).message;
    const expected = 'a compiled module in loadCore({ wasm }), where the engine compiles no bytes,';
    throw new TreadleError('engine', `The core cannot be compiled (${found}); ${expected} is expected.`, {
      subject: 'core',
      found,
      expected,
      cause,
    });
  }
}

/** A page's own addresses may be relative to it. */
function addressOf(source: URL | string): URL {
  const base = (globalThis as { location?: { href: string } }).location?.href;
  try {
    return new URL(source, base);
  } catch {
    throw problem('usage', { subject: 'wasm', found: `'${source}'`, expected: 'a URL' });
  }
}

async function readUrl(url: URL): Promise<Uint8Array> {
  const files = globalThis.process?.getBuiltinModule?.('node:fs/promises');
  try {
    if (url.protocol === 'file:' && files !== undefined) return new Uint8Array(await files.readFile(url));
    return await bodyOf(await fetch(url), url.href);
  } catch (cause) {
    if (cause instanceof TreadleError) throw cause;
    throw notFound(url.href, (cause as Error).message, cause);
  }
}

async function bodyOf(response: ResponseLike, address: string): Promise<Uint8Array> {
  if (!response.ok) throw notFound(address, `status ${response.status}`);
  const bytes = new Uint8Array(
    await response.arrayBuffer().catch((cause) => {
      throw notFound(address, (cause as Error).message, cause);
    }),
  );
  const isWasm = [0, 0x61, 0x73, 0x6d].every((byte, at) => bytes[at] === byte);
  if (!isWasm)
    throw notFound(
      address,
      `no WebAssembly, but ${response.headers.get('content-type') ?? 'something else'}`,
    );
  return bytes;
}

export function notFound(address: string, found: string, cause?: unknown): TreadleError {
  const expected =
    "the package's build/*.wasm beside its code, where a bundler that copies no assets has to be given loadCore({ wasm }) or treadle/inline,";
  return new TreadleError(
    'not-found',
    `The core ${address} cannot be loaded (${found}); ${expected} is expected.`,
    {
      subject: address,
      found,
      expected,
      ...(cause !== undefined && { cause }),
    },
  );
}

function isResponse(value: unknown): value is Response {
  return typeof Response === 'function' && value instanceof Response;
}
