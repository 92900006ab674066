import { decode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { comparisonChart, comparisonKey, hasComparison } from '../../dist/report/comparison.js';
import { curvesChart, curvesKey, curvesPanel, hasCurves, MEASURES } from '../../dist/report/curves.js';
import { drawnModel } from '../../dist/report/drawn-test.js';
import { confusionChart } from '../../dist/report/heatmap.js';
import { reportHtml } from '../../dist/report/html.js';
import { svgToPng } from '../../dist/report/png.js';
import { niceScale, tickLabel } from '../../dist/report/scale.js';
import { cellStrength } from '../../dist/report/strength.js';
import { embedSvg } from '../../dist/report/svg.js';
import { channels, light, seriesStyle, TONES, tint } from '../../dist/report/theme.js';
import { chartsOf } from '../../dist/report/write.js';
import type { RunResults } from '../../dist/results/records.js';
import { failedModel, publishedLikeResults, randomResults } from '../support/results.js';

const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1]!);
const count = (text: string, part: RegExp) => [...text.matchAll(part)].length;
const SIZE = /^<svg width="(\d+(?:\.\d+)?)" height="(\d+(?:\.\d+)?)"/;

function tested(results: RunResults, index = 0) {
  const model = results.models[index]!;
  return { ...model, test: model.test! };
}

describe('an axis', () => {
  it.each([
    [[0.11, 0.41], { min: 0.1, max: 0.5, interval: 0.1, digits: 1 }],
    [[0.8834, 0.8943], { min: 0.88, max: 0.895, interval: 0.005, digits: 3 }],
    [[1, 9], { min: 0, max: 10, interval: 2, digits: 0 }],
    [[-3, 12_000], { min: -5000, max: 15_000, interval: 5000, digits: 0 }],
  ])('of %j has round ticks', (values, expected) => {
    expect(niceScale(values)).toEqual(expected);
  });

  it.each([
    [[0.5], { min: 0.49, max: 0.51 }],
    [[1, 1, 1], { min: 0.99, max: 1 }],
    [[0], { min: 0, max: 0.01 }],
  ])('of %j alone has it on its middle, or at the end of what there can be', (values, expected) => {
    expect(niceScale(values, { least: 0, most: 1 })).toMatchObject(expected);
  });

  it.each([[[]], [[0.5]], [[0, 0]], [[1e-300, 2e-300]], [[1e30, 3e30]], [[-1, -1]]])(
    'of %j holds its values',
    (values) => {
      const scale = niceScale(values);
      expect(scale.max).toBeGreaterThan(scale.min);
      for (const value of values) {
        expect(value).toBeGreaterThanOrEqual(scale.min);
        expect(value).toBeLessThanOrEqual(scale.max);
      }
      expect(tickLabel(scale.max, scale).length).toBeLessThan(16);
    },
  );
});

describe('the colours', () => {
  it('are one per role, in each form', () => {
    const forms = Object.values(TONES);
    expect(new Set(forms.map((tone) => tone.light)).size).toBe(forms.length);
    expect(new Set(forms.map((tone) => tone.dark)).size).toBe(forms.length);
  });

  const channel = (value: number) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const luminance = (color: string) =>
    [0.2126, 0.7152, 0.0722].reduce(
      (sum, weight, index) =>
        sum + weight * channel(Number.parseInt(color.slice(1 + 2 * index, 3 + 2 * index), 16) / 255),
      0,
    );
  /** The contrast ratio of WCAG 2. */
  const contrast = (a: string, b: string) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
    return (high + 0.05) / (low + 0.05);
  };

  it.each(['light', 'dark'] as const)('can be told from their ground in the %s form', (form) => {
    const tone = (role: keyof typeof TONES) => TONES[role][form];
    for (const ground of ['paper', 'band', 'hit', 'miss'] as const) {
      expect(contrast(tone('ink'), tone(ground))).toBeGreaterThanOrEqual(4.5);
    }
    for (const ground of ['paper', 'band'] as const) {
      expect(contrast(tone('muted'), tone(ground))).toBeGreaterThanOrEqual(4.5);
      for (const role of ['series1', 'series2', 'series3', 'series4', 'series5', 'series6'] as const) {
        expect(contrast(tone(role), tone(ground))).toBeGreaterThanOrEqual(3);
      }
    }
    expect(contrast(tone('published'), tone('paper'))).toBeGreaterThanOrEqual(3);
  });

  it('are mixed with the paper by strength', () => {
    expect(tint('hit', 1)).toBe(light('hit'));
    expect(tint('hit', 0)).toBe(light('paper'));
    // Half of #7db4e8 over white: (7d+ff)/2 = be, (b4+ff)/2 = d9.5 -> da, (e8+ff)/2 = f3.5 -> f4.
    expect(tint('hit', 0.5)).toBe('#bedaf4');
  });
});

