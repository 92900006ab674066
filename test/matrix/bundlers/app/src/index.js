import { trainInOwnWorker } from './own.js';
import { WAYS } from './ways.js';
import { trainXor } from './xor.js';

const outcome = {};
for (const way of new URLSearchParams(location.search).get('ways').split(',')) {
  if (way === 'own') outcome[way] = await trainInOwnWorker({});
  else if (way === 'ownThreads') outcome[way] = await trainInOwnWorker({ threads: 2 });
  else outcome[way] = await trainXor(WAYS[way]());
}
globalThis.outcome = outcome;
