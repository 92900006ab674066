import { unzipSync } from 'fflate/browser';
import { TreadleError } from '#bindings';
import { quote } from '../strict/text.js';
import { formatError } from './tensor.js';

/** How much larger than a zip what is in it may be; zeros alone can be packed a thousandfold. */
const MOST_EXPANSION = 40;
const SLACK = 1 << 20;

/**
 * The files of a zip by name. Throws `format` for one that cannot be unpacked, has a name twice, or holds more than 40 times its
 * bytes and 1 MiB; `content` is what it should hold.
 */
export function unzip(bytes: Uint8Array, content: string, source: string): Map<string, Uint8Array> {
  const most = MOST_EXPANSION * bytes.length + SLACK;
  let total = 0;
  const seen = new Set<string>();
  try {
    const files = unzipSync(bytes, {
      filter: ({ name, originalSize, size }) => {
        total += Math.max(originalSize, size);
        if (total > most) {
          const found = `its ${content} hold more than ${MOST_EXPANSION} times its bytes`;
          throw formatError(source, found, `${content} that fit the file`);
        }
        if (seen.has(name)) throw formatError(source, `it has ${quote(name)} twice`, 'one file of each name');
        seen.add(name);
        return true;
      },
    });
    return new Map(Object.entries(files).filter(([name]) => !name.endsWith('/')));
  } catch (error) {
    if (error instanceof TreadleError) throw error;
    throw formatError(source, 'it cannot be unpacked', `a zip of ${content}`);
  }
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
