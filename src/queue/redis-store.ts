import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Redis } from 'ioredis';
import { TreadleError } from '#bindings';
import { formatError } from '../formats/tensor.js';
import { byteCount } from '../strict/words.js';
import { PREFIX } from './keys.js';
import type { Store } from './store.js';

/** Bytes of all objects together, as they are stored, unless another bound is asked for. */
export const DEFAULT_MAX_BYTES = 2 ** 31;

/** Bytes of one value in Redis. Larger ones would hold up everything else that is asked of it. */
const CHUNK = 2 ** 20;

/** Bytes that tell whether an object is worth packing. */
const SAMPLE = 2 ** 16;

/** Chunks that are asked for at once. */
const CHUNKS_AT_ONCE = 4;

/** How often an object is read that is replaced meanwhile. */
const ATTEMPTS = 5;

const NAMES = `${PREFIX}:store:names`;
const EXPIRY = `${PREFIX}:store:expiry`;
const SIZES = `${PREFIX}:store:sizes`;
const TOTAL = `${PREFIX}:store:total`;
const objectKey = (name: string) => `${PREFIX}:store:object:${name}`;
const chunkKey = (id: string, index: number) => `${PREFIX}:store:chunk:${id}:${index}`;

/** Forgets what has expired, then makes room for an object: 1, or 0 where there is none. The chunks expire by themselves. */
const RESERVE = `
local gone = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[3])
for _, name in ipairs(gone) do
  redis.call('DECRBY', KEYS[4], redis.call('HGET', KEYS[3], name) or 0)
  redis.call('HDEL', KEYS[3], name)
  redis.call('ZREM', KEYS[2], name)
  redis.call('ZREM', KEYS[1], name)
end
local old = tonumber(redis.call('HGET', KEYS[3], ARGV[1]) or 0)
local total = tonumber(redis.call('GET', KEYS[4]) or 0) - old + tonumber(ARGV[2])
if total > tonumber(ARGV[5]) then return 0 end
redis.call('SET', KEYS[4], total)
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[1], 0, ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
return 1`;

/** Forgets one object. */
const FORGET = `
redis.call('DECRBY', KEYS[4], redis.call('HGET', KEYS[3], ARGV[1]) or 0)
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[1], ARGV[1])
return 1`;

/** The two scripts as commands of the client, which sends each of them once. */
interface Scripts {
  treadleReserve(...args: (string | number)[]): Promise<number>;
  treadleForget(...args: string[]): Promise<number>;
}

/** How an object lies in Redis. */
interface Place {
  id: string;
  chunks: number;
  size: number;
  gzip: boolean;
}

