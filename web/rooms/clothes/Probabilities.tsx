import { CLASSES } from 'virtual:fashion-mnist';
import type { ReadonlySignal } from '@preact/signals';

interface Props {
  /** Read here alone: what is drawn changes nothing else of the page. */
  of: ReadonlySignal<Float32Array | null>;
  took: ReadonlySignal<number>;
  /** Why there are none. */
  nothing: string;
}

/** A bar for each class. */
export function Probabilities({ of, took, nothing }: Props) {
  const values = of.value;
  const best = values === null ? -1 : values.indexOf(Math.max(...values));
  return (
    <div class="probabilities">
      <h4>What the model says</h4>
      <ol>
        {CLASSES.map((name, at) => {
          const share = values?.[at] ?? 0;
          return (
            <li key={name} class={at === best ? 'best' : ''}>
              <span class="name">{name}</span>
              <span class="bar" aria-hidden="true">
                <span style={{ transform: `scaleX(${share})` }} />
              </span>
              <span class="share">{values === null ? '–' : `${(100 * share).toFixed(1)} %`}</span>
            </li>
          );
        })}
      </ol>
      <p class="note">{values === null ? nothing : `Said in ${Math.max(0.1, took.value).toFixed(1)} ms.`}</p>
    </div>
  );
}
