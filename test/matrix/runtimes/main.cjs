// The program of a runtime that requires ES modules.
const treadle = require('treadle');
const { tryLibrary } = require('./program.mjs');

tryLibrary(treadle).then((outcome) => console.log(JSON.stringify(outcome)));
