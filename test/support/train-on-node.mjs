// Runs train-digest.mjs in the build named by the first argument, as the engine is and after revectorize, and prints
// the digests of both. For same-bytes.test.ts, which runs it on several versions of Node.
import * as core from '../../dist/bindings/host.js';
import { trainDigest } from './train-digest.mjs';

core.enableRelaxedSimd();
const loaded = await core.loadCore({ build: process.argv[2] });
const plain = await trainDigest(core, loaded);
const joined = await core.revectorize(loaded);
console.log(
  JSON.stringify({
    version: process.versions.node,
    build: loaded.build,
    revectorized: joined.revectorized,
    digests: { plain, joined: await trainDigest(core, joined) },
  }),
);
