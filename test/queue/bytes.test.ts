import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAll } from '../../dist/experiment/run-all.js';
import { temporaryFolder } from '../support/folder.js';
import { HAS_REDIS, NO_REDIS, type RedisServer, startRedis } from '../support/redis.js';
import { figuresOf, runByQueue, runOptions, Workers, weightDigests } from './runs.js';

describe.skipIf(!HAS_REDIS)(`a run by way of a queue${HAS_REDIS ? '' : `: ${NO_REDIS}`}`, () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.close());

  it('gives the bytes and figures of a local one, whatever worker trains what', async () => {
    const local = await temporaryFolder();
    const own = await runOptions(local);
    const expected = await runAll(own);
    const folder = await temporaryFolder();
    const options = await runOptions(folder);
    const workers = new Workers();
    try {
      await workers.add(redis.url, folder);
      await workers.add(redis.url, folder, { jobs: 2, threads: 2 });
      const outcome = await runByQueue(redis.url, options);
      expect(figuresOf(outcome)).toEqual(figuresOf(expected));
      expect(await weightDigests(options.weights!)).toEqual(await weightDigests(own.weights!));
    } finally {
      await workers.end();
    }
  });
});
