/** `treadle/core`: exact control of models, steps and bytes. */
export {
  BUILD_CHOICES,
  BUILD_NAMES,
  type BuildChoice,
  type BuildName,
  detectFeatures,
  type EngineFeatures,
} from './core/builds.js';
export type { Core } from './core/core.js';
export type {
  AbortSignalLike,
  Bytes,
  ResponseLike,
  UrlLike,
  WasmMemory,
  WasmModule,
} from './core/globals.js';
export type { Kernels } from './core/kernels.js';
export { ERROR_CODES, type ErrorCode, type ErrorDetails, TreadleError } from './errors/errors.js';
export type { Augment } from './model/augment.js';
export {
  type ActivationName,
  checkModel,
  type Head,
  type Init,
  type InputSpec,
  type InputType,
  type Layer,
  type MlpOptions,
  type ModelSpec,
  mlp,
  type OutputSpec,
  outputsOf,
} from './model/layers.js';
export type { Loss, LossName } from './model/losses.js';
export type { Optimizer, OptimizerName } from './model/optimizers.js';
export {
  parameterCount,
  type Role,
  type TensorKey,
  type TensorRow,
  type Tensors,
  tensorTable,
} from './model/tensors.js';
export type { Totals } from './network/epoch.js';
export type { NetworkEvaluation } from './network/evaluation.js';
export { memoryFor } from './network/memory.js';
export { Network } from './network/network.js';
export { MAX_BATCH, type NetworkOptions, type TrainingOptions } from './network/options.js';
export type { Csr, Inputs, Samples, Targets } from './network/samples.js';
export { type HelperTicket, helpNetwork } from './network/team.js';
export type { EpochOptions, Training } from './network/training.js';
export type { OptimizerState, TrainingState } from './network/training-state.js';
export { type LoadOptions, loadCore } from './open/load.js';
export { enableRelaxedSimd, revectorize } from './open/v8.js';
export { readWasm, type WasmSource } from './open/wasm.js';
export type { ResidentSet, TrainingUse } from './program/use.js';
