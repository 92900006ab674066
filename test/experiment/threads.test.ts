import { existsSync, readdirSync } from 'node:fs';
import { MessageChannel } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { startWorker } from '../../dist/experiment/threads.js';

const FILES = '/proc/self/fd';

it.runIf(existsSync(FILES))('a thread that is ended while it starts leaves no file open', async () => {
  const open = () => readdirSync(FILES).length;
  const before = open();
  for (const delay of Array.from({ length: 24 }, (_, index) => 4 * index)) {
    // Without a ticket at its port it ends with an error, if it gets that far.
    const worker = startWorker({ role: 'help', ticket: new MessageChannel().port2 });
    worker.on('error', () => {});
    await new Promise((resolve) => setTimeout(resolve, delay));
    await worker.terminate();
  }
  // The test runner may open a file of its own meanwhile; of these threads nearly every second one left some.
  expect(open()).toBeLessThan(before + 5);
});
