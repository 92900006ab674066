import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeResults } from '../../dist/experiment/write-results.js';
import { reportHtml } from '../../dist/report/html.js';
import { html, trusted } from '../../dist/report/markup.js';
import { SCRIPT } from '../../dist/report/script.js';
import { chartsOf, writeReport } from '../../dist/report/write.js';
import { difference, duration } from '../../dist/results/format.js';
import { bestModel, buildResults, parseResults } from '../../dist/results/results.js';
import { failure } from '../support/errors.js';
import { failedModel, publishedLikeResults, randomResults } from '../support/results.js';

const count = (text: string, part: string | RegExp) => text.split(part).length - 1;
const headings = (page: string) => [...page.matchAll(/<h2[^>]*>([^<]*)</g)].map((match) => match[1]);

describe('templates', () => {
  it('escape text, and nothing else', () => {
    const inner = html`<b>${'<i>'}</b>`;
    expect(html`<p title="${'"\''}">${inner}${['&', 1, null, undefined]}${trusted('<hr>')}</p>`.markup).toBe(
      '<p title="&quot;&#39;"><b>&lt;i&gt;</b>&amp;1<hr></p>',
    );
  });
});

describe('the texts of figures', () => {
  it('give differences a sign', () => {
    expect(difference(0.00126)).toBe('+0.0013');
    expect(difference(-0.0044)).toBe('−0.0044');
    expect(difference(-0.00001)).toBe('±0.0000');
  });

  it.each([
    [0.04, '0.0 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [59.6, '1 min 0 s'],
    [407.2, '6 min 47 s'],
    [3599.7, '1 h 0 min'],
    [7530, '2 h 6 min'],
  ])('put %d seconds in words', (seconds, words) => {
    expect(duration(seconds)).toBe(words);
  });
});

describe('the page', () => {
  const results = publishedLikeResults();
  const page = reportHtml(results);

  it('has its sections in order, the best model first', () => {
    expect(headings(page)).toEqual([
      'Best model',
      'All models',
      'Beside the published report',
      'Curves',
      'Confusion matrices',
      'The run',
      'How to repeat it',
    ]);
    const { model, learningRate } = bestModel(results)!;
    expect(page).toContain(
      `<strong>${model} at ${learningRate}</strong> has the highest validation macro-F1`,
    );
  });

  it('loads nothing from outside', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1];
    expect(policy?.replaceAll('&#39;', "'").split('; ')).toEqual([
      "default-src 'none'",
      "style-src 'unsafe-inline'",
      "script-src 'unsafe-inline'",
      'img-src data:',
    ]);
    const addresses = [...page.matchAll(/(?:src|href|action|url)\s*[=(]\s*["']?([^"')\s>]*)/g)].map(
      (m) => m[1]!,
    );
    expect(addresses.length).toBeGreaterThan(0);
    for (const address of addresses) expect(address).toMatch(/^(#|data:,$)/);
    expect(page.replaceAll(/xmlns(:\w+)?="[^"]*"/g, '')).not.toMatch(/https?:|@import/);
  });

  it('is the same each time', () => {
    expect(reportHtml(publishedLikeResults())).toBe(page);
  });

  it('has every identifier once, and a target for every link', () => {
    const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of page.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(target);
    for (const [, target] of page.matchAll(/url\(#([^)]*)\)/g)) expect(ids).toContain(target);
  });

  it('closes what it opens', () => {
    for (const tag of [
      'table',
      'tr',
      'th',
      'td',
      'div',
      'section',
      'details',
      'figure',
      'svg',
      'dl',
      'ul',
      'button',
      'p',
    ]) {
      expect(`${tag} ${count(page, new RegExp(`<${tag}[\\s>]`))}`).toBe(`${tag} ${count(page, `</${tag}>`)}`);
    }
  });

  it('compares with the published figures', () => {
    const own = results.models.find(
      ({ model, learningRate }) => model === 'small' && learningRate === 0.004,
    )!;
    const { accuracy } = own.test!;
    expect(page).toContain(
      `<td class="group">${accuracy.toFixed(4)}</td><td>0.8909</td><td>${difference(accuracy - 0.8909)}</td>`,
    );
    expect(page).toContain('published 0.9084');
  });

  it('compares only the same data, architecture and rate', () => {
    const section = 'Beside the published report';
    const { dataset, config, models } = results;
    const wider = config.architectures.map(({ name, hidden }) => ({ name, hidden: [...hidden, 32] }));
    const others = models.map((model) => ({ ...model, learningRate: model.learningRate * 1.1 }));
    const sections = (change: Partial<typeof results>) => headings(reportHtml({ ...results, ...change }));
    expect(sections({ dataset: { ...dataset, name: 'KMNIST' } })).not.toContain(section);
    expect(sections({ config: { ...config, architectures: wider } })).not.toContain(section);
    expect(sections({ models: others, best: null })).not.toContain(section);
    expect(sections({ models: models.slice(0, 1), best: null })).toContain(section);
  });

  it('says where the run differs from the report', () => {
    const [shorter, independent] = [structuredClone(results), structuredClone(results)];
    shorter.config.epochs = 3;
    independent.config.mode = 'independent';
    expect(page).not.toContain('This run');
    expect(reportHtml(shorter)).toContain('This run gave each model 3; the report gives ten.');
    expect(reportHtml(independent)).toContain('This run trained every model from fresh weights');
  });

  it('has a matrix for each model, and one for the best', () => {
    expect(count(page, '<table class="matrix">')).toBe(13);
    expect(count(page, '<td class="hit"')).toBe(130);
  });

  it('escapes whatever a file named', () => {
    const hostile = randomResults(2);
    const evil = '<script>alert(1)</script>"\'&';
    hostile.dataset.classNames = [evil, '\u202eevil'];
    hostile.dataset.name = evil;
    hostile.dataset.source = evil;
    hostile.environment.cpu = evil;
    hostile.models[0] = { ...failedModel('tiny', 0.005), error: evil };
    const hostilePage = reportHtml(hostile);
    expect(count(hostilePage, '<script>')).toBe(1);
    expect(hostilePage).not.toContain('alert(1)</script>');
    expect(hostilePage).not.toContain('\u202e');
    expect(hostilePage).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;');
  });

  it('stands without a best model, without a test and without an epoch', () => {
    const { environment, config, dataset, models } = results;
    const none = buildResults({ environment, config, dataset, models: [failedModel('small', 0.001)] });
    const page = reportHtml(none);
    expect(page).toContain('there is no best model');
    expect(page).toContain('No epoch was finished.');
    expect(page).toContain('No model was tested.');
    expect(page).toContain('the loss of epoch 1, step 7, is NaN.');
    const untested = buildResults({ environment, config, dataset, models: [{ ...models[0]!, test: null }] });
    expect(reportHtml(untested)).toContain('It was not tested.');
    const empty = buildResults({ environment, config, dataset, models: [] });
    expect(reportHtml(empty)).toContain('0 models');
  });

  it.each([2, 20, 21, 50])('stands with %d classes', (classes) => {
    const page = reportHtml(randomResults(classes, { learningRates: [0.001], epochs: 1 }));
    expect(count(page, '<table class="matrix dense">')).toBe(classes > 20 ? 2 : 0);
    expect(page.replace(SCRIPT, '')).not.toMatch(/NaN|undefined/);
  });

  it.each([
    ['relaxed-mt', false],
    ['relaxed', false],
    ['simd-mt', true],
    ['simd', true],
    ['debug', true],
  ])('promises the same bytes everywhere of strict builds alone: %s', (build, everywhere) => {
    const page = reportHtml({ ...results, environment: { ...results.environment, build } });
    expect(page.includes('the same bytes in every weight on every engine and machine')).toBe(everywhere);
    expect(page.includes('On processors and engines alike')).toBe(!everywhere);
    expect(page.includes('With <code>--strict</code> a run has the same bytes everywhere.')).toBe(
      !everywhere,
    );
  });

  it('has a chart and the largest confusions for a matrix of very many classes', () => {
    const many = randomResults(65, { learningRates: [0.1], epochs: 1 });
    const matrix = many.models[0]!.test!.confusion;
    for (const row of matrix) row.fill(0);
    for (const [index, row] of matrix.entries()) row[index] = 3;
    expect(reportHtml(many)).toContain('None of the 65 classes was taken for another.');
    matrix[4]![7] = 1;
    const page = reportHtml(many);
    expect(page).not.toContain('<table class="matrix');
    // Once for the best model, once among all.
    expect(count(page, '<figure class="whole"><svg role="img"')).toBe(2);
    expect(
      count(page, '<tr><th scope="row">class 4</th><td>1</td><td>25.0 %</td><td>class 7</td></tr>'),
    ).toBe(2);
    const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('shows charts that are already drawn, rather than drawing them again', () => {
    const many = randomResults(65, { learningRates: [0.1], epochs: 1 });
    const drawn = chartsOf(many).map((chart) => ({
      ...chart,
      svg: `<svg width="1" height="1" data-drawn=""/>`,
    }));
    expect(count(reportHtml(many, drawn), 'data-drawn')).toBe(2);
  });

  it('says how to repeat the run', () => {
    expect(page).toContain('run-all --config config.json --build relaxed-mt</code>');
    expect(reportHtml(randomResults(2))).toContain('--build relaxed-mt --data DIR --no-verify</code>');
  });
});

describe('the script', () => {
  /** As much of a page as the sorting needs: a table of one text and one number column. */
  function page(rows: [string, string][]) {
    const heads = ['ascending', 'descending'].map((first) => {
      const attributes = new Map<string, string>();
      return {
        dataset: { first },
        getAttribute: (name: string) => attributes.get(name) ?? null,
        childNodes: [],
        append: () => {},
        setAttribute: (name: string, value: string) => void attributes.set(name, value),
        removeAttribute: (name: string) => void attributes.delete(name),
      };
    });
    const press: (() => void)[] = [];
    const createElement = () => ({
      append: () => {},
      addEventListener: (_: string, listener: () => void) => void press.push(listener),
    });
    interface Row {
      cells: { dataset: { value: string } }[];
    }
    const body = {
      rows: rows.map((values): Row => ({ cells: values.map((value) => ({ dataset: { value } })) })),
      append(...sorted: Row[]) {
        this.rows = sorted;
      },
    };
    const table = {
      tBodies: [body],
      querySelector: () => ({}),
      querySelectorAll: (selector: string) =>
        selector === 'thead th' ? heads : heads.filter((head) => head.getAttribute('aria-sort') !== null),
    };
    const document = { querySelectorAll: () => [table], createElement, addEventListener: () => {} };
    runInNewContext(SCRIPT, { document });
    const column = (index: number) => body.rows.map(({ cells }) => cells[index]!.dataset.value);
    return { press, column, order: () => heads.map((head) => head.getAttribute('aria-sort')) };
  }

  const rows: [string, string][] = [
    ['large10', '0.9'],
    ['small', ''],
    ['large2', '0.0001'],
    ['large2', '1e-7'],
    ['Large1', '10'],
  ];

  it('sorts numbers by value, failed models last, and turns round at the second press', () => {
    const { press, column, order } = page(rows);
    press[1]!();
    expect(column(1)).toEqual(['10', '0.9', '0.0001', '1e-7', '']);
    expect(order()).toEqual([null, 'descending']);
    press[1]!();
    expect(column(1)).toEqual(['1e-7', '0.0001', '0.9', '10', '']);
    expect(order()).toEqual([null, 'ascending']);
    press[1]!();
    expect(order()).toEqual([null, 'descending']);
  });

  it('sorts names as people do', () => {
    const { press, column, order } = page(rows);
    press[1]!();
    press[0]!();
    expect(column(0)).toEqual(['Large1', 'large2', 'large2', 'large10', 'small']);
    expect(order()).toEqual(['ascending', null]);
  });
});

describe('the folder of a run', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'treadle-report-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('gets results, epochs, the page and every chart as SVG and PNG', async () => {
    const results = randomResults(3, { epochs: 2, learningRates: [0.1, 0.01] });
    results.models[1] = failedModel('tiny', 0.01);
    const file = await writeResults(folder, results);
    expect(file).toBe(join(folder, 'results.json'));
    const text = await readFile(file, 'utf8');
    expect(parseResults(text, file)).toEqual(results);
    expect(text).toContain(`[${results.models[0]!.test!.confusion[0]!.join(', ')}]`);

    const { html: path, charts } = await writeReport(folder, results);
    expect(path).toBe(join(folder, 'report.html'));
    expect(await readFile(path, 'utf8')).toBe(reportHtml(results));
    const names = ['comparison', 'confusion-tiny_0.1', 'curves-tiny'].flatMap((name) => [
      `${name}.png`,
      `${name}.svg`,
    ]);
    expect((await readdir(join(folder, 'figures'))).sort()).toEqual(names);
    expect(charts.sort()).toEqual(names.map((name) => join(folder, 'figures', name)));
    expect((await readdir(folder)).sort()).toEqual(['epochs.csv', 'figures', 'report.html', 'results.json']);
    expect(await readFile(join(folder, 'epochs.csv'), 'utf8')).toMatch(
      /^model,learning_rate,.*\ntiny,0\.1,1,/,
    );
  });

  it('is told of step by step, and stopped between steps', async () => {
    const results = randomResults(3, { epochs: 2, learningRates: [0.1, 0.01] });
    const target = join(folder, 'steps');
    await mkdir(target);
    const steps: [number, number][] = [];
    await writeReport(target, results, { onProgress: (...step) => steps.push(step) });
    // The comparison, the curves, two matrices and the page.
    expect(steps).toEqual([0, 1, 2, 3, 4].map((done) => [done, 5]));

    const stopped = join(folder, 'stopped');
    await mkdir(stopped);
    const controller = new AbortController();
    await failure('interrupted', () =>
      writeReport(stopped, results, {
        signal: controller.signal,
        // In a later turn, as a signal of the system comes.
        onProgress: (done) => void (done === 2 && setImmediate(() => controller.abort())),
      }),
    );
    expect(await readdir(stopped)).toEqual(['figures']);
    expect((await readdir(join(stopped, 'figures'))).sort()).toEqual([
      'comparison.png',
      'comparison.svg',
      'curves-tiny.png',
      'curves-tiny.svg',
    ]);
  });

  it('is named when it cannot be written', async () => {
    const results = randomResults(2, { epochs: 1, learningRates: [0.1] });
    const missing = join(folder, 'missing');
    expect((await failure('unwritable', () => writeResults(missing, results))).message).toContain(missing);
    const blocked = join(folder, 'blocked');
    await mkdir(join(blocked, 'report.html'), { recursive: true });
    expect((await failure('unwritable', () => writeReport(blocked, results))).message).toContain(
      'report.html',
    );
  });
});
