/** Share of the rows that is held out for the test. */
export const TEST = 0.2;
/** Share of the others that says when training is to end. */
export const VALIDATION = 0.15;
