/** `treadle/worker`: the entry of every thread that the library starts. Its first message says what it does. */
import { helpNetwork } from '#bindings';
import { ownPort } from '../threads/own.js';
import type { Request, Role } from './protocol.js';
import { ModelService } from './service.js';

const port = ownPort();
let service: ModelService | null = null;

port.onMessage((message) => {
  if (service !== null) {
    service.hear(message as Request);
    return;
  }
  const role = message as Role;
  if (role.role === 'serve') {
    service = new ModelService(port);
  } else {
    helpNetwork(role.ticket);
    port.close();
  }
});
