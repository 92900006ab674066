import { CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import {
  GridComponent,
  LegendComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TitleComponent,
} from 'echarts/components';
import { type EChartsCoreOption, init, setPlatformAPI, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { escapeText } from './markup.js';
import { CHART_FONTS, light, type Role, TONES } from './theme.js';

use([
  CustomChart,
  GridComponent,
  LegendComponent,
  LineChart,
  MarkAreaComponent,
  MarkLineComponent,
  ScatterChart,
  SVGRenderer,
  TitleComponent,
]);

/** Mean width of a DejaVu Sans character over its size: text is measured without a font engine. */
const CHARACTER_WIDTH = 0.6;

/** Put before texts that the chart library cannot take, and removed from the SVG. {@link printable} texts have none. */
const MARK = '\uffff';

setPlatformAPI({
  measureText(text, font) {
    const size = Number(/([\d.]+)px/.exec(font ?? '')?.[1] ?? 12);
    return { width: [...text.replaceAll(MARK, '')].length * size * CHARACTER_WIDTH };
  },
});

/** A drawn chart: a stand-alone SVG in the report's light colours. */
export interface Chart {
  /** File name without its extension. */
  name: string;
  /** What it shows, for people who do not see it. */
  label: string;
  /** In pixels. */
  width: number;
  height: number;
  svg: string;
}

/** Draws a chart. The same option gives the same text, in any process and order. */
export function drawChart(about: Omit<Chart, 'svg'>, option: EChartsCoreOption): Chart {
  return { ...about, svg: drawSvg(option, about.width, about.height) };
}

function drawSvg(option: EChartsCoreOption, width: number, height: number): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    const drawn = {
      animation: false,
      backgroundColor: light('paper'),
      textStyle: { fontFamily: CHART_FONTS, color: light('ink') },
      ...option,
    };
    chart.setOption(withSafeTexts(drawn) as EChartsCoreOption);
    return withoutInteraction(chart.renderToSVGString()).replaceAll(MARK, '');
  } finally {
    chart.dispose();
  }
}

/**
 * A copy of a chart's option, and of whatever its functions return, in which no text is a name that every object has,
 * such as `__proto__`: the library keeps widths of texts in plain objects, under the texts themselves.
 */
function withSafeTexts(part: unknown): unknown {
  if (typeof part === 'string') return part in Object.prototype ? MARK + part : part;
  if (typeof part === 'function') return (...args: unknown[]) => withSafeTexts(part(...args));
  if (Array.isArray(part)) return part.map(withSafeTexts);
  if (typeof part !== 'object' || part === null) return part;
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, withSafeTexts(value)]));
}

/** The attribute that keeps an image's pixels sharp when it is enlarged. */
export const PIXELATED = 'image-rendering="pixelated"';

/** Removes what only a live chart needs, and the counter that the library puts into its identifiers. */
function withoutInteraction(svg: string): string {
  return svg
    .replace(/<style[\s\S]*?<\/style>\s*/g, '')
    .replace(/ (?:class|pointer-events|ecmeta_\w+)="[^"]*"/g, '')
    .replace(/\bzr\d+-/g, 'id-')
    .replace(/<image /g, `<image ${PIXELATED} `)
    .replace(/\n\s*\n/g, '\n');
}

const ROLE_OF_COLOR = new Map(
  Object.entries(TONES).map(([role, tone]) => [tone.light as string, role as Role] as const),
);

/**
 * A chart's SVG for use inside a page: its colours are the page's variables `--ROLE`, it
 * scales with its place, and it is named for assistive technology. `id` must differ between the page's charts.
 *
 * @example figure.innerHTML = embedSvg(chart, 'loss');
 */
export function embedSvg(chart: Chart, id: string): string {
  return chart.svg
    .replace(/#[0-9a-f]{6}\b/g, (color) => {
      const role = ROLE_OF_COLOR.get(color);
      return role === undefined ? color : `var(--${role})`;
    })
    .replace(/\bid-/g, `${id}-`)
    .replace(
      /^<svg width="[\d.]+" height="[\d.]+"/,
      `<svg role="img" aria-label="${escapeText(chart.label)}"`,
    );
}
