import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ColumnDecision, Kind } from 'treadle/tables';
import { sentenceOf } from '../../app/problems.ts';
import { startTables, type TableClient } from './client.ts';
import { type CsvMarks, csvOptions, USUAL_MARKS } from './csv-marks.ts';
import type { ReadTable, ReadyTable } from './messages.ts';
import { SAMPLES, type SampleName } from './samples.ts';

/** What was made ready of what. */
interface Made {
  table: ReadTable;
  chosen: Chosen;
  seed: number;
  ready: ReadyTable;
}

/** What is chosen of a table. */
export interface Chosen {
  target: string;
  kinds: Readonly<Record<string, Kind>>;
}

/**
 * The table that is open: how it is read, what is to be learnt of it, and what is wrong with that. `kept` tells the number of the
 * table that the model at hand was trained on.
 */
export function useTable(seed: number, onOther: () => void, kept: () => number | null) {
  const client = useMemo<TableClient>(startTables, []);
  useEffect(() => () => client.dispose(), [client]);
  const [marks, setMarks] = useState(USUAL_MARKS);
  const [file, setFile] = useState<File | null>(null);
  const [sample, setSample] = useState<SampleName | null>(null);
  const [table, setTable] = useState<ReadTable | null>(null);
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [made, setMade] = useState<Made | null>(null);
  const [reading, setReading] = useState(false);
  const [readProblem, setReadProblem] = useState<string | null>(null);
  const [choiceProblem, setChoiceProblem] = useState<string | null>(null);
  const latest = useRef(0);

  /** What is read from now on takes the place of what was asked for before it. */
  const begin = () => {
    setReading(true);
    setReadProblem(null);
    return ++latest.current;
  };

  const read = async (
    own: number,
    next: File,
    as: CsvMarks,
    from: SampleName | null,
    wanted: Partial<Chosen> = {},
  ) => {
    setFile(next);
    setChoiceProblem(null);
    onOther();
    try {
      const found = await client.read(next, csvOptions(as));
      if (own !== latest.current) return;
      setTable(found);
      setSample(from);
      const names = found.columns.map(({ name }) => name);
      const target =
        wanted.target !== undefined && names.includes(wanted.target)
          ? wanted.target
          : usualTarget(found.columns);
      setChosen({ target, kinds: wanted.kinds ?? {} });
    } catch (error) {
      if (own !== latest.current) return;
      setTable(null);
      setSample(null);
      setChosen(null);
      setReadProblem(sentenceOf(error));
    } finally {
      if (own === latest.current) setReading(false);
    }
  };

  useEffect(() => {
    if (table === null || chosen === null) return;
    let isPast = false;
    setChoiceProblem(null);
    const { [chosen.target]: _, ...kinds } = chosen.kinds;
    client.ready({ target: chosen.target, kinds, seed }, kept()).then(
      (found) => isPast || setMade({ table, chosen, seed, ready: found }),
      (error: unknown) => isPast || setChoiceProblem(sentenceOf(error)),
    );
    return () => {
      isPast = true;
    };
  }, [client, table, chosen, seed]);
  // While another choice is being made ready there is nothing to train: the earlier one is not asked for any more.
  const isCurrent = made?.table === table && made?.chosen === chosen && made?.seed === seed && !reading;

  return {
    client,
    table,
    sample,
    chosen,
    ready: isCurrent ? made.ready : null,
    reading,
    marks,
    readProblem,
    choiceProblem,
    open(next: File, wanted?: Partial<Chosen>) {
      return read(begin(), next, marks, null, wanted);
    },
    async openSample(name: SampleName, wanted: Partial<Chosen> = {}) {
      const { address, file: fileName, target } = SAMPLES[name];
      const own = begin();
      try {
        const response = await fetch(address);
        if (!response.ok) {
          throw new Error(
            `${fileName} could not be fetched (the answer is ${response.status}); a network is expected.`,
          );
        }
        const bytes = await response.arrayBuffer();
        if (own !== latest.current) return;
        setMarks(USUAL_MARKS);
        await read(own, new File([bytes], fileName), USUAL_MARKS, name, { target, ...wanted });
      } catch (error) {
        if (own !== latest.current) return;
        setReading(false);
        setReadProblem(sentenceOf(error));
      }
    },
    /** Reads the file again, as CSV with other marks. */
    readWith(next: CsvMarks) {
      setMarks(next);
      if (file !== null) void read(begin(), file, next, sample);
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
