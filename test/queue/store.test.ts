import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folderStore } from '../../dist/queue/folder-store.js';
import { PREFIX } from '../../dist/queue/keys.js';
import { openStore } from '../../dist/queue/open-store.js';
import { redisStore } from '../../dist/queue/redis-store.js';
import { seal, sealedStore, unseal } from '../../dist/queue/sealed.js';
import { deleteAll, type Store } from '../../dist/queue/store.js';
import { failure } from '../support/errors.js';
import { temporaryFolder } from '../support/folder.js';
import { HAS_REDIS, NO_REDIS, type RedisServer, startRedis } from '../support/redis.js';
import { HAS_S3, NO_S3, startS3 } from '../support/s3.js';

const LIFE = 60_000;
const MOST = 2 ** 24;

/** What every store has to do. */
function keepsTheContract(make: () => Promise<Store>): void {
  let store: Store;
  beforeAll(async () => {
    store = await make();
  });
  afterAll(() => store.close());
  const bytes = (...values: number[]) => Uint8Array.from(values);
  const plain = (found: Uint8Array | null) => found && Uint8Array.from(found);

  it('gives back what was put, of any size', async () => {
    for (const size of [0, 1, 1000, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3 * 2 ** 20]) {
      for (const content of [new Uint8Array(size), Uint8Array.from(randomBytes(size))]) {
        await store.put('a/of-any.size', content, LIFE);
        const found = await store.get('a/of-any.size', MOST);
        expect(createHash('sha256').update(found!).digest('hex')).toBe(
          createHash('sha256').update(content).digest('hex'),
        );
      }
    }
    await store.delete('a/of-any.size');
  });

  it('has null for what is not there, and deletes it without a word', async () => {
    expect(await store.get('b/none', MOST)).toBeNull();
    await store.delete('b/none');
    await store.put('b/one', bytes(1), LIFE);
    await store.delete('b/one');
    expect(await store.get('b/one', MOST)).toBeNull();
    expect(await store.list('b/')).toEqual([]);
  });

  it('replaces, and lists by the beginning of names, sorted', async () => {
    await store.put('c/two', bytes(2), LIFE);
    await store.put('c/one', bytes(0), LIFE);
    await store.put('c/one', bytes(1), LIFE);
    await store.put('c/deep/x+y.z', bytes(3), LIFE);
    await store.put('cc/other', bytes(4), LIFE);
    expect(plain(await store.get('c/one', MOST))).toEqual(bytes(1));
    expect(await store.list('c/')).toEqual(['c/deep/x+y.z', 'c/one', 'c/two']);
    expect(await store.list('c/t')).toEqual(['c/two']);
    await deleteAll(store, 'c');
    expect(await store.list('c')).toEqual([]);
  });

  it('forgets what has lived its time', async () => {
    await store.put('d/short', bytes(1), 1);
    await store.put('d/long', bytes(2), LIFE);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await store.get('d/short', MOST)).toBeNull();
    expect(plain(await store.get('d/long', MOST))).toEqual(bytes(2));
    await deleteAll(store, 'd/');
  });

  it('refuses more than was asked for before it is read', async () => {
    await store.put('e/large', new Uint8Array(1000), LIFE);
    expect((await store.get('e/large', 1000))!.length).toBe(1000);
    await failure('format', () => store.get('e/large', 999));
    await store.delete('e/large');
  });

  it('is whole at every moment while it is replaced', async () => {
    const content = [1, 2].map((value) => new Uint8Array(3 * 2 ** 20).fill(value));
    await store.put('f/one', content[0]!, LIFE);
    let done = false;
    const writing = (async () => {
      for (let turn = 0; turn < 6; turn++) await store.put('f/one', content[turn % 2]!, LIFE);
      done = true;
    })();
    while (!done) {
      const found = await store.get('f/one', MOST);
      expect(content.some((whole) => Buffer.compare(whole, found!) === 0)).toBe(true);
    }
    await writing;
    await store.delete('f/one');
  });
}

describe('a store in a folder', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'treadle-store-'));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  keepsTheContract(async () => folderStore(root));

  it('refuses what was changed, or stands under another name', async () => {
    const folder = await temporaryFolder();
    const store = sealedStore(folderStore(folder));
    await store.put('a', Uint8Array.of(1, 2, 3), LIFE);
    expect(await readdir(folder)).toEqual(['a']);
    const file = await readFile(join(folder, 'a'));
    await writeFile(join(folder, 'b'), file);
    expect((await failure('format', () => store.get('b', MOST))).message).toContain(
      'The object b of the store',
    );
    file[file.length - 1]! ^= 1;
    await writeFile(join(folder, 'a'), file);
    await failure('format', () => store.get('a', MOST));
    await writeFile(join(folder, 'a'), 'short');
    await failure('format', () => store.get('a', MOST));
  });

  it.each(['../a', '/a', 'a/../b', '.a', 'a//b', 'a/', '', 'a\0', 'ä'])(
    'takes no name such as %j',
    async (name) => {
      const store = sealedStore(folderStore(await temporaryFolder()));
      await expect(store.put(name, new Uint8Array(1), LIFE)).rejects.toThrow('is no name of an object');
      await expect(store.get(name, 1)).rejects.toThrow('is no name of an object');
      await expect(store.delete(name)).rejects.toThrow('is no name of an object');
    },
  );
});

