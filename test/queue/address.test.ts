import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TreadleError } from '../../dist/bindings/host.js';
import { queueAddress } from '../../dist/queue/address.js';
import { connect } from '../../dist/queue/connect.js';
import { redact } from '../../dist/queue/redact.js';
import { failure } from '../support/errors.js';
import { freePort, HAS_REDIS, type RedisServer, startRedis } from '../support/redis.js';

describe('redact', () => {
  it.each([
    ['redis://host/0', 'redis://host/0'],
    ['redis://:secret@host:6379/0', 'redis://***@host:6379/0'],
    ['at rediss://user:se@cret@host, and s3://k:v@b', 'at rediss://***@host, and s3://***@b'],
    ['redis://u:a/b@host', 'redis://***@host'],
    ['https://h/?password=x&y=1&secret_key=z', 'https://h/?password=***&y=1&secret_key=***'],
    ['write to someone@example.org', 'write to someone@example.org'],
  ])('%s', (text, expected) => expect(redact(text)).toBe(expected));

  it('leaves nothing of a password in any sentence about any address', () => {
    const character = fc.constantFrom(...'abcXYZ019-_.~!*()/@:%?#&=+'.split(''));
    const password = fc.string({ unit: character, minLength: 8, maxLength: 20 }).map((text) => `Q${text}Q`);
    fc.assert(
      fc.property(password, fc.constantFrom('redis', 'rediss', 's3'), (secret, protocol) => {
        const url = `${protocol}://user:${secret}@host:6379/0`;
        expect(redact(`Could not reach ${url} (${url}): refused.`)).not.toContain(secret);
        expect(redact(`AUTH user ${secret}`, [secret])).not.toContain(secret);
      }),
      { numRuns: Number(process.env.TREADLE_QUEUE_INPUTS ?? 2000) },
    );
  });
});

describe("a queue's address", () => {
  it.each(['redis://host', 'redis://host:6380/3', 'rediss://user:p%40ss@host', 'redis://[::1]:6379'])(
    '%s is one',
    (url) => expect(queueAddress(url).url).toBe(url),
  );

  it.each([
    '',
    'host:6379',
    'http://host',
    'redis:',
    'redis://',
    'redis://h/x',
    'redis://h?tls=1',
    'redis://h#a',
  ])('%j is none', async (url) => {
    const error = await failure('usage', () => queueAddress(url));
    expect(error.message).toMatch(
      /^--queue is ".*"; an address such as redis:\/\/HOST:6379\/0 .+ is expected\.$/,
    );
  });

  it('is refused without its password', async () => {
    const error = await failure('usage', () => queueAddress('redis://user:topsecret@host/x'));
    expect(JSON.stringify({ ...error, message: error.message, stack: error.stack })).not.toContain(
      'topsecret',
    );
  });

  it('knows its password however it is written', () => {
    expect(queueAddress('redis://:p%40ss%20word@host').secrets).toEqual(['p%40ss%20word', 'p@ss word']);
    expect(queueAddress('redis://:p%4ass%zz@host').secrets).toEqual(['p%4ass%zz', 'p%4ass%zz']);
  });
});

describe.skipIf(!HAS_REDIS)('a connection', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis({ password: 'right/one' });
  });
  afterAll(() => redis.close());

  /** All that an error says, its causes too. */
  const allOf = (error: Error): string =>
    `${error.message} ${error.stack} ${JSON.stringify(error)} ${error.cause instanceof Error ? allOf(error.cause) : ''}`;

  it('opens with the right password', async () => {
    const client = await connect(queueAddress(redis.url));
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
  });

  it.each([
    ['a wrong password', (port: number) => `redis://:wrongsecret@127.0.0.1:${port}`],
    ['an unknown user', (port: number) => `redis://somebody:wrongsecret@127.0.0.1:${port}`],
    ['no password', (port: number) => `redis://127.0.0.1:${port}`],
  ])('with %s is refused in one sentence without it', async (_, url) => {
    const error = await failure('usage', () => connect(queueAddress(url(redis.port))));
    expect(error.message).toMatch(
      /^The queue at redis:\/\/\S+ refuses the user or the password; .+ expected\.$/,
    );
    expect(allOf(error)).not.toContain('wrongsecret');
  });

  it('to nobody is refused in one sentence', async () => {
    const url = `redis://:wrongsecret@127.0.0.1:${await freePort()}`;
    const error = await failure('network', () => connect(queueAddress(url)));
    expect(error.message).toMatch(
      /cannot be used: .*ECONNREFUSED.*; a Redis server that answers is expected\.$/,
    );
    expect(allOf(error)).not.toContain('wrongsecret');
    expect(error).toBeInstanceOf(TreadleError);
  });

  it('to a Redis that is being started is opened once it answers', async () => {
    const late = await startRedis();
    try {
      await late.stop();
      const opening = connect(queueAddress(late.url), { firstMs: 30_000 });
      await late.start();
      const client = await opening;
      expect(await client.ping()).toBe('PONG');
      client.disconnect();
    } finally {
      await late.close();
    }
  });

  it('by TLS to a server without it is refused', async () => {
    await failure('network', () =>
      connect(queueAddress(`rediss://:wrongsecret@127.0.0.1:${redis.port}`), { firstMs: 300 }),
    );
  });
});
