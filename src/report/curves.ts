import { PANELS } from '../metrics/figures.js';
import { CLASSIFIER_FIGURES } from '../results/epochs.js';
import { printable, rateText } from '../results/format.js';
import { passOf, seedOf } from '../results/job-id.js';
import type { EpochRecord, ModelRecord, RunResults } from '../results/records.js';
import { axisText, combine, type Panel, panelTitle, valueAxis } from './panel.js';
import { niceScale } from './scale.js';
import { type Chart, drawChart } from './svg.js';
import { light, seriesStyle } from './theme.js';

/** What one panel of the curves shows. */
export interface Measure {
  name: string;
  title: string;
  /** Null where it is not measured in training. */
  train: ((epoch: EpochRecord) => number) | null;
  validation: (epoch: EpochRecord) => number;
  /** The largest value there can be. */
  most: number;
}

/** The panels of the curves, from left to right. */
export const MEASURES: readonly Measure[] = [...new Set(CLASSIFIER_FIGURES.map(({ panel }) => panel))].map(
  (panel) => {
    const [train, validation] = (['train', 'validation'] as const).map((side) =>
      CLASSIFIER_FIGURES.find((row) => row.panel === panel && row.side === side),
    );
    return {
      ...PANELS[panel],
      train: train === undefined ? null : (epoch) => epoch[train.name],
      validation: (epoch) => epoch[validation!.name],
    };
  },
);

const PANEL = { width: 372, height: 288 };
const MARGIN = { left: 54, right: 14, top: 60, bottom: 44 };
/** Where headings start, in pixels from the left of their panel. */
const INSET = 6;
/** Height of the heading and the legend above the panels of a whole chart. */
const HEADING = 82;
/** Least width, in pixels, of a band that its rate's name is written above. */
const NARROWEST_NAME = 44;

/** Whether any model of an architecture finished an epoch: without one there is nothing to draw. */
export function hasCurves(results: RunResults, architecture: string): boolean {
  return modelsOf(results, architecture).some(({ epochs }) => epochs.length > 0);
}

/** Curves of one architecture: every measure side by side, with a heading and a legend. */
export function curvesChart(results: RunResults, architecture: string): Chart {
  const models = modelsOf(results, architecture);
  const chain = epochsPerRate(results);
  const width = PANEL.width * MEASURES.length;
  const panels = MEASURES.map((measure, index) => panel(models, chain, measure, index, HEADING));
  const label = `Loss, accuracy and validation macro-F1 of ${printable(architecture)} over the epochs`;
  const option = {
    ...combine(panels),
    title: [heading(architecture, results), ...panels.map(({ title }) => title)],
    legend: {
      data: seriesOf(models),
      selectedMode: false,
      left: INSET,
      top: 58,
      itemWidth: 22,
      itemHeight: 8,
      itemGap: 18,
      textStyle: { color: light('ink'), fontSize: 12 },
    },
  };
  return drawChart({ name: `curves-${architecture}`, label, width, height: PANEL.height + HEADING }, option);
}

/** One measure of one architecture, without a legend: for a page that has its own. */
export function curvesPanel(results: RunResults, architecture: string, measure: Measure): Chart {
  const part = panel(modelsOf(results, architecture), epochsPerRate(results), measure, 0, 0);
  const option = { ...combine([part]), title: part.title };
  const label = `${measure.title} of ${printable(architecture)} over the epochs`;
  const name = `curves-${architecture}-${measure.name}`;
  return drawChart({ name, label, ...PANEL }, option);
}

/** What the lines mean, in words. */
export function curvesKey({ config }: RunResults): string {
  return config.epochs === 1
    ? 'Hollow dot: training. Filled dot: validation.'
    : 'Dashed: training. Solid: validation. Dot: the epoch that was kept.';
}

/** Models of one architecture, those of earlier passes too, in the order of seeds, passes and learning rates. */
export function modelsOf({ models, earlier = [], config }: RunResults, architecture: string): ModelRecord[] {
  const order = ({ id, learningRate }: ModelRecord) =>
    passOf(id) * config.learningRates.length + config.learningRates.indexOf(learningRate);
  return [...earlier, ...models]
    .filter(({ model }) => model === architecture)
    .sort((a, b) => (seedOf(a.id) ?? 0) - (seedOf(b.id) ?? 0) || order(a) - order(b));
}

/** The lines of models in words, each once: learning rates, with their seeds where there are several. */
export function seriesOf(models: readonly ModelRecord[]): string[] {
  return [...new Set(models.map(seriesName))];
}

function seriesName({ learningRate, id }: ModelRecord): string {
  const seed = seedOf(id);
  return seed === null ? rateText(learningRate) : `${rateText(learningRate)}, seed ${seed}`;
}

/** Models of the first seed, and of all where there is one. */
function firstSeed(models: readonly ModelRecord[]): ModelRecord[] {
  return models.filter(({ id }) => seedOf(id) === seedOf(models[0]!.id));
}

/** Chained: the epochs that each rate takes on the common axis. Independent: null, all rates start at epoch 1. */
function epochsPerRate({ config, models, earlier = [] }: RunResults): number | null {
  const steps = config.learningRates.length * config.passes;
  if (config.mode === 'independent' || steps === 1) return null;
  return [...earlier, ...models]
    .flatMap(({ epochs }) => epochs)
    .reduce((most, { epoch }) => Math.max(most, epoch), config.epochs);
}

