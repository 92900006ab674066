import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  bestText,
  epochsText,
  resultsText,
  testsText,
  testText,
  textOptions,
  wantsColor,
} from '../../dist/report/text.js';
import { buildResults } from '../../dist/results/results.js';
import { failedModel, publishedLikeResults, randomResults } from '../support/results.js';

const PLAIN = { color: false };
const lines = (text: string) => text.split('\n');
const width = (text: string) => Math.max(...lines(text).map((line) => [...line].length));
const cells = (line: string) => line.trim().split(/\s{2,}/);

describe('tables of a run', () => {
  const results = publishedLikeResults();

  it('fit 100 columns, also with long names, many classes and small rates', () => {
    const wide = randomResults(50, {
      architectures: [{ name: 'an-architecture-with-quite-a-long-name', hidden: [8] }],
      learningRates: [0.0000125, 1e-9],
    });
    wide.dataset.classNames = wide.dataset.classNames.map((name) => `${name} of the many classes there are`);
    for (const each of [results, wide, randomResults(2), randomResults(12), randomResults(20)]) {
      expect(width(resultsText(each, PLAIN))).toBeLessThanOrEqual(100);
    }
  });

  it.each([
    [80, 3 + 119],
    [60, 2 * (3 + 119)],
    [40, 3 * (3 + 119)],
  ])('fit %i columns, in parts where they must', (columns, epochLines) => {
    const options = { ...PLAIN, columns };
    const tables = [epochsText(results, options), testsText(results, options), bestText(results, options)];
    for (const text of tables) {
      // Sentences are broken by the terminal.
      const [, ...rows] = lines(text).filter((line) => !line.startsWith('The '));
      expect(Math.max(...rows.map((row) => row.length))).toBeLessThanOrEqual(columns);
    }
    expect(lines(tables[0]!).length).toBeLessThanOrEqual(epochLines);
    // Nothing is left out for the sake of the width.
    const { epochs } = results.models[0]!;
    for (const { trainLoss, valMacroF1, seconds } of epochs) {
      expect(tables[0]).toContain(trainLoss.toFixed(4));
      expect(tables[0]).toContain(valMacroF1.toFixed(4));
      expect(tables[0]).toContain(` ${seconds.toFixed(1)}`);
    }
    const tested = results.models[0]!.test!;
    for (const value of [tested.accuracy, tested.recall, tested.loss]) {
      expect(tables[1]).toContain(value.toFixed(4));
    }
  });

  it('list every epoch with its figures, and star the kept one', () => {
    const text = epochsText(results, PLAIN);
    expect(lines(text)).toHaveLength(3 + 119);
    const { epochs, kept } = results.models[0]!;
    const row = lines(text)[2 + kept!.epoch]!;
    expect(row).toContain(`* ${kept!.epoch} `);
    const figures = [epochs[kept!.epoch - 1]!.trainLoss, kept!.valMacroF1];
    for (const value of figures) expect(row).toContain(value.toFixed(4));
    expect(text.split('*')).toHaveLength(1 + 1 + 12);
  });

  it('list every test, and why a model failed', () => {
    const { environment, config, dataset, models } = results;
    const broken = buildResults({
      environment,
      config,
      dataset,
      models: [failedModel('large1', 0.005), models[1]!],
    });
    const text = lines(testsText(broken, PLAIN));
    expect(cells(text[3]!)).toEqual(['large1', '0.005', ...Array(7).fill('–'), '0.0 s']);
    const { accuracy, precision, recall, macroF1, loss } = models[1]!.test!;
    const figures = [accuracy, precision, recall, macroF1, loss].map((value) => value.toFixed(4));
    expect(cells(text[4]!).slice(4, 9)).toEqual(figures);
    expect(text[5]).toBe(
      'large1 at 0.005 failed: large1 at 0.005 diverged: the loss of epoch 1, step 7, is NaN.',
    );
  });

  it('say so when there is nothing to show', () => {
    const { environment, config, dataset } = results;
    const none = buildResults({ environment, config, dataset, models: [failedModel('small', 0.001)] });
    expect(resultsText(none, PLAIN)).toContain('No epoch was finished.');
    expect(bestText(none, PLAIN)).toBe('Best model: none, because no model was trained.');
  });

  it('show the best model by the rule', () => {
    const text = lines(bestText(results, PLAIN));
    const best = Math.max(...results.models.map(({ kept }) => kept!.valMacroF1));
    const model = results.models.find(({ kept }) => kept!.valMacroF1 === best)!;
    expect(text[0]).toBe(`Best model: ${model.model} at ${model.learningRate}`);
    expect(text[1]).toBe(`validation macro-F1 ${best.toFixed(4)} in epoch ${model.kept!.epoch}`);
  });
});

