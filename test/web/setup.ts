import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { CHROMIUM } from '../support/chromium.js';
import { PAGE, ROOT } from './built.js';

/** Builds the page once for all of its tests, which are skipped where there is no browser. */
export default async function setup(): Promise<void> {
  if (!existsSync(CHROMIUM)) return;
  await promisify(execFile)(process.execPath, ['scripts/web.js', 'build', PAGE], {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: 'production' },
  });
}