describe('the curves', () => {
  const results = publishedLikeResults();

  it('name the architecture, its widths, its rates and the three measures', () => {
    const all = texts(curvesChart(results, 'large2').svg);
    expect(all).toContain('large2');
    expect(all.join(' ')).toContain('Hidden blocks 512 – 256 – 128 – 64.');
    for (const rate of ['0.005', '0.004', '0.003', '0.001']) {
      // Once in the legend, once over its stretch of each of the three panels.
      expect(all.filter((text) => text === rate)).toHaveLength(4);
    }
    for (const { title } of MEASURES) expect(all).toContain(title);
    expect(all.filter((text) => text === 'Epoch of the chain')).toHaveLength(3);
    expect(all.filter((text) => text === '40')).toHaveLength(3);
  });

  it('draw a dashed line per rate where training is measured, and a dot per kept epoch', () => {
    const [loss, , score] = MEASURES.map((measure) => curvesPanel(results, 'small', measure).svg);
    expect(count(loss!, /stroke-dasharray/g)).toBe(4);
    expect(count(score!, /stroke-dasharray/g)).toBe(0);
    const dots = [1, 2, 3, 4].map((n) => light(`series${n}` as 'series1'));
    for (const color of dots)
      expect(score!).toMatch(new RegExp(`fill="${color}" stroke="${light('paper')}"`));
  });

  it('start every rate at epoch 1 when the rates are independent', () => {
    const independent = randomResults(3, { mode: 'independent', epochs: 6, learningRates: [0.1, 0.01] });
    const all = texts(curvesChart(independent, 'tiny').svg);
    expect(all.filter((text) => text === 'Epoch')).toHaveLength(3);
    expect(all.filter((text) => text === '6')).toHaveLength(3);
    expect(all).not.toContain('12');
  });

  it('show single epochs as dots', () => {
    const one = randomResults(3, { epochs: 1, learningRates: [0.1] });
    expect(curvesKey(one)).toBe('Hollow dot: training. Filled dot: validation.');
    const { svg } = curvesPanel(one, 'tiny', MEASURES[0]!);
    expect(svg).toContain(`fill="${light('paper')}" stroke="${light('series1')}"`);
  });

  it('tell apart rates that share a colour', () => {
    const learningRates = Array.from({ length: 24 }, (_, index) => 1 / (index + 1));
    const styles = learningRates.map((_, rate) => seriesStyle(rate));
    expect(new Set(styles.map(({ role, symbol }) => `${role} ${symbol}`)).size).toBe(24);
    const many = randomResults(3, {
      mode: 'independent',
      epochs: 30,
      learningRates: learningRates.slice(0, 7),
    });
    const { svg } = curvesPanel(many, 'tiny', MEASURES[2]!);
    const marks = (role: 'series1' | 'series2') =>
      count(svg, new RegExp(`<path[^>]*fill="${light(role)}"`, 'g'));
    // One dot for the second rate; for the first one more, the seventh's own, and its ten marks on the line.
    expect(marks('series2')).toBe(1);
    expect(marks('series1')).toBe(1 + 1 + 10);
  });

  it('are left out where no epoch was finished', () => {
    const { models, ...rest } = results;
    const broken = { ...rest, models: [failedModel('small', 0.005), ...models.slice(0, 4)] };
    expect(hasCurves(broken, 'small')).toBe(false);
    expect(hasCurves(broken, 'large1')).toBe(true);
    expect(chartsOf(broken).map(({ name }) => name)).not.toContain('curves-small');
  });
});

describe('the comparison', () => {
  const results = publishedLikeResults();

  it('shows every model with its figures, and the published ones beside them', () => {
    const { svg } = comparisonChart(results);
    const all = texts(svg);
    for (const { model, learningRate, test, kept } of results.models) {
      expect(all).toContain(`${model} at ${learningRate}`);
      expect(all).toContain(test!.macroF1.toFixed(4));
      expect(all).toContain(kept!.valMacroF1.toFixed(4));
    }
    // Four published tests and twelve published validations.
    const diamonds = new RegExp(`fill="${light('paper')}" stroke="${light('published')}"`, 'g');
    expect(count(svg, diamonds)).toBe(4 + 12);
    expect(comparisonKey(results)).toContain('Diamond: the published report');
  });

  it('shows no published figures of other data', () => {
    const other = { ...results, dataset: { ...results.dataset, name: 'KMNIST' } };
    expect(comparisonChart(other).svg).not.toContain(light('published'));
    expect(comparisonKey(other)).not.toContain('published');
  });

  it('cuts long names, never rates', () => {
    const long = randomResults(3, {
      architectures: [{ name: 'quite-a-long-name-for-a-network', hidden: [8] }],
      learningRates: [0.125, 0.0625],
    });
    const all = texts(comparisonChart(long).svg);
    for (const rate of ['0.125', '0.0625']) {
      expect(all.filter((text) => text.endsWith(`… at ${rate}`))).toHaveLength(2);
    }
  });

  it('ends its axis at 1', () => {
    const perfect = randomResults(3);
    for (const { test, kept } of perfect.models) {
      test!.macroF1 = 1;
      kept!.valMacroF1 = 1;
    }
    const all = texts(comparisonChart(perfect).svg);
    expect(all).toContain('1.00');
    expect(all).not.toContain('1.01');
  });

  it('marks failed models, and is left out when all failed', () => {
    const failed = { ...results, models: [failedModel('small', 0.005), ...results.models.slice(1)] };
    expect(texts(comparisonChart(failed).svg).filter((text) => text === 'failed')).toHaveLength(2);
    const none = { ...results, models: [failedModel('small', 0.005)], best: null };
    expect(hasComparison(none)).toBe(false);
    expect(chartsOf(none)).toEqual([]);
  });
});