describe.skipIf(!HAS_REDIS)(`a store in Redis${HAS_REDIS ? '' : `: ${NO_REDIS}`}`, () => {
  let redis: RedisServer;
  let client: Redis;
  beforeAll(async () => {
    redis = await startRedis();
    client = new Redis(redis.url);
  });
  afterAll(async () => {
    client.disconnect();
    await redis.close();
  });

  keepsTheContract(async () => redisStore(client));

  it('keeps to its bound, and counts what is gone', async () => {
    await client.flushall();
    const store = redisStore(client, 3000);
    const noise = () => Uint8Array.from(randomBytes(1400));
    await store.put('one', noise(), LIFE);
    await store.put('two', noise(), LIFE);
    const error = await failure('unwritable', () => store.put('three', noise(), LIFE));
    expect(error.message).toMatch(/has no room for three \(1,400 bytes\): it keeps at most 3,000 bytes/);
    await store.put('two', noise(), LIFE);
    await store.delete('one');
    await store.put('three', noise(), 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await store.put('four', noise(), LIFE);
    await deleteAll(store, '');
    expect(await client.keys(`${PREFIX}:store:*`)).toEqual([`${PREFIX}:store:total`]);
    expect(await client.get(`${PREFIX}:store:total`)).toBe('0');
  });

  it('reads or refuses whatever lies in Redis', async () => {
    const store = sealedStore(redisStore(client));
    const place = fc.record({
      id: fc.constantFrom('00000000-0000-0000-0000-000000000000', '../x'),
      chunks: fc.integer({ min: -1, max: 3 }),
      size: fc.integer({ min: -1, max: 200 }),
      gzip: fc.boolean(),
    });
    const runs = Number(process.env.TREADLE_QUEUE_INPUTS ?? 1000);
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          place.map((value) => JSON.stringify(value)),
          fc.string(),
        ),
        fc.uint8Array({ maxLength: 300 }),
        async (text, chunk) => {
          await client.set(`${PREFIX}:store:object:x`, text);
          for (const index of [0, 1]) {
            await client.set(
              `${PREFIX}:store:chunk:00000000-0000-0000-0000-000000000000:${index}`,
              Buffer.from(chunk),
            );
          }
          const found = await store.get('x', 100).catch((error: { code?: string }) => error.code);
          expect(found === null || found === 'format').toBe(true);
        },
      ),
      { numRuns: runs },
    );
  });
});

describe.skipIf(!HAS_S3)(`a store in S3${HAS_S3 ? '' : `: ${NO_S3}`}`, () => {
  let server: Awaited<ReturnType<typeof startS3>>;
  beforeAll(async () => {
    server = await startS3();
    process.env.AWS_ACCESS_KEY_ID = 'test';
    process.env.AWS_SECRET_ACCESS_KEY = 'test';
    const client = new S3Client({ endpoint: server.endpoint, region: 'us-east-1', forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: 'models' }));
    client.destroy();
  });
  afterAll(async () => {
    delete process.env.AWS_ACCESS_KEY_ID;
    delete process.env.AWS_SECRET_ACCESS_KEY;
    await server.close();
  });
  const open = (bucket: string) =>
    openStore(`s3://${bucket}/team?endpoint=${server.endpoint}`, null as never);

  keepsTheContract(() => open('models'));

  it('says which bucket it cannot use', async () => {
    const store = await open('none');
    const error = await failure('network', () => store.get('a', 1));
    expect(error.message).toMatch(/The store s3:\/\/none\/team\/ at \S+ cannot be used: NoSuchBucket/);
    await store.close();
  });
});

describe('the address of a store', () => {
  it.each([
    's3://',
    's3://KEY:SECRET@bucket/x',
    's3://bucket?password=x',
    's3://bucket?endpoint=ftp://x',
    'https://bucket',
    ' ',
    'file://host/x',
  ])('%j is refused, without what is secret in it', async (address) => {
    const error = await failure('usage', () => openStore(address, null as never));
    expect(error.message).toContain('--store is');
    expect(error.message).not.toMatch(/SECRET|password=x/);
  });

  it('may be a folder, as a path or as a URL', async () => {
    const folder = await temporaryFolder();
    for (const address of [folder, `file://${folder}`])
      expect((await openStore(address, null as never)).location).toBe(`file:${folder}`);
  });
});

describe('a sealed object', () => {
  it('is opened only as it was sealed', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, place, change) => {
        const sealed = seal('name', bytes);
        expect(Uint8Array.from(unseal('name', sealed))).toEqual(bytes);
        const changed = Uint8Array.from(sealed);
        changed[place % changed.length]! ^= change;
        expect(() => unseal('name', changed)).toThrow('The object name of the store');
        expect(() => unseal('other', sealed)).toThrow();
        expect(() => unseal('name', sealed.subarray(0, place % sealed.length))).toThrow();
      }),
      { numRuns: Number(process.env.TREADLE_QUEUE_INPUTS ?? 500) },
    );
  });
});
