import type { Redis } from 'ioredis';
import { TreadleError } from '#bindings';
import type { QueueAddress } from './address.js';
import { loadRedis } from './modules.js';
import { redact } from './redact.js';

/** How a connection behaves. */
export interface ConnectOptions {
  /** Milliseconds that it is tried again once it is lost; for ever when left out. */
  patienceMs?: number;
  /** Milliseconds that it is tried again until it opens: a Redis that is being started answers a moment later. */
  firstMs?: number;
  /** Told once when it is lost, and once when it is back. */
  log?: ((line: string) => void) | undefined;
}

/** See `firstMs`. */
const FIRST_MS = 3000;

/** Milliseconds that one attempt may take. */
const ATTEMPT_MS = 10_000;

/** Longest pause between two attempts, in milliseconds. */
const LONGEST_PAUSE = 2000;

/**
 * A connection to the queue's Redis, open and allowed in. Once lost it is opened again, and what was asked meanwhile is
 * asked then. Throws `network` when nobody answers, and `usage` where the user or the password is refused.
 */
export async function connect(
  address: QueueAddress,
  { patienceMs, firstMs = FIRST_MS, log }: ConnectOptions = {},
): Promise<Redis> {
  const { Redis } = await loadRedis();
  const until = Date.now() + firstMs;
  let isOpen = false;
  let lostAt = 0;
  let last: Error | null = null;
  const client = new Redis(address.url, {
    lazyConnect: true,
    connectTimeout: Math.min(ATTEMPT_MS, Math.max(firstMs, 1000)),
    maxRetriesPerRequest: null,
    retryStrategy: (times) => {
      if (!isOpen) return Date.now() < until && !isRefusal(last) ? times * 50 : null;
      if (patienceMs !== undefined && lostAt !== 0 && Date.now() - lostAt > patienceMs) return null;
      return Math.min(times * 100, LONGEST_PAUSE);
    },
  });
  client.on('error', (error: Error) => {
    last = error;
  });
  try {
    await opened(client, () => last);
    await client.ping();
  } catch (error) {
    client.disconnect();
    throw queueError(address, last ?? error);
  }
  isOpen = true;
  client.on('close', () => {
    if (lostAt !== 0 || client.status === 'end') return;
    lostAt = Date.now();
    log?.(`The queue at ${address.shown} cannot be reached; trying again.`);
  });
  client.on('ready', () => {
    if (lostAt !== 0) log?.(`The queue at ${address.shown} is back.`);
    lostAt = 0;
  });
  return client;
}

/** Resolves when the client is ready, and rejects when it gives up or is not allowed in. */
async function opened(client: Redis, reason: () => Error | null): Promise<void> {
  const ended = new Promise<never>((_, reject) => {
    client.once('end', () => reject(reason() ?? new Error('no connection')));
  });
  const ready = new Promise<void>((resolve) => client.once('ready', () => resolve()));
  client.connect().catch(() => {}); // The first attempt's end; others may follow.
  await Promise.race([ready, ended]);
}

/** What Redis answers to a user or a password that it does not know. */
const REFUSED = /\b(WRONGPASS|NOAUTH|NOPERM|invalid password|no password is set)\b/i;

const isRefusal = (error: Error | null) => error !== null && REFUSED.test(error.message);

/** An error of the queue's Redis in one sentence, without credentials. */
export function queueError(address: QueueAddress, cause: unknown): TreadleError {
  if (cause instanceof TreadleError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  const said = redact(message || code || String(cause), address.secrets);
  const subject = `the queue at ${address.shown}`;
  if (REFUSED.test(said)) {
    return new TreadleError(
      'usage',
      `The queue at ${address.shown} refuses the user or the password; those that its Redis knows are expected.`,
      { subject, found: 'refused', expected: 'a user and a password that Redis knows' },
    );
  }
  return new TreadleError(
    'network',
    `The queue at ${address.shown} cannot be used: ${said}; a Redis server that answers is expected.`,
    { subject, found: said, expected: 'a Redis server that answers' },
  );
}
