// Servers that end with the matrix.
import { atEnd } from './project.mjs';
import { openServer } from './server.mjs';

export { ISOLATED } from './server.mjs';

/** The address of a server of a folder, or of what another server answers, with headers of one's own. */
export async function serve(from, headers = {}) {
  const server = await openServer(from, { headers });
  atEnd(() => server.close());
  return server.origin;
}
