import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { problem } from '#bindings';
import { ensureWritableFolder } from '../node/files.js';
import { folderStore } from './folder-store.js';
import { redact } from './redact.js';
import { DEFAULT_MAX_BYTES, redisStore } from './redis-store.js';
import { s3Store } from './s3-store.js';
import { sealedStore } from './sealed.js';
import type { Store } from './store.js';

/** What a store's address has to be, in words. */
export const STORE_RULE = 'redis, the path of a shared folder, or s3://BUCKET/PREFIX?endpoint=https://HOST';

/** Opens the store of an address; the queue's own Redis when none is given. Throws `usage`, `unwritable` and `network`. */
export async function openStore(
  address = 'redis',
  client: Redis,
  maxBytes = DEFAULT_MAX_BYTES,
): Promise<Store> {
  const place = storePlace(address);
  if (place === 'redis') return sealedStore(redisStore(client, maxBytes));
  if (typeof place === 'object') return sealedStore(await s3Store(place));
  await ensureWritableFolder(place);
  return sealedStore(folderStore(place));
}

/** What the address of a store leads to: Redis, a bucket, or the path of a folder. Throws `usage` for one that is none. */
export function storePlace(address: string): 'redis' | ReturnType<typeof s3Place> | string {
  if (address === 'redis') return address;
  if (address.startsWith('s3:')) return s3Place(address);
  if (/^[a-z][a-z0-9+.-]+:/i.test(address) && !address.startsWith('file:')) throw noStore(address);
  const folder = address.startsWith('file:') ? fileUrlPath(address) : address;
  if (folder.trim() === '' || folder.includes('\0')) throw noStore(address);
  return isAbsolute(folder) ? folder : resolve(folder);
}

function fileUrlPath(address: string): string {
  try {
    return fileURLToPath(address);
  } catch {
    throw noStore(address);
  }
}

function s3Place(address: string) {
  const url = URL.canParse(address) ? new URL(address) : null;
  // Keys do not belong on a command line, which every user of the machine can read.
  if (url === null || url.hostname === '' || url.username !== '' || url.password !== '')
    throw noStore(address);
  const known = new Set(['endpoint', 'region']);
  if ([...url.searchParams.keys()].some((key) => !known.has(key))) throw noStore(address);
  const endpoint = url.searchParams.get('endpoint') ?? undefined;
  if (endpoint !== undefined && (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)))
    throw noStore(address);
  const path = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, '');
  return {
    bucket: url.hostname,
    prefix: path === '' ? '' : `${path}/`,
    endpoint,
    region: url.searchParams.get('region') ?? undefined,
  };
}

function noStore(address: string) {
  return problem('usage', {
    subject: '--store',
    found: JSON.stringify(redact(address)),
    expected: STORE_RULE,
  });
}
