import { helpNetwork } from '#bindings';
import { ownPort } from '../threads/own.js';
import type { Request, Role } from './protocol.js';
import { ModelService } from './service.js';

/** Lets this thread, which is a worker, do what its first message says: help a network, or hold and train models. */
export function listen(): void {
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
}
