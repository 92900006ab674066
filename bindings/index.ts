export { createMemory, type Engine } from './engine.js';
export { ERROR_CODES, type ErrorCode, type ErrorDetails, TreadleError } from './errors.js';
export {
  BUILD_CHOICES,
  BUILD_NAMES,
  type BuildChoice,
  type BuildName,
  chooseBuild,
  detectFeatures,
  type Features,
} from './features.js';
export { DEFAULT_KERNELS, describeKernels, type Kernels, parseKernels } from './kernels.js';
export { type EngineOptions, loadEngine, readWasm } from './load.js';
export { checkNetwork } from './memory.js';
export {
  type Evaluation,
  MAX_BATCH,
  Network,
  type NetworkOptions,
  type Samples,
  type Totals,
} from './network.js';
export { type GemmFigure, measurePeak, type PeakFigures } from './peak.js';
export { type GemmShape, type Product, prepareProduct } from './product.js';
export * from './spec.js';
export { assist, type HelperTicket } from './team.js';
export * from './tensors.js';
export { enableRelaxedSimd, revectorize } from './v8.js';
