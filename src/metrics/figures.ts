import type { Task } from '../data/targets.js';

/** One figure of an epoch: what it is called, and how it is shown. */
export interface FigureRow {
  /** Its key in an epoch's figures. */
  readonly name: string;
  /** Its column in CSV files. */
  readonly column: string;
  readonly title: string;
  /** Its title where there is little room. */
  readonly brief: string;
  /** The panel of a chart that it is drawn in. */
  readonly panel: PanelName;
  readonly side: 'train' | 'validation';
  readonly better: 'lower' | 'higher';
  /** The tasks that have it; null for all. */
  readonly tasks: readonly Task[] | null;
}

/** Panels of charts, each with the title and the largest value that its figures can have. */
export const PANELS = {
  loss: { name: 'loss', title: 'Loss', most: Number.POSITIVE_INFINITY },
  accuracy: { name: 'accuracy', title: 'Accuracy', most: 1 },
  f1: { name: 'macro-f1', title: 'Validation macro-F1', most: 1 },
  r2: { name: 'r2', title: 'Validation R2', most: 1 },
  error: { name: 'error', title: 'Validation error', most: Number.POSITIVE_INFINITY },
} as const;

export type PanelName = keyof typeof PANELS;

const row = (
  name: string,
  column: string,
  title: string,
  brief: string,
  panel: PanelName,
  better: FigureRow['better'],
  tasks: FigureRow['tasks'],
): FigureRow => {
  const side = name.startsWith('train') ? 'train' : 'validation';
  return { name, column, title, brief, panel, side, better, tasks };
};

const CLASSES: readonly Task[] = ['classification'];
const LABELS: readonly Task[] = ['classification', 'multilabel'];
const NUMBERS: readonly Task[] = ['regression'];

/** THE table of epoch figures: CSV files, tables, curves, progress, schemas and checkpoints read it. */
export const EPOCH_FIGURES: readonly FigureRow[] = [
  row('trainLoss', 'train_loss', 'Train loss', 'train loss', 'loss', 'lower', null),
  row('trainAccuracy', 'train_accuracy', 'Train accuracy', 'train acc', 'accuracy', 'higher', CLASSES),
  row('valLoss', 'val_loss', 'Validation loss', 'val loss', 'loss', 'lower', null),
  row('valAccuracy', 'val_accuracy', 'Validation accuracy', 'val acc', 'accuracy', 'higher', LABELS),
  row('valMacroF1', 'val_macro_f1', 'Validation macro-F1', 'val F1', 'f1', 'higher', LABELS),
  row('valMicroF1', 'val_micro_f1', 'Validation micro-F1', 'val micro-F1', 'f1', 'higher', ['multilabel']),
  row('valR2', 'val_r2', 'Validation R2', 'val R2', 'r2', 'higher', NUMBERS),
  row('valRmse', 'val_rmse', 'Validation RMSE', 'val RMSE', 'error', 'lower', NUMBERS),
  row('valMae', 'val_mae', 'Validation MAE', 'val MAE', 'error', 'lower', NUMBERS),
];

/** The figures that a task has. */
export function figuresOf(task: Task): readonly FigureRow[] {
  return EPOCH_FIGURES.filter(({ tasks }) => tasks === null || tasks.includes(task));
}
