import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';

/** Whether a path leads to a folder or into it. */
function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** A path as people and records are shown it: relative inside the current folder, absolute outside. */
export function shown(path: string): string {
  const absolute = resolve(path);
  return isInside(absolute, process.cwd()) ? relative(process.cwd(), absolute) || '.' : absolute;
}

/** A run's project: the folder that holds the folder of runs. Both are moved together. */
export function projectOf(runFolder: string): string {
  return dirname(dirname(resolve(runFolder)));
}

/**
 * A path as a run's record keeps it, to be resolved against the run's folder: relative where the current folder (or,
 * for a run elsewhere, its project) holds both, so that it moves with them; absolute for any other place.
 */
export function recordedPath(path: string, runFolder: string): string {
  const [absolute, folder] = [resolve(path), resolve(runFolder)];
  const moving = isInside(folder, process.cwd()) ? process.cwd() : projectOf(folder);
  return isInside(absolute, moving) ? relative(folder, absolute).split(sep).join('/') : absolute;
}

/** Whether a run's project holds a path. */
export function isInProject(path: string, runFolder: string): boolean {
  return isInside(resolve(path), projectOf(runFolder));
}
