import type { ReadonlySignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { paintSurface } from './painting.ts';
import type { BlockOutput, Unit } from './units.ts';
import { usePainting } from './use-painting.ts';

/** Units of a layer that are drawn. */
const MOST = 16;

interface Props {
  /** What each layer's units give over a grid of `side` by `side`. */
  of: ReadonlySignal<{ side: number; layers: readonly BlockOutput[] }>;
  onShow: (unit: Unit | null) => void;
}

/** A small picture of each hidden unit: what it gives over the plane. Under the pointer, or in focus, it is shown large. */
export function Units({ of, onShow }: Props) {
  const { side, layers } = of.value;
  if (layers.length === 0) {
    return (
      <p class="note empty">
        Once the network trains, each hidden unit’s own view of the plane is shown here.
      </p>
    );
  }
  return (
    <div class="units">
      {layers.map(({ width, values }, block) => (
        <div key={block}>
          <h3>
            Layer {block + 1}
            {width > MOST && (
              <span class="note">
                {' '}
                – {MOST} of {width} units
              </span>
            )}
          </h3>
          <div class="tiles">
            {Array.from({ length: Math.min(width, MOST) }, (_, unit) => (
              <Tile
                key={unit}
                name={`Unit ${unit + 1} of layer ${block + 1}`}
                values={values}
                width={width}
                unit={unit}
                side={side}
                onShow={(isShown) => onShow(isShown ? { block, unit } : null)}
              />
            ))}
          </div>
        </div>
      ))}
    </div>
  );
}

/** The values of one unit, out of those of its layer. */
export function valuesOfUnit({ width, values }: BlockOutput, unit: number): Float32Array {
  return Float32Array.from({ length: values.length / width }, (_, place) => values[place * width + unit]!);
}

function Tile({
  name,
  values,
  width,
  unit,
  side,
  onShow,
}: BlockOutput & { name: string; unit: number; side: number; onShow: (isShown: boolean) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  usePainting(
    (colours) => {
      const own = valuesOfUnit({ width, values }, unit);
      paintSurface(canvas.current!, { side, values: own, outputs: 1, isUnit: true }, colours);
    },
    [values, width, unit, side],
  );
  return (
    <button
      type="button"
      class="tile"
      aria-label={`${name}: show it large`}
      onPointerEnter={() => onShow(true)}
      onPointerLeave={() => onShow(false)}
      onFocus={() => onShow(true)}
      onBlur={() => onShow(false)}
    >
      <canvas ref={canvas} width={48} height={48} />
    </button>
  );
}
