// Builds treadle after `npm ci`. Without the compilers (`npm ci --omit=dev`, NODE_ENV=production) a build that is
// there is left as it is, and one sentence says what is needed where there is none.
import { spawnSync } from 'node:child_process';
import { missingBuild, missingCompiler } from './installed.js';

const compiler = missingCompiler();
const file = missingBuild();
if (compiler === undefined) {
  // A shell finds npm on every system.
  process.exitCode = spawnSync('npm run build', { stdio: 'inherit', shell: true }).status ?? 1;
} else if (file === undefined) {
  console.log(`treadle is left as it was built: ${compiler} is not installed.`);
} else {
  console.error(
    `error: treadle cannot be built: ${compiler} is not installed, and ${file} is not there; npm ci --include=dev is expected, or a build that was made before.`,
  );
  process.exitCode = 1;
}
