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
import { FIGURE_FONTS, light, type Role, TONES } from './theme.js';

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

setPlatformAPI({
  measureText(text, font) {
    const size = Number(/([\d.]+)px/.exec(font ?? '')?.[1] ?? 12);
    return { width: [...text].length * size * CHARACTER_WIDTH };
  },
});

/** A drawn figure: a stand-alone SVG in the report's light colours. */
export interface Figure {
  /** File name without its extension. */
  name: string;
  /** What it shows, for people who do not see it. */
  label: string;
  svg: string;
}

/** Draws a chart of the given size in pixels. The same option gives the same text, in any process and order. */
export function drawSvg(option: EChartsCoreOption, width: number, height: number): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: light('paper'),
      textStyle: { fontFamily: FIGURE_FONTS, color: light('ink') },
      ...option,
    });
    return withoutInteraction(chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}

/** Removes what only a live chart needs, and the counter that the library puts into its identifiers. */
function withoutInteraction(svg: string): string {
  return svg
    .replace(/<style[\s\S]*?<\/style>\s*/g, '')
    .replace(/ (?:class|pointer-events|ecmeta_\w+)="[^"]*"/g, '')
    .replace(/\bzr\d+-/g, 'id-')
    .replace(/\n\s*\n/g, '\n');
}

const ROLE_OF_COLOR = new Map(
  Object.entries(TONES).map(([role, tone]) => [tone.light as string, role as Role] as const),
);

/**
 * A figure's SVG for use inside a page: its colours are the page's variables `--ROLE`, it
 * scales with its place, and it is named for assistive technology. `id` must differ between the page's figures.
 */
export function embedSvg(figure: Figure, id: string): string {
  return figure.svg
    .replace(/#[0-9a-f]{6}\b/g, (color) => {
      const role = ROLE_OF_COLOR.get(color);
      return role === undefined ? color : `var(--${role})`;
    })
    .replace(/\bid-/g, `${id}-`)
    .replace(/^<svg width="\d+" height="\d+"/, `<svg role="img" aria-label="${escapeText(figure.label)}"`);
}
