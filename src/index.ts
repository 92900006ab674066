/** treadle as a library: the numeric core (also alone, as `treadle/core`) and the host around it. */
export * from '#bindings';
export type { Features } from './data/features.js';
export { shuffled } from './data/random.js';
export { type Split, stratifiedSplit, takeStratified } from './data/split.js';
export type { TargetValues, Task } from './data/targets.js';
export { type FoundCheckpoint, newestCheckpoint, saveCheckpoint } from './experiment/checkpoint-store.js';
export { defaultConfig, resolveConfig } from './experiment/config.js';
export { type DataShape, planJobs } from './experiment/jobs.js';
export { type TrainJobsOptions, trainJobs } from './experiment/pool.js';
export type { DataChoice } from './experiment/prepare.js';
export { type RunAllOptions, type RunOutcome, runAll } from './experiment/run-all.js';
export { epochOrder, networkSeed } from './experiment/seeds.js';
export { DEFAULT_BATCH_SIZE } from './experiment/settings.js';
export { type TestFilesOptions, testFiles } from './experiment/test-files.js';
export { type SampleIndices, type TrainingHooks, trainModel } from './experiment/train-job.js';
export { ARCHITECTURES, type Architecture, LEARNING_RATES } from './fashion-mnist/architectures.js';
export { type Dataset, type LoadOptions, loadDataset } from './fashion-mnist/dataset.js';
export { decodeCheckpoint, encodeCheckpoint, type ModelCheckpoint } from './formats/checkpoint-bytes.js';
export { type ClassificationScores, classificationScores } from './metrics/classification.js';
export { type MultilabelScores, multilabelScores } from './metrics/multilabel.js';
export { classRocAuc, logLoss, rocAuc, topKAccuracy } from './metrics/ranking.js';
export { type RegressionScores, regressionScores } from './metrics/regression.js';
export { classifierModel, type LabelledImages, type NetworkSpec } from './model/classifier.js';
export { createModel, loadModel, type ModelOptions } from './model/create.js';
export type { Evaluation } from './model/evaluation.js';
export type { History, Model } from './model/model.js';
export type { Data, DataStream, FitOptions, StepEvent } from './model/options.js';
export type { Decisions } from './model/set-up.js';
export { readImage } from './node/image.js';
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
export * from './results/records.js';
export { parseResults } from './results/results.js';
export { type BatchRange, batchRanges } from './train/batches.js';
export type { Checkpoint, EpochFigures, StoppedEpoch } from './train/loop.js';
export type { LearningRate, Schedule } from './train/schedules.js';
