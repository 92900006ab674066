import { PUBLISHED_BEST } from '../fashion-mnist/published.js';
import { classifierParameters } from '../model/classifier.js';
import { isCompared, publishedFigures } from '../results/compare.js';
import { CLASSIFIER_FIGURES } from '../results/epochs.js';
import {
  difference,
  duration,
  endOf,
  figure,
  furtherTitle,
  modelTitle,
  NONE,
  rateText,
  trainingSeconds,
  whole,
} from '../results/format.js';
import { passOf } from '../results/job-id.js';
import type { ModelRecord, RunResults } from '../results/records.js';
import { pickBest, shapeOf, smallestFirst } from '../results/results.js';
import { COMPARISONS } from './comparison.js';
import { type Content, html, type Markup } from './markup.js';

/** A column that the table of all models can be sorted by. */
interface Column {
  title: string;
  /** The order that the first press on its heading gives. */
  first: 'ascending' | 'descending';
  /** What it sorts by; null (always last) where a model has no such figure. */
  value: (model: ModelRecord, results: RunResults) => string | number | null;
  /** What it shows. */
  text: (value: number, model: ModelRecord) => string;
}

function score(title: string, value: (model: ModelRecord) => number | undefined): Column {
  return { title, first: 'descending', value: (model) => value(model) ?? null, text: figure };
}

const COLUMNS: readonly Column[] = [
  { title: 'Rate', first: 'descending', value: ({ learningRate }) => learningRate, text: rateText },
  {
    title: 'Parameters',
    first: 'ascending',
    value: ({ model }, { config, dataset }) => {
      const architecture = config.architectures.find(({ name }) => name === model);
      return architecture === undefined ? null : classifierParameters(shapeOf(architecture.hidden, dataset));
    },
    text: whole,
  },
  { title: 'Kept epoch', first: 'ascending', value: ({ kept }) => kept?.epoch ?? null, text: String },
  score('Val. F1', ({ kept }) => kept?.valMacroF1),
  score('Test accuracy', ({ test }) => test?.accuracy),
  score('Precision', ({ test }) => test?.precision),
  score('Recall', ({ test }) => test?.recall),
  score('F1', ({ test }) => test?.macroF1),
  { title: 'Test loss', first: 'ascending', value: ({ test }) => test?.loss ?? null, text: figure },
  { title: 'Training time', first: 'ascending', value: trainingSeconds, text: duration },
];

/** Every model in one table, to be sorted by any column; below it the reasons of those that failed or were interrupted. */
export function modelsTable(results: RunResults): Markup {
  const { models, best } = results;
  const heads = COLUMNS.map(({ title, first }) => sortHead(title, first));
  const rows = models.map((model) => {
    const isBest = model.id === best;
    const badges = [
      isBest ? html` <span class="badge best">best</span>` : null,
      model.error === undefined ? null : html` <span class="badge failed">${endOf(model)}</span>`,
    ];
    const cells = COLUMNS.map(({ value, text }) => {
      const found = value(model, results);
      const shown = found === null ? NONE : text(Number(found), model);
      return html`<td data-value="${found ?? ''}">${shown}</td>`;
    });
    return html`<tr${isBest ? html` class="best"` : null}><th scope="row" data-value="${model.model}">${model.model}${furtherTitle(model.id)}${badges}</th>${cells}</tr>\n`;
  });
  const failures = models
    .filter(({ error }) => error !== undefined)
    .map((model) => html`<li><strong>${modelTitle(model)}</strong> ${endOf(model)}: ${model.error}</li>\n`);
  return html`<div class="scroll" role="region" tabindex="0" aria-label="Table of all models">
<table class="figures" data-sortable>
<caption><span><span data-hint hidden>Press a heading to sort by it. </span>Precision, recall and F1 are macro averages: of the test, and Val. F1 of the kept epoch's validation.</span></caption>
<thead><tr>${sortHead('Model', 'ascending', html` class="name"`)}${heads}</tr></thead>
<tbody>
${rows}</tbody>
</table>
</div>
${failures.length === 0 ? null : html`<ul class="failures">\n${failures}</ul>`}`;
}

function sortHead(title: string, first: Column['first'], more: Markup | null = null): Markup {
  return html`<th scope="col"${more} data-first="${first}">${title}</th>`;
}

