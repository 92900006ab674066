// A helper thread: helps the network whose ticket it is given until that network is disposed of.
import { parentPort, workerData } from 'node:worker_threads';
import { enableRelaxedSimd, helpNetwork } from '../../dist/bindings/host.js';

enableRelaxedSimd();
parentPort.postMessage('ready');
helpNetwork(workerData);
