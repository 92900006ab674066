/** What models are compared by. */
export interface Candidate {
  /** Validation macro-F1 of the kept epoch. */
  valMacroF1: number;
  /** The kept epoch, from 1. */
  epoch: number;
  /** Trained parameters, or any number that grows with them. */
  size: number;
}

/**
 * Orders models, the best first: highest validation macro-F1 of the kept epoch, ties to the earlier epoch, then to the
 * smaller model. Equal ones keep their order in a sort.
 */
export function byMerit(a: Candidate, b: Candidate): number {
  return b.valMacroF1 - a.valMacroF1 || a.epoch - b.epoch || a.size - b.size;
}
