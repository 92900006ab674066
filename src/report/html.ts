import { hasPublishedArchitecture, isCompared, publishedBest } from '../results/compare.js';
import { difference, duration, figure, modelTitle, rateText, whole } from '../results/format.js';
import type { EnsembleRecord, RunConfig, RunResults, TestRecord } from '../results/records.js';
import { bestModel, isTested } from '../results/results.js';
import { COMPARISONS, comparisonKey, comparisonPanel, hasComparison } from './comparison.js';
import { curvesKey, curvesPanel, hasCurves, MEASURES, modelsOf, seriesOf } from './curves.js';
import { type DrawnTest, drawnModel } from './drawn-test.js';
import { drawnEnsemble, ensembleText, membersTable } from './ensemble.js';
import { confusionChart, HEATMAP_KEY } from './heatmap.js';
import { type Content, html, type Markup, trusted } from './markup.js';
import { testDetails } from './matrix.js';
import { facts, headlineFigure, pageHtml, section } from './page.js';
import { type Chart, embedSvg } from './svg.js';
import { epochsTable, modelsTable, passesTable, publishedTable } from './tables.js';
import { type SeriesStyle, seriesStyle } from './theme.js';

/**
 * `report.html`: one page that needs no other file and no network; the same results give the same bytes. Charts
 * that are `drawn` already are not drawn again.
 */
export function reportHtml(results: RunResults, drawn: readonly Chart[] = []): string {
  const { config, dataset, environment, models, ensemble } = results;
  const matrices = new Map(drawn.map((chart) => [chart.name, chart]));
  const matrixOf = (test: DrawnTest): Chart => {
    const matrix = matrices.get(test.name) ?? confusionChart(results, test);
    matrices.set(test.name, matrix);
    return matrix;
  };
  const count = models.length === 1 ? 'one model' : `${models.length} models`;
  const sections = [
    section('best', 'Best model', bestSection(results, matrixOf)),
    ensemble === undefined
      ? null
      : section('ensemble', 'The ensemble', ensembleSection(results, ensemble, matrixOf)),
    section('models', 'All models', modelsSection(results)),
    isCompared(results)
      ? section('published', 'Beside the published report', publishedSection(results))
      : null,
    section('curves', 'Curves', curvesSection(results)),
    section('matrices', 'Confusion matrices', matricesSection(results, matrixOf)),
    section('run', 'The run', runSection(results)),
    section('repeat', 'How to repeat it', repeatSection(results)),
  ].filter((part) => part !== null);
  return pageHtml({
    title: `${dataset.name}: ${count}`,
    lead: html`${whole(dataset.trainSamples)} training, ${whole(dataset.validationSamples)} validation and ${whole(dataset.testSamples)} test images in ${dataset.classNames.length} classes. ${config.mode === 'chained' ? 'Chained' : 'Independent'} training, ${config.epochs} ${config.epochs === 1 ? 'epoch' : 'epochs'} per model, ${duration(environment.seconds)} in all.`,
    sections,
    origin: 'Written by treadle from results.json.',
  });
}

function bestSection(results: RunResults, matrixOf: (test: DrawnTest) => Chart): Content {
  const best = bestModel(results);
  if (best === undefined)
    return html`<p>No model was trained to the end of an epoch, so there is no best model.</p>`;
  const { kept } = best;
  const lead = html`<p><strong>${modelTitle(best)}</strong> has the highest validation macro-F1 of all models: ${figure(kept?.valMacroF1)} in epoch ${kept?.epoch}.</p>`;
  if (!isTested(best)) return [lead, html`<p>It was not tested.</p>`];
  const { test } = best;
  return html`${lead}
${headlines(results, test)}
${testDetails('the best model', 'matrix-best', test, results.dataset.classNames, () =>
  matrixOf(drawnModel(best)),
)}
<p class="note">${HEATMAP_KEY}</p>`;
}

/** How several models do as one, beside each of them. */
function ensembleSection(
  results: RunResults,
  ensemble: EnsembleRecord,
  matrixOf: (test: DrawnTest) => Chart,
): Content {
  const drawn = drawnEnsemble(ensemble);
  return html`<p>${ensembleText(results, ensemble)}</p>
${headlines(results, ensemble.test)}
${membersTable(results, ensemble)}
${testDetails('the ensemble', 'matrix-ensemble', ensemble.test, results.dataset.classNames, () => matrixOf(drawn))}
<p class="note">${HEATMAP_KEY}</p>`;
}

