import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Where the page is built for its tests. */
export const PAGE = join(ROOT, 'build/web-tested');
