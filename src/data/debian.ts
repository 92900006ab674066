import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TreadleError } from '#bindings';
import { readFileBounded } from '../files.js';
import type { FetchedFiles } from './cache.js';
import { DEBIAN_FOLDER, DEBIAN_PACKAGE, IDX_FILES, type IdxFileName } from './fashion-mnist.js';
import { MAX_IDX_BYTES } from './idx.js';
import { openIdxFile } from './idx-file.js';
import { systemCode } from './words.js';

/** Runs a command in a folder to its end; rejects when it is absent (code ENOENT), fails or takes too long. */
export type Run = (
  command: string,
  args: readonly string[],
  options: { cwd: string; timeoutMs: number },
) => Promise<void>;

const execute = promisify(execFile);

/** The machine's own commands; a failure's message is the last line the command wrote to its error stream. */
export const runCommand: Run = async (command, args, { cwd, timeoutMs }) => {
  try {
    await execute(command, args, { cwd, timeout: timeoutMs, encoding: 'utf8' });
  } catch (error) {
    const { stderr, killed } = error as { stderr?: string; killed?: boolean };
    const lastLine = killed ? 'too slow' : stderr?.trim().split('\n').at(-1);
    if (!lastLine) throw error;
    throw new Error(lastLine, { cause: error });
  }
};

/**
 * Fetches Debian's package of the dataset without root: the package is downloaded and unpacked in a temporary
 * folder, and its files are verified. Each command may take `timeoutMs`.
 * Throws `network` when apt-get is absent or a command fails, `format` or `checksum` as the IDX reader does, and
 * `unwritable` when there is no room for a temporary folder.
 */
export async function fetchDebianFiles(run: Run, timeoutMs: number): Promise<FetchedFiles> {
  const folder = await temporaryFolder();
  try {
    await unpackPackage(run, folder, timeoutMs);
    const files: Partial<Record<IdxFileName, Uint8Array>> = {};
    for (const name of IDX_FILES) {
      const bytes = await readFileBounded(
        join(folder, 'unpacked', DEBIAN_FOLDER, `${name}.gz`),
        MAX_IDX_BYTES,
      );
      openIdxFile(name, `${DEBIAN_PACKAGE}'s ${name}.gz`, bytes, true);
      files[name] = bytes;
    }
    return files as FetchedFiles;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function temporaryFolder(): Promise<string> {
  try {
    return await mkdtemp(join(tmpdir(), 'treadle-'));
  } catch (error) {
    const found = systemCode(error);
    throw new TreadleError(
      'unwritable',
      `${tmpdir()} cannot be written (${found}); a writable folder for temporary files is expected.`,
      { subject: tmpdir(), found, expected: 'a writable folder', cause: error },
    );
  }
}

async function unpackPackage(run: Run, folder: string, timeoutMs: number): Promise<void> {
  const options = { cwd: folder, timeoutMs };
  try {
    await downloadPackage(run, options);
    const archive = (await readdir(folder)).find((entry) => entry.endsWith('.deb'));
    if (archive === undefined) throw new Error('no package arrived');
    await run('dpkg-deb', ['-x', archive, 'unpacked'], options);
  } catch (error) {
    const found =
      systemCode(error) === 'ENOENT' ? 'apt-get or dpkg-deb is not there' : (error as Error).message;
    throw new TreadleError(
      'network',
      `Debian's package ${DEBIAN_PACKAGE} could not be fetched (${found}); a package is expected.`,
      { subject: DEBIAN_PACKAGE, found, expected: 'the package', cause: error },
    );
  }
}

async function downloadPackage(run: Run, options: { cwd: string; timeoutMs: number }): Promise<void> {
  try {
    await run('apt-get', ['download', DEBIAN_PACKAGE], options);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw error;
    // A bare machine has no package lists, and only root may fetch the system's: fetch a private copy.
    const lists = join(options.cwd, 'lists');
    await mkdir(join(lists, 'partial'), { recursive: true });
    const own = ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${join(options.cwd, 'cache')}`];
    await run('apt-get', [...own, 'update'], options);
    await run('apt-get', [...own, 'download', DEBIAN_PACKAGE], options);
  }
}
