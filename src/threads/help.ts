/** The entry of a helper thread, in Node and in browsers: it helps the network whose ticket it is started with, and ends. */
import { type HelperTicket, helpNetwork } from '#bindings';

/** What a worker of a browser has. */
declare const self: {
  onmessage: ((event: { data: HelperTicket }) => void) | null;
  close(): void;
};

const node = globalThis.process?.getBuiltinModule?.('node:worker_threads');
if (node?.parentPort) {
  helpNetwork(node.workerData as HelperTicket);
} else {
  self.onmessage = ({ data }) => {
    helpNetwork(data);
    self.close();
  };
}