/** The figures of a test in large type, beside those of the published report's best. */
function headlines(results: RunResults, test: TestRecord): Content {
  const other = hasPublishedArchitecture(results) ? publishedBest() : null;
  return html`<dl class="headline">
${headline('Test accuracy', test.accuracy, other?.accuracy)}
${headline('Precision', test.precision, other?.macro.precision)}
${headline('Recall', test.recall, other?.macro.recall)}
${headline('Macro-F1', test.macroF1, other?.macro.f1)}
${headline('Test loss', test.loss)}
</dl>
${other === null ? null : html`<p class="note">Published: the model that the published report calls its best, ${modelTitle(other)}.</p>`}`;
}

function headline(title: string, value: number, published?: number): Markup {
  const against =
    published === undefined ? null : `published ${figure(published)} (${difference(value - published)})`;
  return headlineFigure(title, figure(value), against);
}

function modelsSection(results: RunResults): Content {
  const tables = [modelsTable(results), results.config.passes > 1 ? passesTable(results) : null];
  if (isCompared(results)) return tables;
  return [...tables, hasComparison(results) ? comparisonPanels(results) : null];
}

function publishedSection(results: RunResults): Content {
  const { config } = results;
  const epochs =
    config.epochs === 10 ? '' : ` This run gave each model ${config.epochs}; the report gives ten.`;
  const mode =
    config.mode === 'chained'
      ? ''
      : ' This run trained every model from fresh weights; the report carries them from rate to rate.';
  return html`<p>A published report on the same classifiers prints validation figures of every epoch and four of its twelve test matrices.${epochs}${mode}</p>
${hasComparison(results) ? comparisonPanels(results) : null}
${publishedTable(results)}`;
}

function comparisonPanels(results: RunResults): Markup {
  const panels = COMPARISONS.map((comparison) => {
    const panel = comparisonPanel(results, comparison);
    return html`<figure>${trusted(embedSvg(panel, panel.name))}</figure>\n`;
  });
  return html`<p class="note">${comparisonKey(results)}</p>
<div class="panels wide">
${panels}</div>`;
}

function curvesSection(results: RunResults): Content {
  const architectures = results.config.architectures.map(({ name, hidden }) => {
    const models = modelsOf(results, name);
    if (!hasCurves(results, name)) return html`<h3>${name}</h3>\n<p>No epoch was finished.</p>\n`;
    const panels = MEASURES.map((measure) => {
      const panel = curvesPanel(results, name, measure);
      return html`<figure>${trusted(embedSvg(panel, panel.name))}</figure>\n`;
    });
    const legend = seriesOf(models).map(
      (title, place) => html`<li>${legendKey(seriesStyle(place))}${title}</li>`,
    );
    return html`<div class="curves">
<h3>${name}</h3>
<p class="note">Hidden blocks ${hidden.join(' – ')}</p>
<ul class="legend" aria-label="Learning rates">${legend}</ul>
<div class="panels">
${panels}</div>
<details><summary>Every epoch of ${name}</summary><div>
${epochsTable(results, name)}
</div></details>
</div>
`;
  });
  return [html`<p class="note">${ratesKey(results)} ${curvesKey(results)}</p>\n`, ...architectures];
}

function ratesKey({ config }: RunResults): string {
  const { learningRates, seeds } = config;
  const each = seeds === 1 ? 'One colour per learning rate' : 'One colour per learning rate and seed';
  return seriesStyle(learningRates.length * seeds - 1).marked
    ? `${each}; marks on the lines tell those of one colour apart.`
    : `${each}.`;
}

/** A piece of a rate's line, with its mark where it has one. Drawn as SVG, which forced colours leave alone. */
function legendKey({ role, path, marked }: SeriesStyle): Markup {
  const color = `var(--${role})`;
  const mark = marked ? html`<path d="${path}" fill="${color}"/>` : null;
  return html`<svg viewBox="0 0 22 10" aria-hidden="true"><path d="M0 5H22" stroke="${color}" stroke-width="3"/>${mark}</svg>`;
}

