import { expect, it } from 'vitest';
import { comparisonChart } from '../../dist/report/comparison.js';
import { reportHtml } from '../../dist/report/html.js';
import { testsText } from '../../dist/report/text.js';
import { parseResults } from '../../dist/results/results.js';
import { failedModel, publishedLikeResults } from '../support/results.js';

it('a model that was interrupted is called so, and not failed, in tables, report and charts', () => {
  const results = publishedLikeResults();
  const { model, learningRate } = results.models[1]!;
  const error = `Model ${model} at learning rate ${learningRate} was interrupted before it was finished.`;
  results.models[1] = { ...failedModel(model, learningRate), error, interrupted: true };
  const read = parseResults(JSON.stringify(results), 'results.json');
  expect(testsText(read, { color: false })).toContain(`${model} at ${learningRate} interrupted: ${error}`);
  const html = reportHtml(read);
  expect(html).toContain('<span class="badge failed">interrupted</span>');
  expect(html).toContain(`<strong>${model} at ${learningRate}</strong> interrupted: ${error}`);
  const { svg } = comparisonChart(read);
  expect(svg).toContain('>interrupted</text>');
  for (const text of [testsText(read, { color: false }), svg]) expect(text).not.toContain('failed');
});
