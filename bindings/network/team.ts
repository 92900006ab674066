import { type Core, instantiate } from '../core/core.js';
import type { WasmMemory } from '../core/globals.js';
import type { NetworkMemory } from './memory.js';

// The threads of a network: the one that runs its programs, and helpers that take shares of them. The words of the team
// stand in the network's memory (assembly/par/team.ts).

/** What a thread needs in order to help a network. Plain data that may be posted to a worker. */
export interface HelperTicket {
  core: Core;
  /** A `WebAssembly.Memory`. */
  memory: WasmMemory;
  /** Address of the network's state block. */
  state: number;
}

/**
 * Helps a network with its programs, from its next epoch on; returns when that network is disposed of. Blocks.
 *
 * @example onmessage = ({ data }) => helpNetwork(data); // in a worker, with the network's ticket
 */
export function helpNetwork(ticket: HelperTicket): void {
  instantiate(ticket.core, ticket.memory).functions.help(ticket.state);
}

/** The ticket of a network; null in builds without threads. */
export function ticketFor(core: Core, memory: NetworkMemory): HelperTicket | null {
  const { instance, plan } = memory;
  if (!instance.constants.threads) return null;
  return { core, memory: instance.memory, state: memory.address(plan.state) };
}

/** Begins a team of at most `threads` threads with the calling one. */
export function beginTeam({ team, instance }: NetworkMemory, threads: number): void {
  const { teamActive, teamJoined, teamCapacity } = instance.constants;
  team[teamActive / 4] = 1;
  team[teamJoined / 4] = 1;
  team[teamCapacity / 4] = threads;
}

/** Threads that have joined, the calling one included. */
export function joinedThreads({ team, instance }: NetworkMemory): number {
  const { threads, teamJoined, teamCapacity } = instance.constants;
  if (!threads) return 1;
  return Math.min(Atomics.load(team, teamJoined / 4), Atomics.load(team, teamCapacity / 4));
}

/** Lets the threads that have joined by now take part, and returns how many there are. */
export function admitThreads(memory: NetworkMemory): number {
  const { team, instance } = memory;
  const joined = joinedThreads(memory);
  if (instance.constants.threads) Atomics.store(team, instance.constants.teamActive / 4, joined);
  return joined;
}

/** Sends helper threads home. */
export function endHelp(memory: NetworkMemory): void {
  memory.instance.functions.endHelp(memory.address(memory.plan.state));
}
