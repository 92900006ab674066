import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { Term } from './Term.tsx';
import type { TermName } from './terms.ts';

interface Labelled {
  label: string;
  /** Explains the label. */
  term?: TermName;
  disabled?: boolean;
}

function Row({ label, term, id, children }: Labelled & { id: string; children: ComponentChildren }) {
  return (
    <div class="field">
      <span class="label">
        <label for={id}>{label}</label>
        {term && (
          <Term name={term}>
            <span class="unseen">What is {label}</span>
            <span aria-hidden="true">?</span>
          </Term>
        )}
      </span>
      {children}
    </div>
  );
}

/** A choice of one. */
export function Choice<T extends string>({
  options,
  value,
  onChange,
  disabled = false,
  ...about
}: Labelled & { options: Readonly<Record<T, string>>; value: T; onChange: (value: T) => void }) {
  const id = useId();
  return (
    <Row {...about} id={id}>
      <select
        id={id}
        value={value}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.value as T)}
      >
        {(Object.entries(options) as [T, string][]).map(([key, title]) => (
          <option key={key} value={key}>
            {title}
          </option>
        ))}
      </select>
    </Row>
  );
}

/** The number that was typed, within its bounds; null for none. */
export function takenNumber(
  { valueAsNumber }: HTMLInputElement,
  { least, most, whole }: { least: number; most: number; whole: boolean },
): number | null {
  const typed = whole ? Math.round(valueAsNumber) : valueAsNumber;
  return Number.isFinite(typed) ? Math.min(most, Math.max(least, typed)) : null;
}

/** A number that is typed; what is none, or lies outside, is not taken over. */
export function NumberBox({
  value,
  least,
  most,
  step = 1,
  onChange,
  disabled = false,
  ...about
}: Labelled & {
  value: number;
  least: number;
  most: number;
  step?: number | 'any';
  onChange: (value: number) => void;
}) {
  const id = useId();
  return (
    <Row {...about} id={id}>
      <input
        id={id}
        type="number"
        inputMode="decimal"
        value={value}
        min={least}
        max={most}
        step={step}
        disabled={disabled}
        onChange={(event) => {
          const taken = takenNumber(event.currentTarget, { least, most, whole: step === 1 });
          if (taken !== null) onChange(taken);
          event.currentTarget.value = String(taken ?? value);
        }}
      />
    </Row>
  );
}

/** A number that is drawn along a line. */
export function Slider({
  value,
  least,
  most,
  step,
  shown,
  onChange,
  disabled = false,
  ...about
}: Labelled & {
  value: number;
  least: number;
  most: number;
  step: number | 'any';
  /** The value in words. */
  shown: string;
  onChange: (value: number) => void;
}) {
  const id = useId();
  return (
    <Row {...about} id={id}>
      <span class="slider">
        <input
          id={id}
          type="range"
          value={value}
          min={least}
          max={most}
          step={step}
          disabled={disabled}
          aria-valuetext={shown}
          onInput={(event) => onChange(event.currentTarget.valueAsNumber)}
        />
        <output for={id}>{shown}</output>
      </span>
    </Row>
  );
}
