import { adamFactors } from '../optim/adam';
import { awaitStart, barrier, dismissTeam, generation, joinTeam, startTeam, teamSize } from '../par/team';
import { OP_END, RECORD_BYTES, runOperation } from './operations';
import {
  STATE_ADAM_EPSILON,
  STATE_ADAM_FACTORS,
  STATE_BETA1,
  STATE_BETA2,
  STATE_LEARNING_RATE,
  STATE_LOSS,
  STATE_ORDER,
  STATE_POWER1,
  STATE_POWER2,
  STATE_PROGRAM,
  STATE_ROWS,
  STATE_STEP,
} from './state';

/** Runs one thread's share of the program that the state block names; returns when every thread is done. */
function run(state: usize, thread: i32, threads: i32): void {
  let record = <usize>load<u32>(state + STATE_PROGRAM);
  for (; load<i32>(record) != OP_END; record += RECORD_BYTES) {
    runOperation(state, record, thread, threads);
    if (load<i32>(record, 4)) barrier(state, threads);
  }
  barrier(state, threads);
}

/** Runs a program on `rows` samples whose indices stand at `order`; returns the sum of their losses. */
export function runProgram(state: usize, program: usize, order: usize, rows: i32): f64 {
  store<u32>(state + STATE_PROGRAM, <u32>program);
  store<u32>(state + STATE_ORDER, <u32>order);
  store<i32>(state + STATE_ROWS, rows);
  run(state, 0, startTeam(state));
  return load<f64>(state + STATE_LOSS);
}

/** One training step: counts it, derives Adam's factors, and runs the program. */
export function trainStep(state: usize, program: usize, order: usize, rows: i32): f64 {
  store<i32>(state + STATE_STEP, load<i32>(state + STATE_STEP) + 1);
  const power1 = load<f64>(state + STATE_POWER1) * load<f64>(state + STATE_BETA1);
  const power2 = load<f64>(state + STATE_POWER2) * load<f64>(state + STATE_BETA2);
  store<f64>(state + STATE_POWER1, power1);
  store<f64>(state + STATE_POWER2, power2);
  adamFactors(
    state + STATE_ADAM_FACTORS,
    load<f64>(state + STATE_BETA1),
    load<f64>(state + STATE_BETA2),
    load<f64>(state + STATE_ADAM_EPSILON),
    load<f64>(state + STATE_LEARNING_RATE) / (1 - power1),
    Math.sqrt(1 - power2),
  );
  return runProgram(state, program, order, rows);
}

/** A helper thread's whole life: joins the team and takes part in its programs until it is dismissed. */
export function serve(state: usize): void {
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

/** Ends serve() in every helper. */
export function dismiss(state: usize): void {
  dismissTeam(state);
}
