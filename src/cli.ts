#!/usr/bin/env node
import { deniedSentence } from './node/denied.js';

/** The command line with all that it needs; null, with a sentence on stderr, where some of that cannot be loaded. */
async function load(): Promise<typeof import('./cli/program.js') | null> {
  try {
    return await import('./cli/program.js');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const missing =
      code === 'ERR_MODULE_NOT_FOUND' ? `${message}; a complete installation is expected.` : null;
    const sentence = deniedSentence(error) ?? missing;
    if (sentence === null) throw error;
    process.stderr.write(`error: ${sentence}\n`);
    return null;
  }
}

const program = await load();
const code = program === null ? 1 : await program.main(process.argv.slice(2));
// What was given up, such as a connection that nobody answers, must not hold the process. A name that is still being
// looked up would hold exit() too, but not a signal, which shells tell as 130 as well.
const isLookingUp = process.getActiveResourcesInfo().includes('GetAddrInfoReqWrap');
if (code === 130 && isLookingUp) process.kill(process.pid, 'SIGINT');
process.exit(code);
