/** `#bindings`: what the host in src/ uses of the bindings: `treadle/core`, and what is no part of the library's promise. */
export { BUILDS, chooseBuild } from './core/builds.js';
export { createMemory, inUnits, isCore, MOST_MEMORY } from './core/core.js';
export { DEFAULT_KERNELS, describeKernels, parseKernels } from './core/kernels.js';
export * from './errors/checks.js';
export { inWords, type Problem, problem } from './errors/problem.js';
export * from './index.js';
export { type GemmFigure, measurePeak, type PeakFigures } from './measure/peak.js';
export { type GemmShape, type Product, type ProductOptions, prepareProduct } from './measure/product.js';
export { AUGMENT_KEYS, AUGMENT_MOST, checkAugment } from './model/augment.js';
export { type Block, type BlockNorm, lowerModel } from './model/blocks.js';
export * from './model/layers.js';
export { checkLoss, LOSSES, type LossFacts, usualLoss } from './model/losses.js';
export * from './model/optimizers.js';
export { expectTensors, sizeOf } from './model/tensors.js';
export { checkNetwork } from './network/options.js';
export { checkInputs, checkWeights, expectFinite, expectOrder, isList, placeOf } from './network/samples.js';
export type { Use } from './program/use.js';
