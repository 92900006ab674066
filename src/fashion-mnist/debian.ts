import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type AbortSignalLike, TreadleError } from '#bindings';
import { readFileBounded } from '../node/files.js';
import { MAX_IDX_BYTES } from '../node/idx.js';
import { onAbort, throwIfAborted } from '../strict/abort.js';
import { systemCode } from '../strict/words.js';
import type { FetchedFiles } from './cache.js';
import { DEBIAN_FOLDER, DEBIAN_PACKAGE, IDX_FILES, type IdxFileName } from './identity.js';
import { openIdxFile } from './idx-file.js';

/** How a command is run. */
export interface CommandOptions {
  cwd: string;
  timeoutMs: number;
  signal?: AbortSignalLike | undefined;
}

/**
 * Runs a command in a folder to its end; rejects when it is absent (code ENOENT), fails or takes too long, and with
 * `interrupted` when the signal aborts. The command has ended in any case.
 */
export type Run = (command: string, args: readonly string[], options: CommandOptions) => Promise<void>;

const execute = promisify(execFile);

/** The machine's own commands; a failure's message is the last line the command wrote to its error stream. */
export const runCommand: Run = async (command, args, { cwd, timeoutMs, signal }) => {
  throwIfAborted(signal);
  const running = execute(command, args, { cwd, timeout: timeoutMs, encoding: 'utf8' });
  const stopListening = onAbort(signal, () => {
    const { child } = running;
    child.kill('SIGKILL');
    // Else its own children could keep them open.
    child.stdout?.destroy();
    child.stderr?.destroy();
  });
  try {
    await running;
  } catch (error) {
    throwIfAborted(signal);
    const { stderr, killed } = error as { stderr?: string; killed?: boolean };
    const lastLine = killed ? 'too slow' : stderr?.trim().split('\n').at(-1);
    if (!lastLine) throw error;
    throw new Error(lastLine, { cause: error });
  } finally {
    stopListening();
  }
};

/**
 * Fetches Debian's package of the dataset without root: the package is downloaded and unpacked in a temporary
 * folder, and its files are verified. Each command may take `timeoutMs`.
 * Throws `network` when apt-get is absent or a command fails, `format` or `checksum` as the IDX reader does,
 * `unwritable` when there is no room for a temporary folder, and `interrupted` when the signal aborts.
 */
export async function fetchDebianFiles(
  run: Run,
  timeoutMs: number,
  signal?: AbortSignalLike,
): Promise<FetchedFiles> {
  const folder = await temporaryFolder();
  try {
    await unpackPackage(run, { cwd: folder, timeoutMs, signal });
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
    // A part of apt-get may still be writing there for a moment after it was stopped.
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
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

async function unpackPackage(run: Run, options: CommandOptions): Promise<void> {
  const { cwd, signal } = options;
  try {
    await downloadPackage(run, options);
    const archive = (await readdir(cwd)).find((entry) => entry.endsWith('.deb'));
    if (archive === undefined) throw new Error('no package arrived');
    await run('dpkg-deb', ['-x', archive, 'unpacked'], options);
  } catch (error) {
    throwIfAborted(signal);
    const found =
      systemCode(error) === 'ENOENT' ? 'apt-get or dpkg-deb is not there' : (error as Error).message;
    throw new TreadleError(
      'network',
      `Debian's package ${DEBIAN_PACKAGE} could not be fetched (${found}); a package is expected.`,
      { subject: DEBIAN_PACKAGE, found, expected: 'the package', cause: error },
    );
  }
}

async function downloadPackage(run: Run, options: CommandOptions): Promise<void> {
  try {
    await run('apt-get', ['download', DEBIAN_PACKAGE], options);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || options.signal?.aborted) throw error;
    // A bare machine has no package lists, and only root may fetch the system's: fetch a private copy.
    const lists = join(options.cwd, 'lists');
    await mkdir(join(lists, 'partial'), { recursive: true });
    const own = ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${join(options.cwd, 'cache')}`];
    await run('apt-get', [...own, 'update'], options);
    await run('apt-get', [...own, 'download', DEBIAN_PACKAGE], options);
  }
}
