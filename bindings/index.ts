/** `treadle/core`: exact control of models, programs, steps and bytes. */
export {
  BUILD_CHOICES,
  BUILD_NAMES,
  BUILDS,
  type BuildChoice,
  type BuildName,
  chooseBuild,
  detectFeatures,
  type Features,
} from './core/builds.js';
export { type Core, createMemory, inUnits, MOST_MEMORY } from './core/core.js';
export type { AbortSignalLike, Bytes, ResponseLike, UrlLike, WasmMemory, WasmModule } from './core/host.js';
export { DEFAULT_KERNELS, describeKernels, type Kernels, parseKernels } from './core/kernels.js';
export * from './errors/checks.js';
export { ERROR_CODES, type ErrorCode, type ErrorDetails, TreadleError } from './errors/errors.js';
export { inWords, type Problem, problem } from './errors/problem.js';
export { type GemmFigure, measurePeak, type PeakFigures } from './measure/peak.js';
export { type GemmShape, type Product, prepareProduct } from './measure/product.js';
export { type Block, lowerModel } from './model/blocks.js';
export * from './model/layers.js';
export { checkLoss, LOSSES, type Loss, type LossName, usualLoss } from './model/losses.js';
export * from './model/optimizers.js';
export {
  expectTensors,
  parameterCount,
  type Role,
  sizeOf,
  type TensorKey,
  type TensorRow,
  type Tensors,
  tensorTable,
} from './model/tensors.js';
export type { Totals } from './network/epoch.js';
export type { Evaluation } from './network/evaluation.js';
export { memoryFor } from './network/memory.js';
export { Network } from './network/network.js';
export { checkNetwork, MAX_BATCH, type NetworkOptions, type TrainingOptions } from './network/options.js';
export {
  type Csr,
  checkInputs,
  checkWeights,
  expectFinite,
  expectOrder,
  type Inputs,
  isList,
  placeOf,
  type Samples,
  type Targets,
} from './network/samples.js';
export { type HelperTicket, helpNetwork } from './network/team.js';
export type { Training } from './network/training.js';
export type { OptimizerState, TrainingState } from './network/training-state.js';
export { type LoadOptions, loadCore } from './open/load.js';
export { enableRelaxedSimd, revectorize } from './open/v8.js';
export { readWasm, type WasmSource } from './open/wasm.js';
