import { TreadleError } from '#bindings';

// Libraries that treadle does not bring along: whoever uses a queue installs them. They are loaded here and nowhere else.

/** Loads a library. Throws `usage` with what to install where it is missing. */
async function load<T>(name: string, packages: string, what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw cause;
    throw new TreadleError('usage', `${what} needs the package ${name}: npm install ${packages}.`, {
      subject: name,
      found: 'not installed',
      expected: `npm install ${packages}`,
      cause,
    });
  }
}

const QUEUE = ['bullmq ioredis', 'A queue'] as const;

/** What treadle uses of BullMQ. Throws `usage` where it is not installed. */
export function loadBullmq(): Promise<
  Pick<typeof import('bullmq'), 'FlowProducer' | 'Queue' | 'UnrecoverableError' | 'Worker'>
> {
  return load('bullmq', ...QUEUE, () => import('bullmq'));
}

/** The Redis client. Throws `usage` where it is not installed. */
export function loadRedis(): Promise<Pick<typeof import('ioredis'), 'Redis'>> {
  return load('ioredis', ...QUEUE, () => import('ioredis'));
}

/** The S3 client. Throws `usage` where it is not installed. */
export function loadS3(): Promise<typeof import('@aws-sdk/client-s3')> {
  const name = '@aws-sdk/client-s3';
  return load(name, name, 'A store in S3', () => import('@aws-sdk/client-s3'));
}
