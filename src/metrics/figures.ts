import type { Task } from '../data/targets.js';

/** One figure of an epoch: what it is called, and how it is shown. */
export interface FigureRow {
  /** Its key in an epoch's figures. */
  readonly name: string;
  /** Its column in CSV files. */
  readonly column: string;
  readonly title: string;
  /** The chart that it is drawn in. */
  readonly panel: 'loss' | 'accuracy' | 'f1' | 'r2' | 'error';
  readonly side: 'train' | 'validation';
  /** Digits behind the point. */
  readonly digits: number;
  readonly better: 'lower' | 'higher';
  /** The tasks that have it; null for all. */
  readonly tasks: readonly Task[] | null;
}

const row = (
  name: string,
  column: string,
  title: string,
  panel: FigureRow['panel'],
  better: FigureRow['better'],
  tasks: FigureRow['tasks'],
): FigureRow => {
  const side = name.startsWith('train') ? 'train' : 'validation';
  return { name, column, title, panel, side, digits: 4, better, tasks };
};

/** THE table of epoch figures: files, tables, curves, progress and schemas read it. */
export const EPOCH_FIGURES: readonly FigureRow[] = [
  row('trainLoss', 'train_loss', 'Train loss', 'loss', 'lower', null),
  row('trainAccuracy', 'train_accuracy', 'Train accuracy', 'accuracy', 'higher', ['classification']),
  row('valLoss', 'val_loss', 'Validation loss', 'loss', 'lower', null),
  row('valAccuracy', 'val_accuracy', 'Validation accuracy', 'accuracy', 'higher', [
    'classification',
    'multilabel',
  ]),
  row('valMacroF1', 'val_macro_f1', 'Validation macro-F1', 'f1', 'higher', ['classification', 'multilabel']),
  row('valMicroF1', 'val_micro_f1', 'Validation micro-F1', 'f1', 'higher', ['multilabel']),
  row('valR2', 'val_r2', 'Validation R2', 'r2', 'higher', ['regression']),
  row('valRmse', 'val_rmse', 'Validation RMSE', 'error', 'lower', ['regression']),
  row('valMae', 'val_mae', 'Validation MAE', 'error', 'lower', ['regression']),
];

/** The figures that a task has. */
export function figuresOf(task: Task): readonly FigureRow[] {
  return EPOCH_FIGURES.filter(({ tasks }) => tasks === null || tasks.includes(task));
}
