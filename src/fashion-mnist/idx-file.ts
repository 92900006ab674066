import { createHash } from 'node:crypto';
import { TreadleError } from '#bindings';
import { gunzip, gunzipIdx, readIdxImages, readIdxLabels } from '../node/idx.js';
import { byteCount } from '../strict/words.js';
import { FASHION_MNIST, type IdxFileName, PUBLISHED } from './identity.js';

/** One of a dataset's four files, decompressed and found well-formed. */
export interface IdxFile {
  /** What error messages call it. */
  file: string;
  /** The decompressed IDX bytes. */
  content: Uint8Array;
  /** SHA-256 of `content`. */
  digest: Uint8Array;
}

/**
 * Decompresses one file, checks that it is the IDX file its name says, and with `verify` that it is Fashion-MNIST's.
 * Throws `format` or `range` as the IDX reader does, and `checksum` when a well-formed file is another one.
 */
export function openIdxFile(name: IdxFileName, file: string, bytes: Uint8Array, verify: boolean): IdxFile {
  const kind = name.includes('images') ? 'images' : 'labels';
  const content = verify ? inflatePublished(name, file, bytes) : gunzipIdx(bytes, file, kind);
  if (kind === 'images') readIdxImages(content, file);
  else readIdxLabels(content, file);
  const digest = createHash('sha256').update(content).digest();
  if (verify) checkPublished(name, file, content.length, digest.toString('hex'));
  return { file, content, digest };
}

/** Inflates no more than the published size. */
function inflatePublished(name: IdxFileName, file: string, bytes: Uint8Array): Uint8Array {
  const limit = PUBLISHED[name].bytes;
  try {
    return gunzip(bytes, file, limit);
  } catch (error) {
    if (!(error instanceof TreadleError && error.code === 'range')) throw error;
    throw notPublished(file, `more than ${byteCount(limit)}`, byteCount(limit));
  }
}

function checkPublished(name: IdxFileName, file: string, size: number, sha256: string): void {
  const published = PUBLISHED[name];
  if (size !== published.bytes) throw notPublished(file, byteCount(size), byteCount(published.bytes));
  if (sha256 !== published.sha256) {
    throw notPublished(file, `SHA-256 ${sha256}`, `SHA-256 ${published.sha256}`);
  }
}

function notPublished(file: string, found: string, expected: string): TreadleError {
  return new TreadleError(
    'checksum',
    `${file} has ${found}; ${FASHION_MNIST}'s file has ${expected} (another dataset needs --no-verify).`,
    { subject: file, found, expected },
  );
}
