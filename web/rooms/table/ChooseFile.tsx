import { useState } from 'preact/hooks';
import { Choice } from '../../app/Field.tsx';
import { FileButton } from '../../app/FileButton.tsx';
import { Problem } from '../../app/Problem.tsx';
import { type CsvMarks, DECIMALS, SEPARATORS } from './csv-marks.ts';
import { SAMPLES, type SampleName } from './samples.ts';

/** Files that tables are read from. */
export const ACCEPTED = '.csv,.tsv,.txt,.json,.jsonl,.ndjson,.parquet,.gz,text/csv,application/json';

interface Props {
  name: string | null;
  reading: boolean;
  marks: CsvMarks;
  problem: string | null;
  disabled: boolean;
  onFile: (file: File) => void;
  onSample: (name: SampleName) => void;
  onMarks: (marks: CsvMarks) => void;
}

/** A file is dropped or chosen here, or one of the tables that ship. */
export function ChooseFile({ name, reading, marks, problem, disabled, onFile, onSample, onMarks }: Props) {
  const [over, setOver] = useState(false);
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
          <FileButton
            label="Choose a CSV, JSON or Parquet file"
            accept={ACCEPTED}
            disabled={disabled}
            isMain
            onFile={onFile}
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
        <div class="marks">
          <Choice
            label="Separator of CSV"
            options={SEPARATORS}
            value={marks.separator}
            disabled={disabled}
            onChange={(separator) => onMarks({ ...marks, separator })}
          />
          <Choice
            label="Decimal mark"
            options={DECIMALS}
            value={marks.decimal}
            disabled={disabled}
            onChange={(decimal) => onMarks({ ...marks, decimal })}
          />
        </div>
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