function heading(architecture: string, results: RunResults) {
  const widths = results.config.architectures.find(({ name }) => name === architecture)?.hidden ?? [];
  return {
    text: printable(architecture),
    subtext: `Hidden blocks ${widths.join(' – ')}. ${curvesKey(results)}`,
    left: INSET,
    top: 10,
    textStyle: { fontSize: 17, color: light('ink') },
    subtextStyle: { fontSize: 12, color: light('muted') },
  };
}

function panel(
  models: readonly ModelRecord[],
  chain: number | null,
  measure: Measure,
  index: number,
  top: number,
): Panel {
  const left = index * PANEL.width;
  const readings = [measure.validation, ...(measure.train === null ? [] : [measure.train])];
  const scale = niceScale(
    models.flatMap(({ epochs }) => epochs).flatMap((epoch) => readings.map((read) => read(epoch))),
    { least: 0, most: measure.most },
  );
  const last = models.flatMap(({ epochs }) => epochs).reduce((most, { epoch }) => Math.max(most, epoch), 1);
  const bands = firstSeed(models);
  const end = chain === null ? last : chain * bands.length;
  const series = seriesOf(models);
  const axis = { gridIndex: index, axisLine: { show: false }, axisTick: { show: false } };
  return {
    title: panelTitle(measure.title, left + INSET, top + 10),
    grid: {
      left: left + MARGIN.left,
      top: top + MARGIN.top,
      width: PANEL.width - MARGIN.left - MARGIN.right,
      height: PANEL.height - MARGIN.top - MARGIN.bottom,
    },
    xAxis: {
      ...axis,
      type: 'value',
      min: 0.5,
      max: end + 0.5,
      splitLine: { show: false },
      axisLabel: {
        ...axisText(),
        customValues: epochTicks(end, chain),
        formatter: (epoch: number) => String(epoch),
      },
      name: chain === null ? 'Epoch' : 'Epoch of the chain',
      nameLocation: 'middle',
      nameGap: 26,
      nameTextStyle: axisText(),
    },
    yAxis: [{ ...axis, ...valueAxis(scale, index) }],
    series: [
      ...(chain === null ? [] : [rateBands(bands, chain, index)]),
      ...models.flatMap((model, place) =>
        rateCurves(
          model,
          measure,
          series.indexOf(seriesName(model)),
          chain === null ? 0 : (place % bands.length) * chain,
          index,
        ),
      ),
    ],
  };
}

/** Epochs named on the axis: of a chain the last of each rate, otherwise up to ten evenly spaced ones. */
function epochTicks(end: number, chain: number | null): number[] {
  const least = Math.ceil(end / 10);
  const step = chain === null ? least : Math.ceil(least / chain) * chain;
  const ticks = Array.from({ length: Math.floor(end / step) }, (_, index) => (index + 1) * step);
  return step > 1 ? [1, ...ticks] : ticks;
}

/** A band with its name for the epochs of each rate, on the common axis of a chain. */
function rateBands(models: readonly ModelRecord[], chain: number, index: number): object {
  const width = (PANEL.width - MARGIN.left - MARGIN.right) / models.length;
  return {
    type: 'line',
    xAxisIndex: index,
    yAxisIndex: index,
    silent: true,
    data: [],
    markArea: {
      silent: true,
      z: -1,
      label: {
        show: width >= NARROWEST_NAME,
        position: 'top',
        distance: 5,
        color: light('muted'),
        fontSize: 11,
      },
      data: models.map(({ learningRate }, rate) => [
        {
          name: rateText(learningRate),
          xAxis: rate * chain + 0.5,
          itemStyle: { color: rate % 2 === 0 ? light('band') : 'transparent' },
        },
        { xAxis: (rate + 1) * chain + 0.5 },
      ]),
    },
  };
}

/** The training and validation curve of one model, and a dot on its kept epoch. */
function rateCurves(
  model: ModelRecord,
  measure: Measure,
  rate: number,
  offset: number,
  index: number,
): object[] {
  const { role, symbol, marked } = seriesStyle(rate);
  const color = light(role);
  // A marked line has ten marks or so, however long it is.
  const spacing = Math.ceil(model.epochs.length / 10);
  const points = (read: (epoch: EpochRecord) => number) =>
    model.epochs.map((e, position) => {
      const value = [offset + e.epoch, read(e)];
      return marked && position % spacing !== 0 ? { value, symbol: 'none' } : value;
    });
  const line = {
    type: 'line',
    xAxisIndex: index,
    yAxisIndex: index,
    silent: true,
    symbol,
    symbolSize: marked ? 7 : 5,
    showSymbol: marked || model.epochs.length === 1,
    itemStyle: { color },
  };
  const kept = model.epochs.filter(({ epoch }) => epoch === model.kept?.epoch);
  return [
    {
      ...line,
      name: seriesName(model),
      data: points(measure.validation),
      lineStyle: { color, width: 2 },
    },
    ...(measure.train === null
      ? []
      : [
          {
            ...line,
            data: points(measure.train),
            itemStyle: { color: light('paper'), borderColor: color, borderWidth: 1.5 },
            lineStyle: { color, width: 1.5, type: [5, 4], opacity: 0.9 },
          },
        ]),
    {
      type: 'scatter',
      xAxisIndex: index,
      yAxisIndex: index,
      silent: true,
      symbol,
      symbolSize: marked ? 10 : 8,
      z: 4,
      data: kept.map((epoch) => [offset + epoch.epoch, measure.validation(epoch)]),
      itemStyle: { color, opacity: 1, borderColor: light('paper'), borderWidth: 1.5 },
    },
  ];
}
