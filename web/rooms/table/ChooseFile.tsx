import { useId, useState } from 'preact/hooks';
import { Problem } from '../../app/Problem.tsx';
import { SAMPLES, type SampleName } from './samples.ts';

/** Files that tables are read from. */
export const ACCEPTED = '.csv,.tsv,.txt,.json,.jsonl,.ndjson,.parquet,.gz,text/csv,application/json';

interface Props {
  name: string | null;
  reading: boolean;
  decimal: '.' | ',';
  problem: string | null;
  disabled: boolean;
  onFile: (file: File) => void;
  onSample: (name: SampleName) => void;
  onDecimal: (mark: '.' | ',') => void;
}

/** A file is dropped or chosen here, or one of the tables that ship. */
export function ChooseFile({
  name,
  reading,
  decimal,
  problem,
  disabled,
  onFile,
  onSample,
  onDecimal,
}: Props) {
  const [over, setOver] = useState(false);
  const input = useId();
  const mark = useId();
  return (
    <section aria-labelledby="file-title">
      <h2 id="file-title" class="unseen">
        The file
      </h2>
      <fieldset
        class={`drop${over ? ' over' : ''}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          const file = event.dataTransfer?.files[0];
          if (file && !disabled) onFile(file);
        }}
      >
        <p>
          <label class="button main-label" for={input}>
            Choose a CSV, JSON or Parquet file
          </label>
          <input
            id={input}
            class="unseen"
            type="file"
            accept={ACCEPTED}
            disabled={disabled}
            onChange={(event) => {
              const file = event.currentTarget.files?.[0];
              if (file) onFile(file);
              event.currentTarget.value = '';
            }}
          />{' '}
          <span>or drop it here.</span>
        </p>
        <p class="note" role="status">
          {reading
            ? 'Reading…'
            : name === null
              ? 'The first line of CSV names the columns. The file is read here and sent nowhere.'
              : `${name} is open.`}
        </p>
        <p class="note decimal">
          <label for={mark}>Decimal mark</label>
          <select
            id={mark}
            value={decimal}
            disabled={disabled}
            onChange={(event) => onDecimal(event.currentTarget.value as '.' | ',')}
          >
            <option value=".">point: 3.14</option>
            <option value=",">comma: 3,14</option>
          </select>
        </p>
      </fieldset>
      <Problem text={problem} />
      <ul class="samples">
        {(Object.keys(SAMPLES) as SampleName[]).map((key) => (
          <li key={key}>
            <button type="button" disabled={disabled} onClick={() => onSample(key)}>
              <strong>{SAMPLES[key].title}</strong>
              <span>{SAMPLES[key].says}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
