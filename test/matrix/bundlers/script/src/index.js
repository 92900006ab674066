import { WAYS } from './ways.js';
import { trainXor } from './xor.js';

// A script has no await of its own.
(async () => {
  const outcome = {};
  for (const way of new URLSearchParams(location.search).get('ways').split(',')) {
    outcome[way] = await trainXor(WAYS[way]());
  }
  globalThis.outcome = outcome;
})();
