/** treadle as a library: the numeric core (also alone, as `treadle/core`) and the host around it. */
export * from '#bindings';
export { type Dataset, type LoadOptions, loadDataset } from './data/dataset.js';
export type { Features } from './data/features.js';
export { readImage } from './data/image.js';
export { shuffled } from './data/random.js';
export { type Split, stratifiedSplit, takeStratified } from './data/split.js';
export type { TargetValues, Task } from './data/targets.js';
export { decodeCheckpoint, encodeCheckpoint, type ModelCheckpoint } from './formats/checkpoint-bytes.js';
export { type ClassificationScores, classificationScores } from './metrics/classification.js';
export { type MultilabelScores, multilabelScores } from './metrics/multilabel.js';
export { classRocAuc, logLoss, rocAuc, topKAccuracy } from './metrics/ranking.js';
export { type RegressionScores, regressionScores } from './metrics/regression.js';
export { ARCHITECTURES, type Architecture, LEARNING_RATES } from './model/architectures.js';
export { classifierModel, type LabelledImages, type NetworkSpec } from './model/classifier.js';
export { createModel, loadModel, type ModelOptions } from './model/create.js';
export type { Evaluation } from './model/evaluation.js';
export type { History, Model } from './model/model.js';
export type { Data, DataStream, FitOptions, StepEvent } from './model/options.js';
export type { Decisions } from './model/set-up.js';
export { DEFAULT_BATCH_SIZE, defaultConfig, resolveConfig } from './orchestrate/config.js';
export { type DataShape, planJobs } from './orchestrate/plan.js';
export { type TrainJobsOptions, trainJobs } from './orchestrate/pool.js';
export type { DataChoice } from './orchestrate/prepare.js';
export { type RunAllOptions, type RunOutcome, runAll } from './orchestrate/run-all.js';
export { type TestFilesOptions, testFiles } from './orchestrate/test-files.js';
export * from './records.js';
export { parseResults } from './report/results.js';
export { type BatchRange, batchRanges } from './train/batches.js';
export { type FoundCheckpoint, newestCheckpoint, saveCheckpoint } from './train/checkpoint-store.js';
export type { Checkpoint, EpochFigures, StoppedEpoch } from './train/loop.js';
export type { LearningRate, Schedule } from './train/schedules.js';
export { epochOrder, networkSeed } from './train/seeds.js';
export { type SampleIndices, type TrainingHooks, trainModel } from './train/trainer.js';
export {
  describeTensors,
  type LoadedWeights,
  loadWeights,
  saveWeights,
  type TensorDescription,
  type WeightsFormat,
  type WeightsMetadata,
  weightsFileName,
} from './weights/model-file.js';
