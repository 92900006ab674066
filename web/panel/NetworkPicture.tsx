import { parameterCount } from 'treadle';
import { type Setup, specOf } from './setup.ts';

const WIDTH = 420;
const HEIGHT = 150;
/** Circles that a column is drawn with at most. */
const MOST = 8;

interface Props {
  /** Null while nobody knows. */
  inputs: number | null;
  outputs: number | null;
  setup: Setup;
}

/** A small picture of the network: a column of circles for each layer, with its width below. */
export function NetworkPicture({ inputs, outputs, setup }: Props) {
  const widths = [inputs, ...setup.blocks.map(({ units }) => units), outputs];
  const gap = WIDTH / widths.length;
  const columns = widths.map((width, column) => {
    const shown = Math.min(width ?? 3, MOST);
    const distance = Math.min(16, 112 / shown);
    return Array.from({ length: shown }, (_, at) => ({
      x: gap * (column + 0.5),
      y: 62 + (at - (shown - 1) / 2) * distance,
    }));
  });
  const lines = columns.slice(1).flatMap((to, at) => {
    const from = columns[at]!;
    return from.flatMap(({ x, y }) => to.map((end) => `M${x} ${y}L${end.x} ${end.y}`));
  });
  const parameters =
    inputs === null || outputs === null
      ? null
      : parameterCount(specOf({ input: { features: inputs, type: 'f32' }, outputs }, setup));
  const words = widths.map((width) => width?.toLocaleString('en') ?? '?');
  // Where they would run into one another, every other one stands lower.
  const isCrowded = gap < 9 * Math.max(...words.map(({ length }) => length));
  const height = isCrowded ? HEIGHT + 15 : HEIGHT;
  return (
    <figure class="picture">
      <svg viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={`Layers of ${words.join(', ')} numbers`}>
        <path class="lines" d={lines.join('')} />
        {columns.map((circles, column) => (
          <g key={column} class={column === 0 || column === widths.length - 1 ? 'end' : 'hidden-layer'}>
            {circles.map(({ x, y }) => (
              <circle key={y} cx={x} cy={y} r={circles.length > 6 ? 4.5 : 5.5} />
            ))}
            <text x={gap * (column + 0.5)} y={HEIGHT - 8 + (isCrowded && column % 2 === 1 ? 15 : 0)}>
              {words[column]}
            </text>
          </g>
        ))}
      </svg>
      <figcaption>
        {parameters === null
          ? 'Inputs and outputs follow from the data.'
          : `${parameters.toLocaleString('en')} weights to learn, from ${words[0]} numbers to ${words.at(-1)}.`}
      </figcaption>
    </figure>
  );
}