describe('the confusion heat map', () => {
  it('holds every count and every class name twice', () => {
    const results = publishedLikeResults();
    const model = tested(results, 5);
    const all = texts(confusionChart(results, drawnModel(model)).svg);
    for (const name of results.dataset.classNames) {
      expect(all.filter((text) => text === name)).toHaveLength(2);
    }
    const counts = all.filter((text) => /^\d+$/.test(text)).map(Number);
    expect(counts.sort((a, b) => a - b)).toEqual(model.test.confusion.flat().sort((a, b) => a - b));
  });

  it('holds no counts above twenty classes', () => {
    const [twenty, more] = [randomResults(20), randomResults(21)];
    expect(
      texts(confusionChart(twenty, drawnModel(tested(twenty))).svg).some((text) => /^\d+$/.test(text)),
    ).toBe(true);
    expect(texts(confusionChart(more, drawnModel(tested(more))).svg).some((text) => /^\d+$/.test(text))).toBe(
      false,
    );
  });

  it('has a pixel for each cell above twenty classes', () => {
    const results = randomResults(256, { learningRates: [0.1] });
    const model = tested(results);
    model.test.confusion = model.test.confusion.map((row, actual) =>
      row.map((_, at) => (at === actual ? 3 : 0)),
    );
    model.test.confusion[7]![200] = 1;
    const chart = confusionChart(results, drawnModel(model));
    const address = /<image image-rendering="pixelated" href="data:image\/png;base64,([^"]*)"/.exec(
      chart.svg,
    )!;
    const image = decode(Buffer.from(address[1]!, 'base64'));
    expect([image.width, image.height]).toEqual([256, 256]);
    const pixel = (x: number, y: number) => [...image.data.slice(4 * (256 * y + x), 4 * (256 * y + x) + 4)];
    expect(pixel(8, 8)).toEqual([...channels(light('hit')), 255]);
    expect(pixel(7, 7)).toEqual([...channels(light('hit')), Math.round(255 * cellStrength(3, 4, true))]);
    expect(pixel(200, 7)).toEqual([...channels(light('miss')), Math.round(255 * cellStrength(1, 4, false))]);
    expect(pixel(7, 200)[3]).toBe(0);
    // As rectangles it would have two megabytes and more.
    expect(chart.svg.length).toBeLessThan(100_000);
    const names = texts(chart.svg).filter((text) => text.startsWith('class '));
    expect(names.slice(0, 2)).toEqual(['class 0', 'class 4']);
  });

  it('is drawn at its own size where twice that would be huge', async () => {
    const results = randomResults(256, { learningRates: [0.1], epochs: 1 });
    const chart = confusionChart(results, drawnModel(tested(results)));
    const png = decode(await svgToPng(chart));
    expect([png.width, png.height]).toEqual([Math.round(chart.width), Math.round(chart.height)]);
    // Pixels are enlarged, not blurred: within a cell of 4 pixels all are alike.
    const at = (x: number, y: number) => {
      const start = png.channels * (y * png.width + x);
      return [...png.data.slice(start, start + 3)].join();
    };
    const { svg } = chart;
    const [, left, top] = /<image[^>]* x="([\d.]+)" y="([\d.]+)"/.exec(svg)!.map(Number);
    const inner = (cell: number, from: number) => Math.ceil(from + 4 * cell);
    for (const cell of [0, 100, 254]) {
      const [x, y] = [inner(cell, left!), inner(cell, top!)];
      expect(at(x + 2, y + 2)).toBe(at(x, y));
      expect(at(x + 4, y)).not.toBe(at(x, y));
    }
  });

  it('colours a hit by its share, and lets a rare miss be seen', () => {
    expect(cellStrength(75, 100, true)).toBe(0.75);
    expect(cellStrength(3, 100, false)).toBeCloseTo(Math.sqrt(0.1), 12);
    expect(cellStrength(60, 100, false)).toBe(1);
    expect(cellStrength(0, 100, false)).toBe(0);
    expect(cellStrength(0, 0, true)).toBe(0);
  });

  it('cuts long names and replaces what XML cannot hold', () => {
    const results = randomResults(2);
    results.dataset.classNames = ['a name of many, many letters', 'a\u0000<b>&"c"'];
    const { svg } = confusionChart(results, drawnModel(tested(results)));
    expect(texts(svg)).toContain('a name of many, man…');
    expect(svg).toContain('a\ufffd&lt;b&gt;&amp;');
    expect(svg).not.toContain('\u0000');
  });
});

