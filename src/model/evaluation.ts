import { type ModelSpec, type NetworkEvaluation, outputsOf } from '#bindings';
import type { Task } from '../data/targets.js';
import { type ClassificationScores, classificationScores } from '../metrics/classification.js';
import { type MultilabelScores, multilabelScores } from '../metrics/multilabel.js';
import { classRocAuc, logLoss, topKAccuracy } from '../metrics/ranking.js';
import { type RegressionScores, regressionScores } from '../metrics/regression.js';

/** How well a model does on samples, with scikit-learn's definitions. */
export type Evaluation = ClassificationEvaluation | MultilabelEvaluation | RegressionEvaluation;

export interface ClassificationEvaluation extends ClassificationScores {
  task: 'classification';
  samples: number;
  /** Mean loss as training minimises it, weighted where samples have weights. */
  loss: number;
  /** confusion[actual][predicted]: counts. */
  confusion: number[][];
  logLoss: number;
  /** Of the second class where there are two, else one against the rest; NaN where a class is missing. */
  rocAuc: number;
  /** Share of samples whose class is among the five most probable; with fewer than six classes 1. */
  top5Accuracy: number;
}

export interface MultilabelEvaluation extends MultilabelScores {
  task: 'multilabel';
  samples: number;
  loss: number;
}

export interface RegressionEvaluation extends RegressionScores {
  task: 'regression';
  samples: number;
  /** Mean loss as training minimises it: of standardised targets, where the model standardises them. */
  loss: number;
}

/** The place of the largest value; the first of equals. */
export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let at = 1; at < values.length; at++) if (values[at]! > values[best]!) best = at;
  return best;
}

/** Counts of predictions: confusion[actual][predicted]. */
export function confusionOf(
  labels: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
): number[][] {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let row = 0; row < predicted.length; row++) confusion[labels[row]!]![predicted[row]!]! += 1;
  return confusion;
}

/** The scores of a task from what the core found. */
export function scoresOf(
  task: Task,
  model: ModelSpec,
  targets: ArrayLike<number>,
  { loss, predicted, outputs }: NetworkEvaluation,
  weights?: ArrayLike<number>,
): Evaluation {
  const width = outputsOf(model);
  const values = outputs!;
  const samples = values.length / width;
  if (task === 'classification') {
    const confusion = confusionOf(targets, predicted!, width);
    return {
      task,
      samples,
      loss,
      ...classificationScores(confusion),
      confusion,
      logLoss: logLoss(targets, values, width),
      rocAuc: classRocAuc(targets, values, width),
      top5Accuracy: topKAccuracy(targets, values, width, Math.min(5, width)),
    };
  }
  if (task === 'multilabel') return { task, samples, loss, ...multilabelScores(targets, values, width) };
  return { task, samples, loss, ...regressionScores(targets, values, width, weights) };
}

/** The figures of an epoch that an evaluation gives. */
export function figuresFrom(evaluation: Evaluation): Record<string, number> {
  if (evaluation.task === 'classification') {
    const { loss, accuracy, macro } = evaluation;
    return { valLoss: loss, valAccuracy: accuracy, valMacroF1: macro.f1 };
  }
  if (evaluation.task === 'multilabel') {
    const { loss, accuracy, macro, micro } = evaluation;
    return { valLoss: loss, valAccuracy: accuracy, valMacroF1: macro.f1, valMicroF1: micro.f1 };
  }
  const { loss, r2, rmse, mae } = evaluation;
  return { valLoss: loss, valR2: r2, valRmse: rmse, valMae: mae };
}
