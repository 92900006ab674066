import { type ClassificationScores, classificationScores } from '../metrics/classification.js';
import { figure, whole } from '../results/format.js';
import type { TestRecord } from '../results/records.js';
import { confusionsOf, confusionsTitle, MOST_CLASSES_IN_A_TABLE } from './confusions.js';
import { MOST_CLASSES_WITH_COUNTS } from './heatmap.js';
import { html, type Markup, trusted } from './markup.js';
import { cellStrength } from './strength.js';
import { type Chart, embedSvg } from './svg.js';

/** So many confusions are listed below the chart. */
const MOST_CONFUSIONS = 50;

/**
 * A model's confusion matrix beside its scores per class. `draw` draws the matrix as a chart; `samples` are called so,
 * and `counts` is the file that has every count, where there is one.
 */
export function testDetails(
  title: string,
  id: string,
  { confusion }: Pick<TestRecord, 'confusion'>,
  classNames: readonly string[],
  draw: () => Chart,
  samples = 'images',
  counts: string | null = 'results.json',
): Markup {
  const scores = classificationScores(confusion);
  const matrix =
    classNames.length > MOST_CLASSES_IN_A_TABLE
      ? html`<div><figure class="whole">${trusted(embedSvg(draw(), id))}</figure>
${confusionsTable(title, confusion, classNames, samples, counts)}</div>`
      : matrixTable(title, confusion, classNames, scores, samples);
  return html`<div class="pair${isDense(classNames) ? ' stacked' : null}">
${matrix}
${classTable(title, classNames, scores, samples)}
</div>`;
}

const capitalised = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

/** Whether the cells are too many to hold counts. */
function isDense(classNames: readonly string[]): boolean {
  return classNames.length > MOST_CLASSES_WITH_COUNTS;
}

function confusionsTable(
  title: string,
  confusion: readonly (readonly number[])[],
  classNames: readonly string[],
  samples: string,
  counts: string | null,
): Markup {
  const all = confusionsOf(confusion);
  const shown = all.slice(0, MOST_CONFUSIONS);
  const heading = confusionsTitle(shown.length, all.length, classNames.length);
  if (shown.length === 0) return html`<p class="note">${heading}</p>`;
  const rows = shown.map(
    ({ actual, predicted, count, share }) =>
      html`<tr><th scope="row">${classNames[actual]}</th><td>${whole(count)}</td><td>${(100 * share).toFixed(1)} %</td><td>${classNames[predicted]}</td></tr>\n`,
  );
  return html`<div class="scroll short" role="region" tabindex="0" aria-label="Confusions of ${title}">
<table class="figures">
<caption><span>${heading}${counts === null ? '' : `; ${counts} has every count`}.</span></caption>
<thead><tr><th scope="col" class="name">Actual</th><th scope="col">${capitalised(samples)}</th><th scope="col">Share</th><th scope="col">Predicted as</th></tr></thead>
<tbody>
${rows}</tbody>
</table>
</div>`;
}

function matrixTable(
  title: string,
  confusion: readonly (readonly number[])[],
  classNames: readonly string[],
  { classes }: ClassificationScores,
  samples: string,
): Markup {
  const heads = classNames.map((name) => html`<th scope="col"><span>${name}</span></th>`);
  const rows = confusion.map((row, actual) => {
    const cells = row.map((count, predicted) =>
      matrixCell(count, classes[actual]!.support, actual === predicted),
    );
    return html`<tr><th scope="row">${classNames[actual]}</th>${cells}</tr>\n`;
  });
  return html`<div class="scroll" role="region" tabindex="0" aria-label="Confusion matrix of ${title}">
<table class="matrix${isDense(classNames) ? ' dense' : null}">
<caption><span>Confusion matrix: ${samples} of each class, by what they were taken for</span></caption>
<thead><tr><th class="corner">actual ↓<br>predicted →</th>${heads}</tr></thead>
<tbody>
${rows}</tbody>
</table>
</div>`;
}

function matrixCell(count: number, support: number, hit: boolean): Markup {
  const strength = Math.round(100 * cellStrength(count, support, hit));
  if (hit) return html`<td class="hit" style="--s:${strength}">${count}</td>`;
  return count === 0 ? html`<td class="none">0</td>` : html`<td style="--s:${strength}">${count}</td>`;
}

function classTable(
  title: string,
  classNames: readonly string[],
  { classes, macro }: ClassificationScores,
  samples: string,
): Markup {
  const rows = classes.map(
    ({ precision, recall, f1, support }, index) =>
      html`<tr><th scope="row">${classNames[index]}</th><td>${figure(precision)}</td><td>${figure(recall)}</td><td>${figure(f1)}</td><td>${whole(support)}</td></tr>\n`,
  );
  const total = classes.reduce((sum, { support }) => sum + support, 0);
  return html`<div class="scroll${isDense(classNames) ? ' short' : null}" role="region" tabindex="0" aria-label="Scores per class of ${title}">
<table class="figures">
<caption><span>Scores per class</span></caption>
<thead><tr><th scope="col" class="name">Class</th><th scope="col">Precision</th><th scope="col">Recall</th><th scope="col">F1</th><th scope="col">${capitalised(samples)}</th></tr></thead>
<tbody>
${rows}</tbody>
<tfoot><tr><th scope="row">Macro average</th><td>${figure(macro.precision)}</td><td>${figure(macro.recall)}</td><td>${figure(macro.f1)}</td><td>${whole(total)}</td></tr></tfoot>
</table>
</div>`;
}