function matricesSection({ models, dataset }: RunResults, matrixOf: (test: DrawnTest) => Chart): Content {
  const tested = models.filter(isTested);
  if (tested.length === 0) return html`<p>No model was tested.</p>`;
  const entries = tested.map((model, index) => {
    const title = modelTitle(model);
    const details = testDetails(title, `matrix-${index}`, model.test, dataset.classNames, () =>
      matrixOf(drawnModel(model)),
    );
    return html`<details><summary>${title}<span>accuracy ${figure(model.test.accuracy)}, macro-F1 ${figure(model.test.macroF1)}</span></summary><div>
${details}
</div></details>
`;
  });
  return [html`<p class="note">${HEATMAP_KEY}</p>\n`, ...entries];
}

function runSection({ config, dataset, environment }: RunResults): Content {
  const settings: [string, Content][] = [
    ['Mode', config.mode],
    ['Learning rates', config.learningRates.map(rateText).join(', ')],
    ...(config.schedule === 'cosine'
      ? [['Schedule', 'from 0 in 5 % of the steps, and along a cosine to 0'] as [string, Content]]
      : []),
    ['Epochs', config.epochs],
    ...(config.passes > 1 ? [['Passes', config.passes] as [string, Content]] : []),
    ['Batch size', config.batchSize],
    ['Dropout', own(config, ({ dropout = config.dropout }) => String(dropout))],
    ['Images', imagesText(config)],
    ['Seed', config.seeds === 1 ? config.seed : `${config.seed} to ${config.seed + config.seeds - 1}`],
    [
      'Tests',
      config.average === 'flip' ? 'the mean of an image and its mirror image' : 'one prediction an image',
    ],
    ['Kept epoch', config.keep === 'best' ? 'best validation macro-F1' : 'last'],
    ['Training samples', config.trainSamples === null ? 'all' : whole(config.trainSamples)],
    ['Jobs and threads', `${config.jobs} and ${config.threads}`],
    [
      'Architectures',
      config.architectures.map(({ name, hidden }) => `${name}: ${hidden.join(' – ')}`).join('; '),
    ],
  ];
  const origin: [string, Content][] = [
    ['Dataset', dataset.name],
    ['Source', dataset.source],
    ['Image size', `${dataset.imageWidth} × ${dataset.imageHeight}`],
    ['SHA-256', html`<code>${dataset.hash}</code>`],
    ['Node', environment.node],
    ['V8', environment.v8],
    ['Build of the core', environment.build],
    ['Kernels', `${environment.kernels}${environment.revectorized ? ', 256 bits wide' : ''}`],
    ['Processor', `${environment.cpu}, ${environment.cores} ${environment.cores === 1 ? 'core' : 'cores'}`],
    ['Time in all', duration(environment.seconds)],
  ];
  return html`<div class="columns">
<div><h3>Configuration</h3>${facts(settings)}</div>
<div><h3>Data and environment</h3>${facts(origin)}</div>
</div>`;
}

/** A setting of all architectures, or each one's where they differ. */
function own(
  { architectures }: RunConfig,
  text: (architecture: RunConfig['architectures'][number]) => string,
): string {
  const texts = architectures.map(text);
  if (new Set(texts).size === 1) return texts[0]!;
  return architectures.map(({ name }, index) => `${name}: ${texts[index]}`).join('; ');
}

/** How images are changed in training, in words. */
function imagesText(config: RunConfig): string {
  return own(config, ({ augment = config.augment }) => {
    if (augment === null) return 'as they are';
    const parts = Object.entries(augment).map(([key, value]) => `${key} ${value}`);
    return `changed (${parts.join(', ')})`;
  });
}

function repeatSection(results: RunResults): Content {
  const { config, environment } = results;
  const data = results.dataset.name === 'Fashion-MNIST' ? '' : ' --data DIR --no-verify';
  const relaxed = environment.build.startsWith('relaxed');
  const promise = relaxed
    ? html`On processors and engines alike, the same seed (${config.seed}), build and data give the same bytes in every weight, whatever the number of jobs and threads. On others the bytes may differ: WebAssembly leaves results of this build's relaxed SIMD operations to them. With <code>--strict</code> a run has the same bytes everywhere.`
    : `The same seed (${config.seed}), build and data give the same bytes in every weight on every engine and machine, whatever the number of jobs and threads.`;
  return html`<p>In a checkout of treadle, with the config.json that lies beside this page:</p>
<pre role="region" tabindex="0" aria-label="Commands"><code>npm ci
node dist/cli.js run-all --config config.json --build ${environment.build}${data}</code></pre>
<p>${promise}</p>`;
}
