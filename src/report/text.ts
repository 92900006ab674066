import { styleText } from 'node:util';
import Table from 'cli-table3';
import { classificationScores } from '../metrics/classification.js';
import { CLASSIFIER_FIGURES } from '../results/epochs.js';
import {
  clip,
  duration,
  endOf,
  figure,
  furtherTitle,
  modelTitle,
  NONE,
  printable,
  rateText,
  trainingSeconds,
  whole,
} from '../results/format.js';
import type { EnsembleRecord, RunResults, TestRecord } from '../results/records.js';
import { bestModel } from '../results/results.js';
import { confusionsOf, confusionsTitle, MOST_CLASSES_IN_A_TABLE } from './confusions.js';
import { ensembleText, ensembleTitle } from './ensemble.js';
import { fitParts, fitTable, visibleWidth } from './fit.js';

/** How the tables are printed. */
export interface TextOptions {
  /** Whether to use colour: only for a terminal, and not where NO_COLOR is set. */
  color: boolean;
  /** No table is wider than this many characters (100 when left out), unless one of its columns is. */
  columns?: number;
}

/** Width of output that is no terminal, in characters. */
const FILE_COLUMNS = 100;

/** Width of a terminal that does not tell its own. */
const USUAL_COLUMNS = 80;

/** How tables are printed on a stream: as wide as its terminal and, if it wants that, in colour. */
export function textOptions(
  stream: { isTTY?: boolean; columns?: number },
  environment: NodeJS.ProcessEnv = process.env,
): Required<TextOptions> {
  const columns = stream.isTTY === true ? stream.columns || USUAL_COLUMNS : FILE_COLUMNS;
  return { color: wantsColor(stream, environment), columns };
}

/** Whether a stream should get colour: it is a terminal that knows any, and the user has not set NO_COLOR. */
export function wantsColor(
  stream: { isTTY?: boolean },
  environment: NodeJS.ProcessEnv = process.env,
): boolean {
  return stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb';
}

/** So many confusions are listed where the matrix is too wide. */
const MOST_CONFUSIONS = 20;

/** All tables of a run, in the order of the published report: epochs, tests, best model. */
export function resultsText(results: RunResults, options: TextOptions): string {
  const { ensemble } = results;
  return [
    epochsText(results, options),
    testsText(results, options),
    bestText(results, options),
    ...(ensemble === undefined ? [] : [ensembleTables(results, ensemble, options)]),
  ].join('\n\n');
}

/** The mean of several models: how it was chosen, and its test. */
function ensembleTables(results: RunResults, ensemble: EnsembleRecord, options: TextOptions): string {
  return [
    heading(`Ensemble: ${ensembleTitle(ensemble.members.length)}`, options),
    ensembleText(results, ensemble),
    testText(ensemble.test, results.dataset.classNames, options),
  ].join('\n');
}

/** One row per model and epoch; the kept epoch carries a star. */
export function epochsText({ models }: RunResults, options: TextOptions): string {
  const head = ['model', 'rate', 'epoch', ...CLASSIFIER_FIGURES.map(({ brief }) => brief), 'seconds'];
  const rows = models.flatMap(({ id, model, learningRate, epochs, kept }) =>
    epochs.map((epoch, index) => {
      const isKept = epoch.epoch === kept?.epoch;
      const row = [
        index === 0 ? clip(model, 16) : '',
        index === 0 ? `${rateText(learningRate)}${furtherTitle(id)}` : '',
        isKept ? `* ${epoch.epoch}` : String(epoch.epoch),
        ...CLASSIFIER_FIGURES.map(({ name }) => figure(epoch[name])),
        epoch.seconds.toFixed(1),
      ];
      return isKept ? row.map((cell) => style('bold', cell, options)) : row;
    }),
  );
  const title = heading('Epochs (* kept; F1 is the macro average)', options);
  return `${title}\n${rows.length === 0 ? 'No epoch was finished.' : table(head, rows, options, 3)}`;
}

/** One row per model: its kept epoch and its test; failed models with their reason below. */
export function testsText({ models, best }: RunResults, options: TextOptions): string {
  const head = ['model', 'rate', 'epoch', 'val F1', 'accuracy', 'precision', 'recall', 'F1', 'loss', 'time'];
  const rows = models.map((record) => {
    const { model, learningRate, kept, test } = record;
    const row = [
      clip(model, 16),
      `${rateText(learningRate)}${furtherTitle(record.id)}`,
      kept === null ? NONE : String(kept.epoch),
      figure(kept?.valMacroF1),
      figure(test?.accuracy),
      figure(test?.precision),
      figure(test?.recall),
      figure(test?.macroF1),
      figure(test?.loss),
      duration(trainingSeconds(record)),
    ];
    const isBest = record.id === best;
    return isBest ? row.map((cell) => style(['bold', 'green'], cell, options)) : row;
  });
  const failures = models
    .filter(({ error }) => error !== undefined)
    .map((record) =>
      style('red', `${modelTitle(record)} ${endOf(record)}: ${printable(record.error!)}`, options),
    );
  return [
    heading('Tests (precision, recall and F1 are macro averages)', options),
    table(head, rows, options, 3),
    ...failures,
  ].join('\n');
}

