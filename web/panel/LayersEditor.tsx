import { takenNumber } from '../app/Field.tsx';
import { useFocusKept } from '../app/focus.ts';
import { Term } from '../app/Term.tsx';
import { ACTIVATIONS, type Block, LIMITS } from './setup.ts';

interface Props {
  blocks: readonly Block[];
  disabled: boolean;
  onChange: (blocks: readonly Block[]) => void;
}

/** The hidden layers, one a row: they are added, changed and taken away by hand. */
export function LayersEditor({ blocks, disabled, onChange }: Props) {
  const place = useFocusKept<HTMLDivElement>('.icon', '.quiet');
  const change = (at: number, part: Partial<Block>) =>
    onChange(blocks.map((block, index) => (index === at ? { ...block, ...part } : block)));
  const add = () => {
    const last = blocks.at(-1) ?? { units: 32, norm: false, activation: 'relu' as const, dropout: 0 };
    onChange([
      ...blocks,
      { ...last, units: Math.max(1, Math.round(last.units / (blocks.length === 0 ? 1 : 2))) },
    ]);
  };
  return (
    <div class="layers" ref={place}>
      {blocks.length > 0 && (
        <table>
          <caption class="unseen">Hidden layers</caption>
          <thead>
            <tr>
              <th scope="col">
                <Term name="layer">Layer</Term>
              </th>
              <th scope="col">
                <Term name="width">Width</Term>
              </th>
              <th scope="col">
                <Term name="activation">Activation</Term>
              </th>
              <th scope="col">
                <Term name="norm">Norm</Term>
              </th>
              <th scope="col">
                <Term name="dropout">Dropout</Term>
              </th>
              <th scope="col">
                <span class="unseen">Take away</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {blocks.map((block, at) => (
              <LayerRow
                key={at}
                at={at}
                block={block}
                disabled={disabled}
                onChange={(part) => change(at, part)}
                onRemove={() => onChange(blocks.filter((_, index) => index !== at))}
              />
            ))}
          </tbody>
        </table>
      )}
      <button type="button" class="quiet" disabled={disabled || blocks.length >= LIMITS.blocks} onClick={add}>
        Add a layer
      </button>
    </div>
  );
}

function LayerRow({
  at,
  block,
  disabled,
  onChange,
  onRemove,
}: {
  at: number;
  block: Block;
  disabled: boolean;
  onChange: (part: Partial<Block>) => void;
  onRemove: () => void;
}) {
  const name = `of layer ${at + 1}`;
  return (
    <tr>
      <th scope="row">{at + 1}</th>
      <td>
        <input
          type="number"
          aria-label={`Width ${name}`}
          value={block.units}
          min={1}
          max={LIMITS.units}
          disabled={disabled}
          onChange={(event) => {
            const bounds = { least: 1, most: LIMITS.units, whole: true };
            const units = takenNumber(event.currentTarget, bounds) ?? block.units;
            event.currentTarget.value = String(units);
            onChange({ units });
          }}
        />
      </td>
      <td>
        <select
          aria-label={`Activation ${name}`}
          value={block.activation}
          disabled={disabled}
          onChange={(event) => onChange({ activation: event.currentTarget.value as Block['activation'] })}
        >
          {Object.entries(ACTIVATIONS).map(([key, title]) => (
            <option key={key} value={key}>
              {title}
            </option>
          ))}
        </select>
      </td>
      <td>
        <input
          type="checkbox"
          aria-label={`Batch normalisation ${name}`}
          checked={block.norm}
          disabled={disabled}
          onChange={(event) => onChange({ norm: event.currentTarget.checked })}
        />
      </td>
      <td>
        <select
          aria-label={`Dropout ${name}`}
          value={String(block.dropout)}
          disabled={disabled}
          onChange={(event) => onChange({ dropout: Number(event.currentTarget.value) })}
        >
          {[...new Set([0, 0.1, 0.2, 0.3, 0.5, 0.7, block.dropout])].sort().map((rate) => (
            <option key={rate} value={String(rate)}>
              {`${Math.round(100 * rate)} %`}
            </option>
          ))}
        </select>
      </td>
      <td>
        <button
          type="button"
          class="icon"
          aria-label={`Take layer ${at + 1} away`}
          disabled={disabled}
          onClick={onRemove}
        >
          <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
            <path d="M3 3l10 10M13 3L3 13" />
          </svg>
        </button>
      </td>
    </tr>
  );
}
