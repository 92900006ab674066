// Says in a sentence that `npm run build` needs the compilers, where they are not installed.
import { missingCompiler } from './installed.js';

const compiler = missingCompiler();
if (compiler !== undefined) {
  console.error(
    `error: treadle cannot be built: ${compiler} is not installed; npm ci --include=dev is expected first.`,
  );
  process.exitCode = 1;
}
