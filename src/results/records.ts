import type { NetworkSpec } from '../model/classifier.js';
import type { FitAugment } from '../model/options.js';
import type { Weights } from '../train/loop.js';

/** What a run was asked to do: `runs/<id>/config.json`. Plain data, safe to serialise. */
export interface RunConfig {
  /** Every architecture in report order: its name and hidden widths, and what it has in place of the run's own. */
  architectures: {
    name: string;
    hidden: number[];
    dropout?: number | undefined;
    augment?: FitAugment | null | undefined;
  }[];
  learningRates: number[];
  /** How a rate changes over a model's steps: not at all, or from 0 up in 5 % of them and along a cosine to 0. */
  schedule: 'constant' | 'cosine';
  mode: 'chained' | 'independent';
  /** Times that the chain of rates is gone through, each from the last weights of the one before; 1 in other modes. */
  passes: number;
  epochs: number;
  batchSize: number;
  dropout: number;
  /** How images are changed in training; null for not at all. */
  augment: FitAugment | null;
  /** Of all random numbers of the first models, and of which samples are held out. */
  seed: number;
  /** Models of each architecture and rate, whose seeds follow one another; where there are several, an ensemble is tested too. */
  seeds: number;
  /** Null for the default: 10,000, or a sixth of the training images where that is fewer. */
  validationSize: number | null;
  /** Training samples used of those left after the split; null for all. */
  trainSamples: number | null;
  keep: 'best' | 'last';
  /** What tests are averaged over: nothing, or an image and its mirror image. */
  average: 'none' | 'flip';
  jobs: number;
  threads: number;
  build: string;
}

/** The dataset's identity, as results and weight files have it. */
export interface DatasetRecord {
  name: string;
  /** Where the files came from, in words a person understands. */
  source: string;
  /** SHA-256 (hex) over the four decompressed files' own SHA-256 digests, in the order of IDX_FILES. */
  hash: string;
  imageWidth: number;
  imageHeight: number;
  classNames: string[];
  trainSamples: number;
  validationSamples: number;
  testSamples: number;
}

/** One model to train: a plain record that a queue could carry to another machine. */
export interface Job {
  /** Unique in the run, e.g. `large1_0.005`. */
  id: string;
  model: string;
  learningRate: number;
  schedule: RunConfig['schedule'];
  /** From 1. */
  pass: number;
  spec: NetworkSpec;
  epochs: number;
  batchSize: number;
  augment: FitAugment | null;
  seed: number;
  keep: 'best' | 'last';
  build: string;
  /** SHA-256 (hex) of the weights file that it starts from; null for fresh weights, and for a parent's. */
  from: string | null;
  /** Chained mode: the job whose final weights this one starts from. */
  parent: string | null;
}

/** Figures of one finished epoch. Losses are means per sample, in nats. */
export interface EpochRecord {
  /** From 1. */
  epoch: number;
  /** Running means over the epoch's training batches (dropout on), as they were trained. */
  trainLoss: number;
  trainAccuracy: number;
  valLoss: number;
  valAccuracy: number;
  valMacroF1: number;
  seconds: number;
}

/** Figures of one test. `confusion[actual][predicted]` are counts. */
export interface TestRecord {
  accuracy: number;
  /** Macro averages. */
  precision: number;
  recall: number;
  macroF1: number;
  loss: number;
  confusion: number[][];
}

export interface ModelRecord {
  /** Of the job that trained it; unique in the run. */
  id: string;
  /** Its architecture. */
  model: string;
  learningRate: number;
  epochs: EpochRecord[];
  /** The epoch whose weights were saved; null when training failed. */
  kept: { epoch: number; valMacroF1: number } | null;
  /** Paths of the weight files: relative inside the folder that the command ran in, absolute outside. */
  weights: string[];
  /** Null when training failed. */
  test: TestRecord | null;
  /** One sentence when training failed or was interrupted. */
  error?: string;
  /** True when it was interrupted: then resuming the run goes on with it. */
  interrupted?: boolean;
}

/** The test of several models as one: by the mean of their probabilities. */
export interface EnsembleRecord {
  /** Ids of its models, the best by validation first. */
  members: string[];
  /** Accuracy of the mean on the validation samples, by which the number of members is chosen. */
  valAccuracy: number;
  /** Share of the test samples of which all members say the same. */
  agreement: number;
  test: TestRecord;
}

/** `runs/<id>/results.json`. */
export interface RunResults {
  schema: 2;
  environment: {
    node: string;
    v8: string;
    build: string;
    /** The micro-kernels in use, such as `6x8/32`, and whether V8 joined 128-bit operations: speed only. */
    kernels: string;
    revectorized: boolean;
    cpu: string;
    cores: number;
    seconds: number;
  };
  config: RunConfig;
  dataset: DatasetRecord;
  /** Of the last pass. */
  models: ModelRecord[];
  /** Of the passes before, in their order: their epochs, without tests and files. Left out where there are none. */
  earlier?: ModelRecord[];
  /** The mean of several models' probabilities, where the run has several seeds. */
  ensemble?: EnsembleRecord;
  /** Id of the model of highest validation macro-F1, ties to the earlier epoch, then the smaller; null when all failed. */
  best: string | null;
}

/** What training a job gives. */
export interface TrainedModel {
  epochs: EpochRecord[];
  kept: { epoch: number; valMacroF1: number };
  /** Weights of the kept epoch. */
  weights: Weights;
  /** Weights after the last epoch: what the next rate of a chain starts from. */
  last: Weights;
}

/** What happens while a run goes on; `--json` prints one per line. */
export type RunEvent =
  | {
      type: 'run';
      id: string;
      folder: string;
      models: number;
      /** Trainable parameters of each architecture, by name: the relative work of an epoch. */
      parameters: Record<string, number>;
      epochs: number;
      build: string;
      jobs: number;
      threads: number;
      /** True when the run goes on from its checkpoints. */
      resumed: boolean;
    }
  | {
      type: 'start';
      job: string;
      model: string;
      learningRate: number;
      epochs: number;
      stepsPerEpoch: number;
      /** Epochs that a checkpoint holds: training goes on after them. Empty for a model that begins. */
      finished: EpochRecord[];
    }
  | {
      type: 'step';
      job: string;
      epoch: number;
      step: number;
      steps: number;
      loss: number;
      samplesPerSecond: number;
      threads: number;
    }
  | ({ type: 'epoch'; job: string; model: string; learningRate: number; threads: number } & EpochRecord)
  | { type: 'warning'; job: string; message: string }
  | { type: 'saved'; job: string; weights: string[]; kept: { epoch: number; valMacroF1: number } }
  | { type: 'failed'; job: string; model: string; learningRate: number; code: string; message: string }
  | ({ type: 'test'; job: string; model: string; learningRate: number } & TestRecord)
  | ({ type: 'ensemble' } & EnsembleRecord)
  | { type: 'best'; job: string; model: string; learningRate: number }
  /** `report` is null where none was asked for. */
  | { type: 'done'; results: string; report: string | null; seconds: number };
