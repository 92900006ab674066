/** `treadle` in Node: the portable library, and what reads and writes files. */
export * from './index.js';
export type { NetworkTensors } from './model/classifier.js';
export { type ImageOptions, readImage } from './node/image.js';
export {
  describeTensors,
  type LoadedWeights,
  loadWeights,
  saveWeights,
  type TensorDescription,
  type WeightsFormat,
  type WeightsMetadata,
  weightsFileName,
} from './node/model-file.js';
export { readModel, writeModel } from './node/models.js';
export {
  type TensorBoard,
  type TensorBoardOptions,
  type TrainingStatus,
  tensorBoard,
} from './tensorboard/tensorboard.js';
