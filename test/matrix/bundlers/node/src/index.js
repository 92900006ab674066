import { trainXor } from './xor.js';

trainXor({}).then((outcome) => console.log(outcome));
