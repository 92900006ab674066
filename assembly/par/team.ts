// The threads of one network: they start a program together and meet at barriers. The only atomics, and the only
// file that reads ASC_FEATURE_THREADS; builds without threads have a team of one.

// The team's words stand at the start of the state block, which is 64-byte aligned. Those that several threads write
// stand in cache lines of their own.

/** Changes to start a program; helpers wait on it. */
const GENERATION: i32 = 0;
/** Threads that take part in programs, the main thread included. The host writes it. */
export const TEAM_ACTIVE: i32 = 4;
/** Threads that have joined, the main thread included. */
export const TEAM_JOINED: i32 = 8;
/** Threads that there is room for, at most MAX_THREADS. The host writes it. */
export const TEAM_CAPACITY: i32 = 12;
/** Threads that have arrived at the barrier. */
const ARRIVED: i32 = 64;
/** Barriers passed. */
const PHASE: i32 = 128;
/** 1 once a thread has waited at a barrier in vain. */
export const TEAM_BROKEN: i32 = 132;
/** Bytes of the team's words. */
export const TEAM_BYTES: i32 = 192;

/** Most threads of one team. */
export const MAX_THREADS: i32 = 64;

/** Loads before a waiting thread goes to sleep: some tens of microseconds, longer than most operations differ. */
const SPINS: i32 = 20000;

/** True in the builds that can have helper threads. */
export const THREADS: bool = ASC_FEATURE_THREADS;

/** Returns when the i32 at `address` is no longer `value`. */
function awaitChange(address: usize, value: i32): void {
  if (ASC_FEATURE_THREADS) {
    for (let i = 0; i < SPINS; i++) {
      if (atomic.load<i32>(address) != value) return;
    }
    while (atomic.load<i32>(address) == value) atomic.wait<i32>(address, value, -1);
  }
}

/**
 * Sleeps for a second, or until somebody notifies the i32 at `address`, which is `value`. The host imports it: a wait
 * with a time limit in WebAssembly is one that V8's baseline compiler gets wrong in Node 20.
 */
@external("env", "nap")
declare function nap(address: usize, value: i32): void;

/**
 * Naps that follow each other before a thread at a barrier gives the others up: an operation takes milliseconds, so one
 * that does not arrive for so long has died. Naps are counted, not time, so that a process that is suspended and goes
 * on gives nobody up.
 */
const NAPS: i32 = 20;

/**
 * Returns when all the active threads have arrived; what each wrote before is seen by all. Traps when one does not
 * arrive, and leaves TEAM_BROKEN behind.
 */
export function barrier(state: usize, threads: i32): void {
  if (ASC_FEATURE_THREADS) {
    if (threads == 1) return;
    const phase = atomic.load<i32>(state + PHASE);
    if (atomic.add<i32>(state + ARRIVED, 1) == threads - 1) {
      atomic.store<i32>(state + ARRIVED, 0);
      atomic.store<i32>(state + PHASE, phase + 1);
      atomic.notify(state + PHASE, -1);
    } else {
      for (let i = 0; i < SPINS; i++) {
        if (atomic.load<i32>(state + PHASE) != phase) return;
      }
      for (let naps = 0; atomic.load<i32>(state + PHASE) == phase; naps++) {
        if (naps == NAPS) {
          atomic.store<i32>(state + TEAM_BROKEN, 1);
          unreachable();
        }
        nap(state + PHASE, phase);
      }
    }
  }
}

// The generation word counts the starts in its upper bits and says in its lowest byte how many threads take part,
// so that a helper learns both in one load. A team of none means that the team has ended.
const SIZE_BITS: i32 = 8;

/** Threads that take part in the start that the generation word announces. */
// @ts-ignore: decorator
@inline
export function teamSize(word: i32): i32 {
  return word & ((1 << SIZE_BITS) - 1);
}

function announce(state: usize, threads: i32): void {
  if (ASC_FEATURE_THREADS) {
    const starts = (load<i32>(state + GENERATION) >> SIZE_BITS) + 1;
    atomic.store<i32>(state + GENERATION, (starts << SIZE_BITS) | threads);
    atomic.notify(state + GENERATION, -1);
  }
}

/** Main thread: lets the helpers run the program that the state block names. Returns the number of threads. */
export function startTeam(state: usize): i32 {
  const threads = THREADS ? load<i32>(state + TEAM_ACTIVE) : 1;
  if (threads > 1) announce(state, threads);
  return threads;
}

/** Sends the helpers home, now and in the future. */
export function endTeam(state: usize): void {
  announce(state, 0);
}

/** Helper: the generation word; to be read before joining, so that no start is missed. */
export function generation(state: usize): i32 {
  if (ASC_FEATURE_THREADS) return atomic.load<i32>(state + GENERATION);
  return 0;
}

/** Helper: takes a place in the team, -1 when it is full. It takes part once the host counts it as active. */
export function joinTeam(state: usize): i32 {
  if (ASC_FEATURE_THREADS) {
    const thread = atomic.add<i32>(state + TEAM_JOINED, 1);
    if (thread < load<i32>(state + TEAM_CAPACITY)) return thread;
    atomic.sub<i32>(state + TEAM_JOINED, 1);
  }
  return -1;
}

/** Helper: waits for a generation other than `seen` and returns it. */
export function awaitStart(state: usize, seen: i32): i32 {
  awaitChange(state + GENERATION, seen);
  return generation(state);
}
