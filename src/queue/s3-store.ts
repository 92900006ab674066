import { TreadleError } from '#bindings';
import { formatError } from '../formats/tensor.js';
import { byteCount } from '../strict/words.js';
import { loadS3 } from './modules.js';
import { redact } from './redact.js';
import type { Store } from './store.js';

/** Where objects lie in S3. */
export interface S3Place {
  bucket: string;
  /** What every key begins with: empty, or with a slash at its end. */
  prefix: string;
  /** Of a server that is not Amazon's. */
  endpoint: string | undefined;
  region: string | undefined;
}

/** The metadata that says when an object's life ends, in milliseconds since 1970. */
const EXPIRY = 'treadle-expires';

/**
 * A store in S3, or in what speaks its protocol. Keys come from the environment or the machine, as for every program of
 * Amazon's. An object that has expired is not given any more; a rule of the bucket has to remove what nobody asks for.
 * Throws `usage` where the client is not installed.
 */
export async function s3Store({ bucket, prefix, endpoint, region }: S3Place): Promise<Store> {
  const { S3Client, PutObjectCommand, GetObjectCommand, DeleteObjectCommand, paginateListObjectsV2 } =
    await loadS3();
  const client = new S3Client({
    region: region ?? process.env.AWS_REGION ?? 'us-east-1',
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
  });
  const location = `s3://${bucket}/${prefix}${endpoint === undefined ? '' : ` at ${redact(endpoint)}`}`;
  const at = (name: string) => ({ Bucket: bucket, Key: prefix + name });
  const orTold = async <T>(action: () => Promise<T>): Promise<T> => {
    try {
      return await action();
    } catch (cause) {
      if (cause instanceof TreadleError) throw cause;
      const { name, message } = cause as Error;
      const found = redact(`${name}: ${message}`);
      throw new TreadleError(
        'network',
        `The store ${location} cannot be used: ${found}; a bucket that may be read and written is expected.`,
        { subject: location, found, expected: 'a bucket that may be read and written' },
      );
    }
  };
  return {
    location,
    put: (name, bytes, lifeMs) =>
      orTold(async () => {
        const Metadata = { [EXPIRY]: String(Date.now() + lifeMs) };
        await client.send(new PutObjectCommand({ ...at(name), Body: bytes, Metadata }));
      }),
    get: (name, maxBytes) =>
      orTold(async () => {
        const found = await client.send(new GetObjectCommand(at(name))).catch((error: Error) => {
          if (error.name === 'NoSuchKey' || error.name === 'NotFound') return null;
          throw error;
        });
        if (found === null || found.Body === undefined) return null;
        const size = found.ContentLength ?? 0;
        if (size > maxBytes) {
          (found.Body as { destroy?: () => void }).destroy?.();
          throw formatError(
            `The object ${name} of the store`,
            `it has ${byteCount(size)}`,
            `at most ${byteCount(maxBytes)}`,
          );
        }
        const bytes = await found.Body.transformToByteArray();
        return Number(found.Metadata?.[EXPIRY] ?? 0) > Date.now() ? bytes : null;
      }),
    list: (start) =>
      orTold(async () => {
        const names: string[] = [];
        const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix + start });
        for await (const { Contents = [] } of pages) {
          for (const { Key } of Contents) if (Key !== undefined) names.push(Key.slice(prefix.length));
        }
        return names.sort();
      }),
    delete: (name) => orTold(async () => void (await client.send(new DeleteObjectCommand(at(name))))),
    close: async () => client.destroy(),
  };
}
