/** `treadle/experiment`: runs of many models on images in the IDX format, and their results, as `run-all` makes them. */
export { ARCHITECTURES, type Architecture, LEARNING_RATES } from '../fashion-mnist/architectures.js';
export { type Dataset, type LoadOptions, loadDataset } from '../fashion-mnist/dataset.js';
export * from '../results/records.js';
export { parseResults } from '../results/results.js';
export { type FoundCheckpoint, newestCheckpoint, saveCheckpoint } from './checkpoint-store.js';
export { defaultConfig, resolveConfig } from './config.js';
export { type DataShape, planJobs } from './jobs.js';
export { DEFAULT_BATCH_SIZE } from './limits.js';
export { type TrainJobsOptions, trainJobs } from './pool.js';
export type { DataChoice } from './prepare.js';
export { type RunAllOptions, type RunOutcome, runAll } from './run-all.js';
export { epochOrder, networkSeed } from './seeds.js';
export { type TestFilesOptions, testFiles } from './test-files.js';
export { type SampleIndices, type TrainingHooks, trainModel } from './train-job.js';