/** The run's figures beside the published ones, with the difference; only models that the report has too. */
export function publishedTable(results: RunResults): Markup {
  const measures = [
    ...COMPARISONS,
    {
      title: 'Test accuracy',
      own: ({ test }: ModelRecord) => test?.accuracy ?? null,
      published: ({ testAccuracy }: { testAccuracy: number | null }) => testAccuracy,
    },
  ];
  const groups = measures.map(
    ({ title }) => html`<th scope="colgroup" colspan="3" class="group">${title}</th>`,
  );
  const heads = measures.map(
    () =>
      html`<th scope="col" class="group">this run</th><th scope="col">published</th><th scope="col">difference</th>`,
  );
  const rows = results.models.flatMap((model) => {
    const figures = publishedFigures(results, model);
    if (figures === null) return [];
    const cells = measures.map(({ own, published }) => comparedCells(own(model), published(figures)));
    return [html`<tr><th scope="row">${modelTitle(model)}</th>${cells}</tr>\n`];
  });
  return html`<div class="scroll" role="region" tabindex="0" aria-label="Table beside the published report">
<table class="figures">
<caption><span>${NONE}: the report does not print the figure, or the model was not trained to its end.</span></caption>
<thead><tr><td></td>${groups}</tr>
<tr><th scope="col" class="name">Model</th>${heads}</tr></thead>
<tbody>
${rows}</tbody>
</table>
</div>`;
}

/** The best model of each pass by validation, beside the model that the published report calls its best. */
export function passesTable(results: RunResults): Markup {
  const { models, earlier = [], config, dataset } = results;
  const all = [...earlier, ...models];
  const order = smallestFirst(config, dataset);
  const published = isCompared(results) ? publishedFigures(results, PUBLISHED_BEST)?.valMacroF1 : undefined;
  const heads =
    published === undefined ? null : html`<th scope="col">published</th><th scope="col">difference</th>`;
  const rows = Array.from({ length: config.passes }, (_, index) => index + 1).map((pass) => {
    const trained = all.filter(({ id }) => passOf(id) === pass);
    const bestId = pickBest(trained, order);
    const best = trained.find(({ id }) => id === bestId);
    const score = best?.kept?.valMacroF1 ?? null;
    const change = published === undefined || score === null ? NONE : difference(score - published);
    const beside = published === undefined ? null : html`<td>${figure(published)}</td><td>${change}</td>`;
    return html`<tr><th scope="row">${pass}</th><td>${best === undefined ? NONE : modelTitle(best)}</td><td>${figure(score)}</td>${beside}</tr>\n`;
  });
  return html`<div class="scroll" role="region" tabindex="0" aria-label="Table of the passes">
<table class="figures">
<caption><span>The best model of each pass by validation macro-F1.</span></caption>
<thead><tr><th scope="col" class="name">Pass</th><th scope="col">Model</th><th scope="col">Val. F1</th>${heads}</tr></thead>
<tbody>
${rows}</tbody>
</table>
</div>`;
}

function comparedCells(own: number | null, published: number | null): Content {
  const change = own === null || published === null ? NONE : difference(own - published);
  return html`<td class="group">${figure(own)}</td><td>${figure(published)}</td><td>${change}</td>`;
}

/** Every epoch of one architecture, beside the published one where there is one. */
export function epochsTable(results: RunResults, architecture: string): Markup {
  const compared = isCompared(results);
  const models = results.models.filter(({ model }) => model === architecture);
  const groups = CLASSIFIER_FIGURES.map(
    ({ title }) =>
      html`<th scope="colgroup" colspan="${compared ? 2 : 1}" class="group">${title.replace('Validation', 'Val.')}</th>`,
  );
  const kinds = CLASSIFIER_FIGURES.map(
    () => html`<th scope="col" class="group">this run</th><th scope="col">published</th>`,
  );
  const rows = models.flatMap((model) => {
    const published = publishedFigures(results, model)?.epochs;
    return model.epochs.map((epoch) => {
      const cells = CLASSIFIER_FIGURES.map(({ name }, index) => [
        html`<td class="group">${figure(epoch[name])}</td>`,
        compared ? html`<td>${figure(published?.[epoch.epoch - 1]?.[index])}</td>` : null,
      ]);
      const kept = epoch.epoch === model.kept?.epoch ? html`<span class="badge best">kept</span> ` : null;
      return html`<tr><th scope="row">${rateText(model.learningRate)}${furtherTitle(model.id)}</th><td>${kept}${epoch.epoch}</td>${cells}</tr>\n`;
    });
  });
  const span = compared ? html` rowspan="2"` : null;
  return html`<div class="scroll" role="region" tabindex="0" aria-label="Epochs of ${architecture}">
<table class="figures">
<thead><tr><th scope="col" class="name"${span}>Rate</th><th scope="col"${span}>Epoch</th>${groups}</tr>${compared ? html`\n<tr>${kinds}</tr>` : null}</thead>
<tbody>
${rows}</tbody>
</table>
</div>`;
}
