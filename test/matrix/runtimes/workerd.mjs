// A worker of workerd. It compiles no bytes, so the core comes as a module that the worker is deployed with.

import module from 'treadle/build/simd.wasm';
import * as treadle from 'treadle/inline';
import { loadCore } from 'treadle/inline';
import { tryLibrary } from './program.mjs';

export default {
  async fetch() {
    const core = await loadCore({ wasm: module });
    return Response.json(await tryLibrary(treadle, { core, strict: core, places: 1 }));
  },
};
