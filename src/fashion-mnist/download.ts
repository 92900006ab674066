import { type AbortSignalLike, TreadleError } from '#bindings';
import { withTimeout } from '../strict/abort.js';
import { byteCount } from '../strict/words.js';
import type { FetchedFiles } from './cache.js';
import { DOWNLOAD_ROOT, IDX_FILES, type IdxFileName, PUBLISHED } from './identity.js';
import { openIdxFile } from './idx-file.js';

/** How gzip's worst case, stored blocks, may exceed the content: a header and five bytes every 64 KiB, rounded up. */
const GZIP_OVERHEAD = 64 * 1024;

/** What `fetch` answers, as far as it is used. */
interface Answer {
  readonly ok: boolean;
  readonly status: number;
  readonly body: {
    getReader(): {
      read(): Promise<{ done: false; value: Uint8Array } | { done: true }>;
      cancel(): Promise<void>;
    };
    cancel(): Promise<void>;
  } | null;
}

/** The global `fetch`, or one in its place; the options hold an AbortSignal as `signal`. */
export type Fetch = (address: string, options: object) => Promise<Answer>;

/**
 * Downloads Fashion-MNIST's four gzip files over HTTPS and verifies each. All four together may take `timeoutMs`.
 * Throws `network` when a file cannot be fetched, is too large or is late, `format` or `checksum` when what arrived is
 * not the published file, and `interrupted` when the signal aborts.
 */
export async function downloadFiles(
  fetch: Fetch,
  timeoutMs: number,
  signal?: AbortSignalLike,
): Promise<FetchedFiles> {
  const files: Partial<Record<IdxFileName, Uint8Array>> = {};
  await withTimeout(signal, timeoutMs, async (end) => {
    for (const name of IDX_FILES) {
      const address = `${DOWNLOAD_ROOT}${name}.gz`;
      const bytes = await downloadOne(fetch, address, PUBLISHED[name].bytes + GZIP_OVERHEAD, end);
      openIdxFile(name, address, bytes, true);
      files[name] = bytes;
    }
  });
  return files as FetchedFiles;
}

async function downloadOne(
  fetch: Fetch,
  address: string,
  limit: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  try {
    const response = await fetch(address, { signal });
    if (!response.ok) {
      await response.body?.cancel();
      throw failed(address, `HTTP status ${response.status}`);
    }
    return await readBody(response, address, limit);
  } catch (error) {
    if (error instanceof TreadleError) throw error;
    throw failed(address, reason(error), error);
  }
}

async function readBody(response: Answer, address: string, limit: number): Promise<Uint8Array> {
  const reader = response.body?.getReader();
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    total += part.value.length;
    if (total > limit) {
      await reader?.cancel();
      throw failed(address, `more than ${byteCount(limit)}`);
    }
    chunks.push(part.value);
  }
  return Buffer.concat(chunks);
}

/** fetch hides why it failed (a name that does not resolve, a refused connection) in its error's cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'too slow';
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function failed(address: string, found: string, cause?: unknown): TreadleError {
  return new TreadleError('network', `${address} could not be downloaded (${found}); a file is expected.`, {
    subject: address,
    found,
    expected: 'the file',
    cause,
  });
}
