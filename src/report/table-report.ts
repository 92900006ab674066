import type { Interval } from '../metrics/bootstrap.js';
import { duration, figure, NONE, whole } from '../results/format.js';
import type { Assessment, ClassAssessment } from '../table/assess.js';
import type { Importance } from '../table/importance.js';
import type { ColumnDecision } from '../table/kinds.js';
import { orderText, type SearchResults, settingsTried, settingText } from '../table/search/results.js';
import { type Spread, scoreOf, scoresOfTask } from '../table/search/scores.js';
import type { EpochFigures } from '../train/loop.js';
import { confusionChart, HEATMAP_KEY } from './heatmap.js';
import { type Content, html, type Markup, trusted } from './markup.js';
import { testDetails } from './matrix.js';
import { facts, headlineFigure, pageHtml, section } from './page.js';
import { type Chart, embedSvg } from './svg.js';
import { calibrationChart, numberCharts, thresholdCharts, trainingCharts } from './table-charts.js';

/** What a report of a table says. Plain JSON. */
export interface TableRecord {
  /** Name of the table's file. */
  source: string;
  targets: readonly string[];
  columns: readonly ColumnDecision[];
  rows: { train: number; validation: number; test: number };
  epochs: readonly EpochFigures[];
  /** The epoch whose weights the model has. */
  kept: number;
  task: 'classification' | 'regression';
  /** On the rows for testing; null where none were held out. */
  assessment: Assessment | null;
  /** What was compared before; null for a single training. */
  search: Pick<SearchResults, 'score' | 'task' | 'candidates'> | null;
  /** Of the rows for testing. */
  importance: Importance;
  settings: readonly (readonly [string, string])[];
  seconds: number;
}

/** The report of a model of a table: one page that needs no other file and no network. The same record gives the same bytes. */
export function tableReportHtml(record: TableRecord): string {
  const { source, targets, rows, assessment, search, seconds } = record;
  const parts = [
    `${whole(rows.train)} rows for training`,
    `${whole(rows.validation)} to end it in time`,
    ...(rows.test > 0 ? [`${whole(rows.test)} for the test`] : []),
  ];
  return pageHtml({
    title: `${targets.join(', ')} by ${source}`,
    lead: `${parts.join(', ')}. ${duration(seconds)} in all.`,
    sections: [
      ...(assessment === null ? [] : [section('scores', 'How well it does', scoresSection(assessment))]),
      ...(search === null ? [] : [section('search', 'What was compared', searchSection(search))]),
      section('importance', 'Which columns matter', importanceSection(record)),
      section('table', 'The table', tableSection(record)),
      section('training', 'Training', trainingSection(record)),
      section('run', 'How it was made', facts(record.settings)),
    ],
    origin: 'Written by treadle.',
  });
}

/** Candidates with their settings and scores, the best first; of a single one its folds. */
function searchSection({ candidates, score, task }: NonNullable<TableRecord['search']>): Content {
  const names = [score, ...scoresOfTask(task).filter((name) => name !== score)];
  const first = candidates[0]!;
  const isOne = candidates.length === 1;
  const settings = isOne ? [] : settingsTried(candidates);
  const spread = (found: Spread | undefined) =>
    found === undefined
      ? NONE
      : first.trials.length > 1
        ? `${figure(found.mean)} ± ${figure(found.deviation)}`
        : figure(found.mean);
  const line = (title: string, cells: readonly Content[], mark: string | null) =>
    html`<tr${mark === null ? null : trusted(` class="${mark}"`)}><th scope="row">${title}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>\n`;
  const lines = candidates.map((candidate, at) =>
    line(
      isOne ? 'Mean ± deviation' : candidate.id,
      [
        ...settings.map((name) => settingText(candidate.settings[name])),
        ...names.map((name) => spread(candidate.scores?.[name])),
      ],
      at === 0 && !isOne ? 'best' : null,
    ),
  );
  const folds = isOne
    ? first.trials.map(({ fold, scores }) =>
        line(
          `Fold ${fold ?? 1}`,
          names.map((name) => figure(scoreOf(scores!, name))),
          null,
        ),
      )
    : [];
  const what = isOne
    ? `Cross-validation with ${first.trials.length} folds.`
    : `${candidates.length} candidates by ${score}, ${orderText(score)}${first.trials.length > 1 ? `; means of ${first.trials.length} folds` : ''}.`;
  return html`<p>${what}</p>
<div class="scroll" role="region" tabindex="0" aria-label="Candidates"><table class="figures">
<thead><tr><th scope="col" class="name">${isOne ? 'Fold' : 'Candidate'}</th>${[...settings, ...names].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>
${[...folds, ...lines]}</tbody>
</table></div>`;
}

