import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative, sep } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type AbortSignalLike, TreadleError } from '#bindings';
import { exists } from '../node/files.js';
import { lockFolder } from '../node/lock.js';
import { shown } from '../node/paths.js';
import { idOf, RECORD_FILE } from '../node/run-folders.js';
import type { RunEvent, RunResults } from '../results/records.js';
import { parseResults, parseResultsJson } from '../results/results.js';
import { throwIfAborted } from '../strict/abort.js';
import type { ExecutorChoice } from './executor.js';

// A run whose jobs are trained elsewhere may be followed by a process that does not own its folders: in copies of them, which
// are thrown away.

/** Pause between two looks whether a folder is free, in milliseconds. */
const PAUSE = 300;

/** Whether another process has locked a folder. */
export async function isLocked(folder: string): Promise<boolean> {
  try {
    const unlock = await lockFolder(folder);
    await unlock();
    return false;
  } catch (error) {
    if (error instanceof TreadleError && error.code === 'locked') return true;
    throw error;
  }
}

/** Resolves when no process has a folder locked; rejects with `interrupted` when the signal aborts. */
export async function untilUnlocked(folder: string, signal: AbortSignalLike | undefined): Promise<void> {
  while (await isLocked(folder)) {
    await setTimeout(PAUSE);
    throwIfAborted(signal);
  }
}

/** What a run in the queue goes on from: its record, its settings, and the weights that it starts from. */
const NEEDED = ['', RECORD_FILE, 'config.json', 'checkpoints'];

/** Calls an action with a copy of a run's folder and with one for weights; they are removed when it ends. */
export async function withCopies<T>(
  folder: string,
  action: (copies: { folder: string; weights: string }) => Promise<T>,
): Promise<T> {
  const parent = await mkdtemp(join(tmpdir(), 'treadle-follow-'));
  try {
    const copies = { folder: join(parent, idOf(folder)), weights: join(parent, 'weights') };
    const filter = (path: string) => NEEDED.includes(relative(folder, path).split(sep)[0]!);
    await cp(folder, copies.folder, { recursive: true, filter });
    return await action(copies);
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

/** An executor that leaves a finished run to the process that owns it. */
export const followed =
  (choice: ExecutorChoice): ExecutorChoice =>
  (context) => {
    const executor = choice(context);
    return { train: (...work) => executor.train(...work) };
  };

/** What a follower's listener is told: events with the paths of the owner's folders, but for the end, which is the owner's. */
export function asOfOwner(
  folder: string,
  weights: string,
  onEvent: ((event: RunEvent) => void) | undefined,
): (event: RunEvent) => void {
  return (event) => {
    if (event.type === 'done') return;
    if (event.type === 'run') onEvent?.({ ...event, folder: shown(folder) });
    else if (event.type === 'saved') {
      const own = event.weights.map((path) => shown(join(weights, basename(path))));
      onEvent?.({ ...event, weights: own });
    } else onEvent?.(event);
  };
}

/** What the owner of a run has written at its end: its results, and its report where it has one. */
export async function writtenResults(
  folder: string,
): Promise<{ file: string; report: string | null; results: RunResults }> {
  const file = join(folder, 'results.json');
  const results = parseResults(parseResultsJson(await readFile(file, 'utf8'), file), file);
  const report = join(folder, 'report.html');
  return { file, report: (await exists(report)) ? report : null, results };
}
