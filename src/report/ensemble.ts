import { difference, figure, modelTitle } from '../results/format.js';
import type { EnsembleRecord, ModelRecord, RunResults } from '../results/records.js';
import { isTested } from '../results/results.js';
import { type DrawnTest, drawnModel } from './drawn-test.js';
import { html, type Markup } from './markup.js';

/** Everything of a run that has a confusion matrix: the ensemble, if there is one, and the tested models. */
export function drawnTests(results: RunResults): DrawnTest[] {
  const { ensemble, models } = results;
  return [
    ...(ensemble === undefined ? [] : [drawnEnsemble(ensemble)]),
    ...models.filter(isTested).map(drawnModel),
  ];
}

/** The ensemble's test. */
export function drawnEnsemble({ members, test }: EnsembleRecord): DrawnTest {
  return { name: 'confusion-ensemble', title: ensembleTitle(members.length), test };
}

/** An ensemble as people say it. */
export function ensembleTitle(members: number): string {
  return members === 1 ? 'the one model of the ensemble' : `the mean of ${members} models`;
}

/** The members of a run's ensemble, the best by validation first. */
export function membersOf({ models }: RunResults, { members }: EnsembleRecord): ModelRecord[] {
  return members.flatMap((id) => models.filter((model) => model.id === id));
}

/** How the ensemble was chosen and what it gains, in a sentence or two. */
export function ensembleText(results: RunResults, ensemble: EnsembleRecord): string {
  const { members, agreement, valAccuracy, test } = ensemble;
  if (members.length === 1) {
    return 'The best model by validation has the highest validation accuracy alone; its mean with the next ones is lower.';
  }
  const best = Math.max(...membersOf(results, ensemble).map((model) => model.test?.accuracy ?? 0));
  const most = Math.max(...results.models.map((model) => model.test?.accuracy ?? 0));
  const gain = `${difference(test.accuracy - best)} beside the best of them on the test${most > best ? `, ${difference(test.accuracy - most)} beside the best of all` : ''}`;
  return `Of the ${results.models.length} models, taken from the best by validation on, ${members.length} together have the highest validation accuracy: ${figure(valAccuracy)}. They agree on ${(100 * agreement).toFixed(1)} % of the test images; their mean is ${gain}.`;
}

/** The members with their figures, and the ensemble's below. */
export function membersTable(results: RunResults, ensemble: EnsembleRecord): Markup {
  const rows = membersOf(results, ensemble).map(
    (model) =>
      html`<tr><th scope="row">${modelTitle(model)}</th><td>${figure(model.kept?.valMacroF1)}</td><td>${figure(model.test?.accuracy)}</td><td>${figure(model.test?.macroF1)}</td><td>${figure(model.test?.loss)}</td></tr>\n`,
  );
  const { test } = ensemble;
  return html`<div class="scroll" role="region" tabindex="0" aria-label="Table of the ensemble">
<table class="figures">
<thead><tr><th scope="col" class="name">Model</th><th scope="col">Val. F1</th><th scope="col">Test accuracy</th><th scope="col">F1</th><th scope="col">Test loss</th></tr></thead>
<tbody>
${rows}<tr class="best"><th scope="row">Their mean</th><td></td><td>${figure(test.accuracy)}</td><td>${figure(test.macroF1)}</td><td>${figure(test.loss)}</td></tr>
</tbody>
</table>
</div>`;
}