/** The best model: accuracy, precision, recall and F1, each class's scores, and the confusion matrix. */
export function bestText(results: RunResults, options: TextOptions): string {
  const best = bestModel(results);
  if (best === undefined) return heading('Best model: none, because no model was trained.', options);
  const title = heading(`Best model: ${modelTitle(best)}`, options);
  const chosen = `validation macro-F1 ${figure(best.kept?.valMacroF1)} in epoch ${best.kept?.epoch ?? NONE}`;
  if (best.test === null) return [title, chosen, 'It was not tested.'].join('\n');
  return [title, chosen, testText(best.test, results.dataset.classNames, options)].join('\n');
}

/** One test in full: headline figures, each class's scores, and the confusion matrix. */
export function testText(test: TestRecord, classNames: readonly string[], options: TextOptions): string {
  const headline: [string, number][] = [
    ['accuracy', test.accuracy],
    ['precision', test.precision],
    ['recall', test.recall],
    ['macro-F1', test.macroF1],
    ['loss', test.loss],
  ];
  const figures = fitParts(
    headline.map(([title, value]) => `${title} ${style('bold', figure(value), options)}`),
    widthOf(options),
  );
  const { classes, macro } = classificationScores(test.confusion);
  const support = classes.reduce((total, scores) => total + scores.support, 0);
  const rows = [
    ...classes.map((scores, index) => [
      name(classNames[index]!),
      ...scoreCells(scores),
      whole(scores.support),
    ]),
    ['macro average', ...scoreCells(macro), whole(support)],
  ];
  const perClass = table(['class', 'precision', 'recall', 'F1', 'support'], rows, options);
  return [figures, '', perClass, '', confusionText(test.confusion, classNames, options)].join('\n');
}

function scoreCells({ precision, recall, f1 }: { precision: number; recall: number; f1: number }): string[] {
  return [precision, recall, f1].map(figure);
}

/** The confusion matrix, or its largest confusions where it is too large or too wide for the terminal. */
function confusionText(
  confusion: readonly (readonly number[])[],
  classNames: readonly string[],
  options: TextOptions,
): string {
  if (classNames.length > MOST_CLASSES_IN_A_TABLE) return largestConfusions(confusion, classNames, options);
  const heads = shortNames(classNames);
  const labels = classNames.map((className, index) => {
    const numbered = heads[index] === String(index) && className !== heads[index];
    return numbered ? `${index} ${name(className)}` : name(className);
  });
  const rows = confusion.map((row, actual) => [
    labels[actual]!,
    ...row.map((count, predicted) => matrixCell(count, actual === predicted, options)),
  ]);
  const matrix = drawTable(['actual \\ predicted', ...heads], rows, 2, options);
  if (Math.max(...matrix.split('\n').map(visibleWidth)) <= widthOf(options)) return matrix;
  return largestConfusions(confusion, classNames, options);
}

function largestConfusions(
  confusion: readonly (readonly number[])[],
  classNames: readonly string[],
  options: TextOptions,
): string {
  const all = confusionsOf(confusion);
  const rows = all
    .slice(0, MOST_CONFUSIONS)
    .map(({ actual, predicted, count, share }) => [
      name(classNames[actual]!),
      String(count),
      `${(100 * share).toFixed(1)} %`,
      name(classNames[predicted]!),
    ]);
  const title = confusionsTitle(rows.length, all.length, classNames.length);
  if (rows.length === 0) return title;
  return `${title}:\n${table(['actual', 'count', 'share', 'predicted as'], rows, options)}`;
}

/** Column heads of four characters that tell the classes apart, or the classes' numbers where these cannot. */
function shortNames(classNames: readonly string[]): string[] {
  const short = classNames.map((className) => [...printable(className).trim()].slice(0, 4).join('').trim());
  const distinct = new Set(short).size === short.length && !short.includes('');
  return distinct ? short : classNames.map((_, index) => String(index));
}

type Style = Parameters<typeof styleText>[0];

function matrixCell(count: number, hit: boolean, options: TextOptions): string {
  if (hit) return style(['bold', 'green'], String(count), options);
  return count === 0 ? style('dim', '0', options) : String(count);
}

function style(format: Style, text: string, { color }: TextOptions): string {
  return color ? styleText(format, text, { validateStream: false }) : text;
}

function heading(text: string, options: TextOptions): string {
  return style(['bold', 'cyan'], text, options);
}

function name(text: string): string {
  return clip(printable(text), 20);
}

function widthOf({ columns = FILE_COLUMNS }: TextOptions): number {
  return columns;
}

/** A table that keeps within the columns there are; its first `keys` columns name the row. */
function table(head: readonly string[], rows: readonly string[][], options: TextOptions, keys = 1): string {
  return fitTable(head, rows, keys, widthOf(options), (...part) => drawTable(...part, options));
}

/** A table with a rule under its head and no other lines; the first column to the left, all others to the right. */
function drawTable(
  head: readonly string[],
  rows: readonly string[][],
  gap: number,
  options: TextOptions,
): string {
  const drawn = new Table({
    head: head.map((cell) => style('dim', cell, options)),
    colAligns: head.map((_, index) => (index === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
    chars: {
      ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
      ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
      ...{ left: '', 'left-mid': '', mid: '─', 'mid-mid': '─'.repeat(gap), right: '', 'right-mid': '' },
      middle: ' '.repeat(gap),
    },
  });
  drawn.push(...rows);
  return drawn.toString();
}
