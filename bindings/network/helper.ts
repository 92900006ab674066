import { type Core, instantiate } from '../core/core.js';

/** What a thread needs in order to help a network. Plain data that may be posted to a worker. */
export interface HelperTicket {
  core: Core;
  memory: WebAssembly.Memory;
  /** Address of the network's state block. */
  state: number;
}

/** Helps a network with its programs, from its next epoch on; returns when that network is disposed of. Blocks. */
export function helpNetwork(ticket: HelperTicket): void {
  instantiate(ticket.core, ticket.memory).functions.help(ticket.state);
}
