// The program of a runtime that imports ES modules.
import * as treadle from 'treadle';
import { tryLibrary } from './program.mjs';

console.log(JSON.stringify(await tryLibrary(treadle)));