describe('names that every object has', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'];
  const results = randomResults(5, {
    architectures: names.map((name) => ({ name, hidden: [8] })),
    learningRates: [0.1],
    epochs: 2,
  });
  results.dataset.classNames = names;

  it('are drawn like others, and leave Object.prototype alone', async () => {
    const before = Object.getOwnPropertyNames(Object.prototype);
    const charts = chartsOf(results);
    expect(charts).toHaveLength(1 + 5 + 5);
    const shown = texts(charts.map(({ svg }) => svg).join('\n'));
    for (const name of names) {
      expect(shown).toContain(
        `${name} at 0.1`.length <= 18 ? `${name} at 0.1` : `${name.slice(0, 10)}… at 0.1`,
      );
      // Over its curves, and on both axes of each matrix.
      expect(shown.filter((text) => text === name)).toHaveLength(1 + 2 * 5);
    }
    expect(charts.some(({ svg }) => svg.includes('\uffff'))).toBe(false);
    for (const chart of charts) decode(await svgToPng(chart));
    expect(reportHtml(results)).toContain('<th scope="row">__proto__</th>');
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
    const inherited = [];
    for (const key in {}) inherited.push(key);
    expect(inherited).toEqual([]);
  });

  it('take the place of other names of their length', () => {
    const other = structuredClone(results);
    other.dataset.classNames = ['a_proto_b', ...names.slice(1)];
    other.models[1]!.test!.confusion = results.models[1]!.test!.confusion;
    const [drawn, plain] = [results, other].map(
      (each) => confusionChart(each, drawnModel(tested(each, 1))).svg,
    );
    expect(drawn!.replaceAll('__proto__', 'a_proto_b')).toBe(plain);
  });
});

describe('every chart', () => {
  const cases: [string, RunResults][] = [
    ['the twelve models', publishedLikeResults()],
    ['two classes and one epoch', randomResults(2, { epochs: 1, learningRates: [0.5], mode: 'independent' })],
    ['fifty classes', randomResults(50, { learningRates: [0.1], epochs: 3 })],
    ['nine rates', randomResults(2, { learningRates: [1, 0.5, 0.1, 0.05, 0.01, 5e-3, 1e-3, 1e-4, 1e-7] })],
  ];

  it.each(cases)('is the same in every drawing, and has no part of a live chart: %s', (_, results) => {
    const [first, second] = [chartsOf(results), chartsOf(results).reverse()];
    for (const { name, svg } of first) {
      expect(second.find((chart) => chart.name === name)?.svg).toBe(svg);
      expect(svg).toMatch(SIZE);
      expect(svg.replace(/base64,[^"]*/, '')).not.toMatch(
        /<style|class=|ecmeta|zr\d|NaN|undefined|<script|href="(?!data:image\/png;)/,
      );
    }
  });

  it.each(cases)('is a PNG of twice its size with text in it: %s', async (_, results) => {
    for (const chart of [chartsOf(results)[0]!, chartsOf(results).at(-1)!]) {
      const { svg } = chart;
      const [, width, height] = SIZE.exec(svg)!.map(Number);
      const png = decode(await svgToPng(chart));
      expect([png.width, png.height]).toEqual([Math.ceil(2 * width!), Math.ceil(2 * height!)]);
      // The same without its texts: were a font missing, the two would be equal.
      const bare = decode(await svgToPng({ ...chart, svg: svg.replace(/<text[\s\S]*?<\/text>/g, '') }));
      expect(Buffer.compare(png.data as Uint8Array, bare.data as Uint8Array)).not.toBe(0);
    }
  });

  it('becomes part of a page with its colours as variables and identifiers of its own', () => {
    const chart = curvesPanel(publishedLikeResults(), 'small', MEASURES[0]!);
    const embedded = embedSvg({ ...chart, label: 'A "label" & more' }, 'one');
    expect(embedded).toMatch(/^<svg role="img" aria-label="A &quot;label&quot; &amp; more" /);
    expect(embedded).toContain('var(--series1)');
    for (const { light: color } of Object.values(TONES)) expect(embedded).not.toContain(color);
    expect(embedded).toMatch(/id="one-/);
    expect(embedded).toContain('viewBox=');
  });
});
