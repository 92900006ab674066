// Times epochs in a process of Node, one each time that the process which started it asks.
import * as treadle from '../../../dist/index.js';
import { openEpochs } from './work.mjs';

const [count, build] = process.argv.slice(2);
treadle.enableRelaxedSimd();
const core = await treadle.loadCore({ build });
const { epoch, kernels } = openEpochs(treadle, core, Number(count));
process.on('message', () => process.send({ seconds: epoch() }));
process.send({ build: core.build, kernels, version: process.versions.node });
