// `npm start`: trains all models, or says in a sentence what is needed for that.
import { missingBuild, missingCompiler } from './installed.js';

const file = missingBuild();
if (file === undefined) {
  process.argv.splice(2, 0, 'run-all');
  await import('../dist/cli.js');
} else {
  const install = missingCompiler() === undefined ? '' : 'npm ci --include=dev --ignore-scripts && ';
  console.error(
    `error: treadle is not built: ${file} is not there; ${install}npm run build is expected first.`,
  );
  process.exitCode = 1;
}
