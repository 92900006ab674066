import { unzipSync } from 'fflate/browser';
import { TreadleError } from '#bindings';
import { quote } from '../strict/text.js';
import { crc32 } from './crc.js';
import { formatError } from './tensor.js';
import { statedChecksums } from './zip-sums.js';

/** How much larger than a zip what is in it may be; zeros alone can be packed a thousandfold. */
const MOST_EXPANSION = 40;
const SLACK = 1 << 20;

/**
 * The files of a zip by name. Throws `format` for one that cannot be unpacked, is damaged, has a name twice, or holds more than
 * 40 times its bytes and 1 MiB; `content` is what it should hold.
 */
export function unzip(bytes: Uint8Array, content: string, source: string): Map<string, Uint8Array> {
  const most = MOST_EXPANSION * bytes.length + SLACK;
  let total = 0;
  const sums = new Map<string, number>();
  const stated = statedChecksums(bytes);
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, {
      filter: ({ name, originalSize, size }) => {
        total += Math.max(originalSize, size);
        if (total > most) {
          const found = `its ${content} hold more than ${MOST_EXPANSION} times its bytes`;
          throw formatError(source, found, `${content} that fit the file`);
        }
        if (sums.has(name)) {
          throw formatError(source, `it has ${quote(name)} twice`, 'one file of each name');
        }
        sums.set(name, stated.next().value!);
        return true;
      },
    });
  } catch (error) {
    if (error instanceof TreadleError) throw error;
    throw formatError(source, 'it cannot be unpacked', `a zip of ${content}`);
  }
  const kept = Object.entries(files).filter(([name]) => !name.endsWith('/'));
  const damaged = kept.find(([name, file]) => crc32(file) !== sums.get(name));
  if (damaged === undefined) return new Map(kept);
  throw formatError(source, `${quote(damaged[0])} in it is damaged`, 'a file of the stated checksum');
}

/** The names in a zip, of which nothing is unpacked; none where it is no zip. */
export function zipNames(bytes: Uint8Array): string[] {
  const names: string[] = [];
  try {
    unzipSync(bytes, {
      filter: ({ name }) => {
        names.push(name);
        return false;
      },
    });
  } catch {
    return [];
  }
  return names;
}
