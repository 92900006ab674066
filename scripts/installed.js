// What an installation has and lacks, for the scripts of package.json that say so in a sentence.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The first of some files, relative to the package, that is not there. */
const firstMissing = (files) => files.find((file) => !existsSync(join(ROOT, file)));

/** A compiler that is not installed; undefined when all are. */
export function missingCompiler() {
  const names = ['assemblyscript', 'typescript', 'rolldown'];
  return names.find((name) => firstMissing([`node_modules/${name}/package.json`]) !== undefined);
}

/** A file of the build that is not there; undefined when all are. */
export function missingBuild() {
  const { targets } = JSON.parse(readFileSync(join(ROOT, 'asconfig.json'), 'utf8'));
  return firstMissing(['dist/cli.js', ...Object.values(targets).map(({ outFile }) => outFile)]);
}
