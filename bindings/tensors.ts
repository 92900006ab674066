/** One Dense layer's parameters in treadle's own layout. */
export interface DenseTensors {
  /** Shape (in, out), row-major. */
  weight: Float32Array;
  /** Shape (out). */
  bias: Float32Array;
}

/** One BatchNorm's parameters and running statistics, each of shape (out). */
export interface BatchNormTensors {
  gamma: Float32Array;
  beta: Float32Array;
  runningMean: Float32Array;
  runningVar: Float32Array;
}

/** Everything inference needs: one dense per layer, one batchNorm per hidden block. */
export interface NetworkTensors {
  /** Hidden layers in order, then the output layer. */
  dense: DenseTensors[];
  /** One per hidden block. */
  batchNorm: BatchNormTensors[];
  /** Training steps seen since initialisation (PyTorch's num_batches_tracked). */
  batchesTracked: number;
}

/** One value for each trained parameter, in the layouts of NetworkTensors. */
export interface ParameterTensors {
  dense: DenseTensors[];
  batchNorm: Pick<BatchNormTensors, 'gamma' | 'beta'>[];
}

/** Adam's state. */
export interface OptimizerState {
  /** Steps since the optimiser was reset. */
  steps: number;
  /** Exponential moving averages of the gradients and of their squares. After one step first = (1 - beta1) gradient. */
  first: ParameterTensors;
  second: ParameterTensors;
}

/** All that training goes on from, to the same bytes, besides the data and the place in it. */
export interface TrainingState {
  tensors: NetworkTensors;
  optimizer: OptimizerState;
  /** Training steps whose dropout masks have been drawn: the counter that the next mask is drawn by. */
  dropoutSteps: number;
}
