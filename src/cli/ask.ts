import { createInterface } from 'node:readline';
import { throwIfAborted } from '../strict/abort.js';
import { listed } from '../strict/text.js';

/**
 * Asks on the terminal whether files may be replaced; anything but yes, and the end of the input, is a no.
 * Where there is no terminal nobody is asked, and the answer is no. Throws `interrupted` when the signal aborts.
 */
export async function askToReplace(files: readonly string[], signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return false;
  const count = files.length === 1 ? 'a file' : `${files.length} files`;
  process.stdout.write(
    `This run would replace ${count} of an earlier one: ${listed(files)}.\nReplace them? [y/N] `,
  );
  const lines = createInterface({ input: process.stdin, signal });
  try {
    for await (const answer of lines) return /^y(es)?$/i.test(answer.trim());
  } finally {
    // Open, it would go on reading and keep the process alive.
    lines.close();
  }
  process.stdout.write('\n');
  throwIfAborted(signal);
  return false;
}