/** Figures of a test by their keys, in the order that they are shown in. */
const FIGURES = {
  classification: [
    ['accuracy', 'Accuracy'],
    ['macroF1', 'Macro-F1'],
    ['rocAuc', 'ROC AUC'],
    ['logLoss', 'Log loss'],
  ],
  regression: [
    ['r2', 'R2'],
    ['rmse', 'RMSE'],
    ['mae', 'MAE'],
  ],
} as const;

function scoresSection(assessment: Assessment): Content {
  const { intervals, scores } = assessment;
  const values = (scores.task === 'classification'
    ? { ...scores, macroF1: scores.macro.f1 }
    : scores) as unknown as Readonly<Record<string, number>>;
  const shown = FIGURES[assessment.task].filter(([key]) => Number.isFinite(values[key]));
  const headlines = shown.map(([key, title]) =>
    headlineFigure(title, figure(values[key]!), intervalText(intervals[key])),
  );
  return html`<p>On ${whole(assessment.rows)} rows that the model has not seen.</p>
<dl class="headline">${headlines}</dl>
<p class="note">95 %: where the figure lies with that probability, were other rows of the same kind held out (bootstrap).</p>
${assessment.task === 'classification' ? classDetails(assessment) : panels(assessment.outputs.flatMap(numberCharts))}`;
}

const intervalText = (interval: Interval | undefined) =>
  interval === undefined ? null : `95 %: ${figure(interval.low)} to ${figure(interval.high)}`;

function classDetails(assessment: ClassAssessment): Content {
  const { classes, scores, binary } = assessment;
  const { confusion, accuracy, macro } = scores;
  const test = { confusion, accuracy, macroF1: macro.f1 };
  const dataset = { classNames: [...classes] };
  const draw = () => confusionChart({ dataset }, { name: 'confusion', title: 'the model', test });
  const details = testDetails('the model', 'matrix', test, classes, draw, 'rows', null);
  const charts = [
    ...(binary === null ? [] : thresholdCharts(binary, assessment)),
    calibrationChart(assessment),
  ];
  return html`${details}
<p class="note">${HEATMAP_KEY}</p>
${panels(charts)}
<p class="note">Calibration: on the diagonal, what is said to be so with 80 % is so in 80 of 100 rows.</p>`;
}

function panels(charts: readonly Chart[]): Markup {
  const figures = charts.map(
    (chart, at) => html`<figure>${trusted(embedSvg(chart, `${chart.name}-${at}`))}</figure>\n`,
  );
  return html`<div class="panels">\n${figures}</div>`;
}

function importanceSection({ importance }: TableRecord): Content {
  const { columns, repeats } = importance;
  const most = columns.reduce((largest, { loss }) => Math.max(largest, loss), 0);
  const rows = columns.map(({ column, loss }) => {
    const share = most > 0 ? Math.max(0, (100 * loss) / most) : 0;
    return html`<tr><th scope="row">${column}</th><td>${figure(loss)}</td><td class="bar"><span style="width: ${share.toFixed(1)}%"></span></td></tr>\n`;
  });
  return html`<div class="scroll"><table class="figures bars">
<caption><span>How much the loss grows when a column's cells are shuffled over ${whole(importance.rows)} rows of the test (permutation importance, ${repeats === 1 ? 'one shuffle' : `the mean of ${repeats} shuffles`}).</span></caption>
<thead><tr><th scope="col" class="name">Column</th><th scope="col">Loss</th><th scope="col"><span class="unseen">as a bar</span></th></tr></thead>
<tbody>
${rows}</tbody>
</table></div>`;
}

const KIND_NAMES = {
  number: 'number',
  category: 'category',
  yesNo: 'yes or no',
  date: 'date',
  leave: 'left out',
} as const;

function tableSection({ columns, targets, rows }: TableRecord): Content {
  const total = rows.train + rows.validation + rows.test;
  const lines = columns.map(
    ({ name, kind, reason, missing, distinct }) =>
      html`<tr><th scope="row">${name}</th><td class="words">${KIND_NAMES[kind]}</td><td class="words">${reason}</td><td>${missing === 0 ? '' : `${whole(missing)} (${((100 * missing) / total).toFixed(1)} %)`}</td><td>${whole(distinct)}</td></tr>\n`,
  );
  return html`<p>${whole(total)} rows. To be predicted: ${targets.join(', ')}.</p>
<div class="scroll" role="region" tabindex="0" aria-label="Columns"><table class="figures">
<thead><tr><th scope="col" class="name">Column</th><th scope="col" class="words">Taken for</th><th scope="col" class="words">Because</th><th scope="col">Gaps</th><th scope="col">Different values</th></tr></thead>
<tbody>
${lines}</tbody>
</table></div>`;
}

function trainingSection({ task, epochs, kept }: TableRecord): Content {
  return html`<p class="note">Dashed: training rows. Solid: the rows that end training in time. Dot: the epoch that was kept (${kept} of ${epochs.length}).</p>
${panels(trainingCharts(task, epochs, kept))}`;
}
