import { batchOf } from '../abi/batch';
import { END, Operation, RECORD_BYTES } from '../abi/operations';
import { awaitStart, barrier, endTeam, generation, joinTeam, startTeam, teamSize } from '../par/team';
import { runBlock } from './block';
import { runHead } from './head';
import { runPacking } from './packing';
import { runProduct } from './product';
import { runUpdate } from './update';

/** Runs thread `thread`'s share of one operation; opcodes are numbered by family (abi/operations). */
export function runOperation(state: usize, record: usize, thread: i32, threads: i32): void {
  const batch = batchOf(state);
  const opcode = changetype<Operation>(record).opcode;
  if (opcode < 20) runPacking(opcode, record, batch, thread, threads);
  else if (opcode < 30) runProduct(opcode, record, batch, thread, threads);
  else if (opcode < 40) runBlock(opcode, record, batch, thread, threads);
  else if (opcode < 50) runHead(opcode, record, batch, thread, threads);
  else runUpdate(opcode, record, batch, thread, threads);
}

/** Runs one thread's share of the batch's program; returns when every thread is done. */
function run(state: usize, thread: i32, threads: i32): void {
  let record = batchOf(state).program;
  for (; changetype<Operation>(record).opcode != END; record += RECORD_BYTES) {
    runOperation(state, record, thread, threads);
    if (changetype<Operation>(record).barrier) barrier(state, threads);
  }
  barrier(state, threads);
}

/** Runs a program on the batch that the state block describes. */
export function runProgram(state: usize, program: usize): void {
  batchOf(state).program = program;
  run(state, 0, startTeam(state));
}

/** A helper thread's whole life: joins the team and takes part in its programs until that ends. */
export function help(state: usize): void {
  let word = generation(state);
  const thread = joinTeam(state);
  if (thread < 0 || (word != 0 && teamSize(word) == 0)) return;
  for (;;) {
    word = awaitStart(state, word);
    const threads = teamSize(word);
    if (threads == 0) return;
    if (thread < threads) run(state, thread, threads);
  }
}

/** Ends help() in every helper. */
export function endHelp(state: usize): void {
  endTeam(state);
}
