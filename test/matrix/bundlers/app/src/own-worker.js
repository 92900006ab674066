import { trainXor } from './xor.js';

self.onmessage = async ({ data }) => postMessage(await trainXor(data));