describe('one test', () => {
  const record = { accuracy: 0.7, precision: 0.7, recall: 0.71, macroF1: 0.69, loss: 0.5 };
  const confusion = [
    [6, 2],
    [4, 8],
  ];

  it('shows its figures, each class and the matrix with names', () => {
    const text = testText({ ...record, confusion }, ['Coat', 'Ankle boot'], PLAIN);
    expect(lines(text)[0]).toBe(
      'accuracy 0.7000   precision 0.7000   recall 0.7100   macro-F1 0.6900   loss 0.5000',
    );
    const rows = lines(text).map(cells);
    expect(rows).toContainEqual(['Coat', '0.6000', '0.7500', '0.6667', '8']);
    expect(rows).toContainEqual(['macro average', '0.7000', '0.7083', '0.6970', '20']);
    expect(rows.slice(-4)).toEqual([
      ['actual \\ predicted', 'Coat', 'Ankl'],
      [expect.stringMatching(/^─+$/)],
      ['Coat', '6', '2'],
      ['Ankle boot', '4', '8'],
    ]);
  });

  it('numbers the columns where four letters cannot tell the classes apart', () => {
    const text = testText({ ...record, confusion }, ['class a', 'class b'], PLAIN);
    const rows = lines(text).map(cells);
    expect(rows.at(-4)).toEqual(['actual \\ predicted', '0', '1']);
    expect(rows.at(-1)).toEqual(['1 class b', '4', '8']);
  });

  it('lists the largest confusions where the matrix is too wide', () => {
    const classes = 40;
    const matrix = Array.from({ length: classes }, (_, row) =>
      Array.from({ length: classes }, (_, column) =>
        row === column ? 90 : row === 3 && column === 5 ? 10 : 0,
      ),
    );
    const names = matrix.map((_, index) => `class ${index}`);
    const text = testText({ ...record, confusion: matrix }, names, PLAIN);
    expect(cells(lines(text).at(-1)!)).toEqual(['class 3', '10', '10.0 %', 'class 5']);
    expect(text).toContain('The only confusion among 40 classes:\n');
  });

  it('says how many confusions there are, and when there is none', () => {
    const text = (confused: number) => {
      const matrix = Array.from({ length: 40 }, (_, row) =>
        Array.from({ length: 40 }, (_, column) =>
          row === column ? 90 : row === 3 && column < 3 + confused && column > 3 ? 1 : 0,
        ),
      );
      return testText(
        { ...record, confusion: matrix },
        matrix.map((_, index) => `class ${index}`),
        PLAIN,
      );
    };
    expect(lines(text(0)).at(-1)).toBe('None of the 40 classes was taken for another.');
    expect(text(4)).toContain('All 3 confusions among 40 classes:\n');
    expect(text(31)).toContain('The 20 largest of the 30 confusions among 40 classes:\n');
  });

  it('numbers classes without names once', () => {
    const rows = lines(testText({ ...record, confusion }, ['0', '1'], PLAIN)).map(cells);
    expect(rows.at(-2)).toEqual(['0', '6', '2']);
    expect(rows.at(-1)).toEqual(['1', '4', '8']);
  });

  it('keeps control characters of class names from the terminal', () => {
    const text = testText({ ...record, confusion }, ['\u001b[2Jgone', 'b\u0007'], PLAIN);
    for (const control of ['\u0007', '\u001b']) expect(text).not.toContain(control);
  });
});

describe('colour', () => {
  const results = randomResults(3);

  it('is only there on demand, and adds nothing but escapes', () => {
    const plain = resultsText(results, PLAIN);
    const colored = resultsText(results, { color: true });
    expect(plain).not.toContain('\u001b');
    expect(colored).toContain('\u001b[');
    expect(stripVTControlCharacters(colored)).toBe(plain);
  });

  it('is for terminals whose user does not refuse it', () => {
    expect(wantsColor({ isTTY: true }, {})).toBe(true);
    expect(wantsColor({ isTTY: true }, { NO_COLOR: '' })).toBe(true);
    expect(wantsColor({ isTTY: true }, { NO_COLOR: '1' })).toBe(false);
    expect(wantsColor({ isTTY: false }, {})).toBe(false);
    expect(wantsColor({}, {})).toBe(false);
    expect(wantsColor({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
  });
});

describe('the width of tables', () => {
  it("is the terminal's, 80 where that does not tell, and 100 in a file", () => {
    expect(textOptions({ isTTY: true, columns: 132 }).columns).toBe(132);
    expect(textOptions({ isTTY: true, columns: 0 }).columns).toBe(80);
    expect(textOptions({ isTTY: false, columns: 60 }).columns).toBe(100);
    expect(textOptions({}).columns).toBe(100);
  });
});
