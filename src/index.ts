/** `treadle`: models that train, predict and are saved, anywhere. The core alone is `treadle/core`. */
export * from '#core';
export { createModel, type InWorker, loadModel, openWorker } from './create.js';
export type { Features, Row } from './data/features.js';
export { shuffled } from './data/random.js';
export { type Split, stratifiedSplit, takeStratified } from './data/split.js';
export { TASKS, type TargetValues, type Task } from './data/targets.js';
export { decodeCheckpoint, encodeCheckpoint, type ModelCheckpoint } from './formats/checkpoint-bytes.js';
export {
  EXPORT_FORMATS,
  type ExportFormat,
  type ExportOptions,
  exportModel,
} from './formats/export/formats.js';
export { exportHub, type HubOptions } from './formats/hub/hub.js';
export type { TestFigures } from './formats/hub/test-figures.js';
export { type ImportedModel, type ImportOptions, importModel } from './formats/import/import.js';
export {
  type ClassificationScores,
  type ClassScores,
  type ConfusionMatrix,
  classificationScores,
  type Scores,
} from './metrics/classification.js';
export { type LabelScores, type MultilabelScores, multilabelScores } from './metrics/multilabel.js';
export { classRocAuc, logLoss, rocAuc, topKAccuracy } from './metrics/ranking.js';
export { type RegressionScores, regressionScores } from './metrics/regression.js';
export { classifierModel, type LabelledImages, type NetworkSpec } from './model/classifier.js';
export type { ModelOptions } from './model/create.js';
export type {
  ClassificationEvaluation,
  Evaluation,
  MultilabelEvaluation,
  RegressionEvaluation,
} from './model/evaluation.js';
export type { History, Model } from './model/model.js';
export type { Data, DataStream, FitAugment, FitOptions, StepEvent } from './model/options.js';
export type { FitRun } from './model/run.js';
export type { Decisions } from './model/set-up.js';
export type { BrowserWorker } from './threads/browser-worker.js';
export { type BatchRange, batchRanges } from './train/batches.js';
export type { Checkpoint, EpochFigures, StoppedEpoch } from './train/loop.js';
export type { LearningRate, Schedule, SchedulePlace } from './train/schedules.js';
export type { HeldData, ModelWorker, WorkerModel, WorkerOptions } from './worker/client.js';
