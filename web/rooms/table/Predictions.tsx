import { useState } from 'preact/hooks';
import type { CsvOptions } from 'treadle/tables';
import { download } from '../../app/download.ts';
import { FileButton } from '../../app/FileButton.tsx';
import { Problem } from '../../app/Problem.tsx';
import { sentenceOf } from '../../app/problems.ts';
import { fileName } from '../../panel/words.ts';
import { ACCEPTED } from './ChooseFile.tsx';
import type { TableClient } from './client.ts';

interface Props {
  client: TableClient;
  /** How another file is read. */
  csv: CsvOptions;
  /** Whether there are test rows. */
  hasTest: boolean;
  name: string;
}

/** What the model says of the test rows, or of another file's, as CSV. */
export function Predictions({ client, csv, hasTest, name }: Props) {
  const [problem, setProblem] = useState<string | null>(null);
  const [said, say] = useState<string | null>(null);
  const predict = async (file: File | null) => {
    setProblem(null);
    say(null);
    try {
      const text = await client.predictions(file, csv);
      const saved = `${fileName((file?.name ?? name).replace(/\.\w+$/, ''))}-predicted.csv`;
      download(saved, text, 'text/csv');
      say(`${saved} is saved.`);
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <section aria-labelledby="predictions-title">
      <h2 id="predictions-title">Predictions</h2>
      <p>A CSV file with all columns, what the model says of each row, and how sure it is.</p>
      <div class="buttons">
        {hasTest && (
          <button type="button" onClick={() => void predict(null)}>
            Save those of the test rows
          </button>
        )}
        <FileButton label="Predict another file" accept={ACCEPTED} onFile={(file) => void predict(file)} />
      </div>
      <p class="note" role="status">
        {said}
      </p>
      <Problem text={problem} />
    </section>
  );
}
