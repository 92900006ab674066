import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ColumnDecision, Kind } from 'treadle/tables';
import { sentenceOf } from '../../app/problems.ts';
import { startTables, type TableClient } from './client.ts';
import { type CsvMarks, csvOptions, USUAL_MARKS } from './csv-marks.ts';
import type { ReadTable, ReadyTable } from './messages.ts';
import { SAMPLES, type SampleName } from './samples.ts';

/** What is chosen of a table. */
export interface Chosen {
  target: string;
  kinds: Readonly<Record<string, Kind>>;
}

/** The table that is open: how it is read, what is to be learnt of it, and what is wrong with that. */
export function useTable(seed: number, onOther: () => void) {
  const client = useMemo<TableClient>(startTables, []);
  useEffect(() => () => client.dispose(), [client]);
  const [marks, setMarks] = useState(USUAL_MARKS);
  const [file, setFile] = useState<File | null>(null);
  const [sample, setSample] = useState<SampleName | null>(null);
  const [table, setTable] = useState<ReadTable | null>(null);
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [ready, setReady] = useState<ReadyTable | null>(null);
  const [reading, setReading] = useState(false);
  const [readProblem, setReadProblem] = useState<string | null>(null);
  const [choiceProblem, setChoiceProblem] = useState<string | null>(null);
  const latest = useRef(0);

  const read = async (next: File, as: CsvMarks, wanted: Partial<Chosen> = {}) => {
    const own = ++latest.current;
    setFile(next);
    setReading(true);
    setReadProblem(null);
    setChoiceProblem(null);
    onOther();
    try {
      const found = await client.read(next, csvOptions(as));
      if (own !== latest.current) return;
      setTable(found);
      setReady(null);
      const names = found.columns.map(({ name }) => name);
      const target =
        wanted.target !== undefined && names.includes(wanted.target)
          ? wanted.target
          : usualTarget(found.columns);
      setChosen({ target, kinds: wanted.kinds ?? {} });
    } catch (error) {
      if (own !== latest.current) return;
      setTable(null);
      setChosen(null);
      setReady(null);
      setReadProblem(sentenceOf(error));
    } finally {
      if (own === latest.current) setReading(false);
    }
  };

  useEffect(() => {
    if (table === null || chosen === null) return;
    const own = ++latest.current;
    setChoiceProblem(null);
    const { [chosen.target]: _, ...kinds } = chosen.kinds;
    client.ready({ target: chosen.target, kinds, seed }).then(
      (found) => own === latest.current && setReady(found),
      (error: unknown) => {
        if (own !== latest.current) return;
        setReady(null);
        setChoiceProblem(sentenceOf(error));
      },
    );
  }, [client, table, chosen, seed]);

  return {
    client,
    table,
    sample,
    chosen,
    ready,
    reading,
    marks,
    readProblem,
    choiceProblem,
    open(next: File, wanted?: Partial<Chosen>) {
      setSample(null);
      return read(next, marks, wanted);
    },
    async openSample(name: SampleName, wanted: Partial<Chosen> = {}) {
      const { address, file: fileName, target } = SAMPLES[name];
      setSample(name);
      setMarks(USUAL_MARKS);
      try {
        const bytes = await (await fetch(address)).arrayBuffer();
        await read(new File([bytes], fileName), USUAL_MARKS, { target, ...wanted });
      } catch (error) {
        setReadProblem(sentenceOf(error));
      }
    },
    /** Reads the file again, as CSV with other marks. */
    readWith(next: CsvMarks) {
      setMarks(next);
      if (file !== null) void read(file, next);
    },
    choose(part: Partial<Chosen>) {
      onOther();
      setChosen({ ...chosen!, ...part });
    },
  };
}

/** The last column that holds something to be told apart. */
function usualTarget(columns: readonly ColumnDecision[]): string {
  const usable = columns.filter(({ kind, missing }) => kind !== 'leave' && missing === 0);
  return (usable.at(-1) ?? columns.at(-1)!).name;
}
