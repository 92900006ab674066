/** The architectures of the published report; a user's own come from a `--config` file in the same form. */
export interface Architecture {
  /** Width of each hidden block, from the input to the output. */
  readonly hidden: readonly number[];
}

/** In the order in which `run-all` reports them. */
export const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  large1: { hidden: [1024, 512, 256, 128] },
  large2: { hidden: [512, 256, 128, 64] },
  small: { hidden: [128, 64] },
};

/** Adam's learning rates, in the order in which a chain trains them. */
export const LEARNING_RATES: readonly number[] = [0.005, 0.004, 0.003, 0.001];
