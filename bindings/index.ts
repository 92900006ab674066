export { createMemory, type Engine, type EngineOptions, loadEngine } from './engine.js';
export { type ErrorCode, type ErrorDetails, TreadleError } from './errors.js';
export { BUILD_NAMES, type BuildName, chooseBuild, detectFeatures, type Features } from './features.js';
export {
  type Evaluation,
  MAX_BATCH,
  Network,
  type NetworkOptions,
  type Samples,
  type Totals,
} from './network.js';
export { type GemmFigure, type GemmShape, measurePeak, type PeakFigures } from './peak.js';
export * from './spec.js';
export { assist, type HelperTicket } from './team.js';
export * from './tensors.js';
export { enableRelaxedSimd } from './v8.js';
