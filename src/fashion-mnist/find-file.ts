import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TreadleError } from '#bindings';
import { listed, oneLine } from '../strict/text.js';
import { IDX_FILES, type IdxFileName } from './identity.js';

/** Names as other datasets and archives have them: a prefix, `test` for `t10k`, dots for dashes, another type. */
const LIKE = /^(?:.*[-_.])?(train|t10k|test)[-_.](images|labels)[-_.]idx\d[-_.]\w+?(\.gz)?$/i;

/**
 * The path of one of a dataset's four files among the entries of its folder: of the plain name, the same with `.gz`, or
 * else the one whose name says the same. Throws `not-found` where there is none, and `usage` where there are several.
 */
export async function findIdxFile(
  folder: string,
  entries: readonly string[],
  name: IdxFileName,
): Promise<string> {
  const usual = [name, `${name}.gz`].filter((entry) => entries.includes(entry));
  const alike = entries.filter((entry) => !usual.includes(entry) && canonical(entry) === name).sort();
  const files: string[] = [];
  for (const entry of [...usual, ...alike]) if (await isFile(join(folder, entry))) files.push(entry);
  const [first] = files;
  // What is no file is left to whoever reads it to refuse.
  if (first === undefined && usual.length > 0) return join(folder, usual[0]!);
  if (first === undefined) throw missing(folder, entries, name);
  const others = files.filter((entry) => plain(entry) !== plain(first));
  if (others.length > 0 && !usual.includes(first)) {
    const found = listed(files.map(oneLine));
    const expected = 'one dataset in a folder';
    throw new TreadleError('usage', `${folder} has ${found} for ${name}; ${expected} is expected.`, {
      subject: folder,
      found,
      expected,
    });
  }
  return join(folder, first);
}

const plain = (entry: string) => entry.replace(/\.gz$/i, '');

/** Which of the four files a name says, or undefined. */
function canonical(entry: string): IdxFileName | undefined {
  const [, part, kind] = LIKE.exec(entry.toLowerCase()) ?? [];
  const prefix = `${part === 'train' ? 'train' : 't10k'}-${kind}-`;
  return IDX_FILES.find((name) => name.startsWith(prefix));
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** The error for a file that is not there; a name that begins as it does is told, as of an archive or an array. */
function missing(folder: string, entries: readonly string[], name: IdxFileName): TreadleError {
  const [part, kind] = name.split('-') as [string, string];
  const near = entries.filter(
    (entry) => entry.toLowerCase().includes(part) && entry.toLowerCase().includes(kind),
  );
  const found = near.length > 0 ? `${listed(near.map(oneLine))} and no ${name}` : `no ${name}`;
  return new TreadleError('not-found', `${folder} has ${found}; that file is expected, plain or with .gz.`, {
    subject: join(folder, name),
    found,
    expected: `${name} or ${name}.gz`,
  });
}