/** A store in Redis: chunks of 1 MiB, gzip where it saves a fifth, an end to every object's life, a bound on all of them. */
export function redisStore(client: Redis, maxBytes = DEFAULT_MAX_BYTES): Store {
  const keys = [NAMES, EXPIRY, SIZES, TOTAL] as const;
  client.defineCommand('treadleReserve', { numberOfKeys: keys.length, lua: RESERVE });
  client.defineCommand('treadleForget', { numberOfKeys: keys.length, lua: FORGET });
  const scripts = client as unknown as Scripts;

  async function placeOf(name: string): Promise<Place | null> {
    const text = await client.get(objectKey(name));
    return text === null ? null : parsePlace(name, text);
  }

  async function dropChunks({ id, chunks }: Place): Promise<void> {
    for (let index = 0; index < chunks; index++) await client.unlink(chunkKey(id, index));
  }

  /** The bytes of an object; null where a part of it is gone by now. */
  async function read(name: string, place: Place, most: number): Promise<Uint8Array | null> {
    const source = `The object ${name} of the store`;
    if (place.size > most)
      throw formatError(source, `it has ${byteCount(place.size)}`, `at most ${byteCount(most)}`);
    const chunks: Buffer[] = [];
    let total = 0;
    for (let index = 0; index < place.chunks; index += CHUNKS_AT_ONCE) {
      const count = Math.min(CHUNKS_AT_ONCE, place.chunks - index);
      const names = Array.from({ length: count }, (_, at) => chunkKey(place.id, index + at));
      for (const chunk of await client.mgetBuffer(...names)) {
        if (chunk === null) return null;
        total += chunk.length;
        if (total > most + CHUNK) throw formatError(source, 'its chunks are too long', byteCount(place.size));
        chunks.push(chunk);
      }
    }
    const stored = Buffer.concat(chunks);
    const bytes = place.gzip ? await inflated(stored, place.size, source) : stored;
    if (bytes.length !== place.size)
      throw formatError(source, `it has ${byteCount(bytes.length)}`, byteCount(place.size));
    return bytes;
  }

  return {
    location: 'the Redis of the queue',
    async put(name, bytes, lifeMs) {
      const packed = await packedOf(bytes);
      const stored = packed ?? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const now = Date.now();
      const args = [name, stored.length, now, now + lifeMs, maxBytes];
      if ((await scripts.treadleReserve(...keys, ...args)) !== 1) throw full(name, stored.length, maxBytes);
      const place: Place = {
        id: randomUUID(),
        chunks: Math.ceil(stored.length / CHUNK),
        size: bytes.length,
        gzip: packed !== null,
      };
      for (let index = 0; index < place.chunks; index++) {
        const chunk = stored.subarray(index * CHUNK, (index + 1) * CHUNK);
        await client.set(chunkKey(place.id, index), chunk, 'PX', lifeMs);
      }
      // Last: until then the name has its old bytes.
      const text = await client.set(objectKey(name), JSON.stringify(place), 'PX', lifeMs, 'GET');
      const old = text === null ? null : placeOrNull(name, text);
      // It is this one where the command was sent again after a break of the connection.
      if (old !== null && old.id !== place.id) await dropChunks(old);
    },
    async get(name, most) {
      // An object that is replaced while it is read is read again.
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const place = await placeOf(name);
        if (place === null) return null;
        const bytes = await read(name, place, most);
        if (bytes !== null) return bytes;
      }
      return null;
    },
    async list(prefix) {
      const range = prefix === '' ? ['-', '+'] : [`[${prefix}`, `[${prefix}\xff`];
      const names = await client.zrangebylex(NAMES, range[0]!, range[1]!);
      if (names.length === 0) return [];
      // One that is being written, or has expired, has no bytes.
      const there = await client.mget(...names.map(objectKey));
      return names.filter((_, index) => there[index] !== null);
    },
    async delete(name) {
      const place = await placeOf(name).catch(() => null);
      await client.unlink(objectKey(name));
      await scripts.treadleForget(...keys, name);
      if (place !== null) await dropChunks(place);
    },
    async close() {},
  };
}

/**
 * The bytes in gzip where it saves a fifth, by a piece out of the middle of large ones; null otherwise. Weights it does not
 * make smaller: packing them would take longer than to send them.
 */
async function packedOf(bytes: Uint8Array): Promise<Buffer | null> {
  const pack = (part: Uint8Array) => promisify(gzip)(part, { level: 1 });
  const isWorthIt = (packed: Buffer, part: Uint8Array) => packed.length < part.length * 0.8;
  const middle = Math.max(0, Math.floor((bytes.length - SAMPLE) / 2));
  const sample = bytes.subarray(middle, middle + SAMPLE);
  const packed = await pack(sample);
  if (!isWorthIt(packed, sample)) return null;
  return sample.length === bytes.length ? packed : pack(bytes);
}

async function inflated(bytes: Uint8Array, size: number, source: string): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: Math.max(size, 1) });
  } catch (cause) {
    throw formatError(source, `it is damaged gzip (${(cause as Error).message})`, 'a whole object');
  }
}

function parsePlace(name: string, text: string): Place {
  const [, id, chunks, size, gzip] =
    /^\{"id":"([0-9a-f-]{36})","chunks":(\d{1,7}),"size":(\d{1,12}),"gzip":(true|false)\}$/.exec(text) ?? [];
  if (id === undefined)
    throw formatError(`The object ${name} of the store`, 'its place is broken', 'a place');
  return { id, chunks: Number(chunks), size: Number(size), gzip: gzip === 'true' };
}

function placeOrNull(name: string, text: string): Place | null {
  try {
    return parsePlace(name, text);
  } catch {
    return null;
  }
}

function full(name: string, size: number, maxBytes: number): TreadleError {
  return new TreadleError(
    'unwritable',
    `The store in Redis has no room for ${name} (${byteCount(size)}): it keeps at most ${byteCount(maxBytes)}; a larger --store-limit, a shared folder or S3 is expected.`,
    { subject: name, found: size, expected: maxBytes },
  );
}
