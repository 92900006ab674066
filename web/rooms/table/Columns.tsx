import type { Cell, Kind } from 'treadle/tables';
import { Choice } from '../../app/Field.tsx';
import { Problem } from '../../app/Problem.tsx';
import { Scroll } from '../../app/Scroll.tsx';
import { counted, signed } from '../../panel/words.ts';
import { KIND_NAMES } from './kinds.ts';
import type { ReadTable, ReadyTable } from './messages.ts';
import type { Chosen } from './use-table.ts';

interface Props {
  table: ReadTable;
  chosen: Chosen;
  ready: ReadyTable | null;
  problem: string | null;
  disabled: boolean;
  onChoose: (part: Partial<Chosen>) => void;
}

/** What to predict, what each column is taken for, and the first rows. */
export function Columns({ table, chosen, ready, problem, disabled, onChoose }: Props) {
  const names = Object.fromEntries(table.columns.map(({ name }) => [name, name]));
  return (
    <section aria-labelledby="columns-title">
      <h2 id="columns-title">
        {table.name}: {counted(table.rows, 'row')}, {counted(table.columns.length, 'column')}
      </h2>
      <div class="asked">
        <Choice
          label="What to predict"
          options={names}
          value={chosen.target}
          disabled={disabled}
          onChange={(target) => onChoose({ target })}
        />
        <p>{problem === null && (ready === null ? 'One moment…' : <Plan ready={ready} />)}</p>
      </div>
      <Problem text={problem} />
      <Scroll label="Columns" tall>
        <table class="figures">
          <thead>
            <tr>
              <th scope="col" class="name">
                Column
              </th>
              <th scope="col" class="words">
                Taken for
              </th>
              <th scope="col" class="words">
                Because
              </th>
              <th scope="col">Gaps</th>
              <th scope="col">Different values</th>
              <th scope="col" class="words">
                First cells
              </th>
            </tr>
          </thead>
          <tbody>
            {table.columns.map(({ name, kind, reason, missing, distinct }, at) => {
              const isTarget = name === chosen.target;
              const decided = ready?.columns.find((column) => column.name === name);
              return (
                <tr key={name} class={isTarget ? 'best' : undefined}>
                  <th scope="row">{name}</th>
                  <td class="words">
                    {isTarget ? (
                      'to be predicted'
                    ) : (
                      <select
                        aria-label={`What ${name} is taken for`}
                        value={chosen.kinds[name] ?? kind}
                        disabled={disabled}
                        onChange={(event) => {
                          const { [name]: _, ...others } = chosen.kinds;
                          const next = event.currentTarget.value as Kind;
                          onChoose({ kinds: next === kind ? others : { ...others, [name]: next } });
                        }}
                      >
                        {(Object.entries(KIND_NAMES) as [Kind, string][]).map(([key, title]) => (
                          <option key={key} value={key}>
                            {title}
                          </option>
                        ))}
                      </select>
                    )}
                  </td>
                  <td class="words">{isTarget ? '' : (decided?.reason ?? reason)}</td>
                  <td>
                    {missing === 0
                      ? ''
                      : `${missing.toLocaleString('en')} (${((100 * missing) / table.rows).toFixed(1)} %)`}
                  </td>
                  <td>{distinct.toLocaleString('en')}</td>
                  <td class="words cells">
                    {table.preview
                      .slice(0, 4)
                      .map((row) => cellText(row[at] ?? null))
                      .join(', ')}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
      <details>
        <summary>
          {table.preview.length === table.rows ? 'All rows' : `The first ${table.preview.length} rows`}
        </summary>
        <Scroll label="First rows">
          <table class="figures">
            <thead>
              <tr>
                {table.columns.map(({ name }) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {table.preview.map((row, at) => (
                <tr key={at}>
                  {row.map((cell, column) => (
                    <td key={table.columns[column]!.name}>{cellText(cell)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
    </section>
  );
}

function Plan({ ready: { task, classes, rows } }: { ready: ReadyTable }) {
  const what = task === 'classification' ? `one of ${classes!.length} classes` : 'a number';
  return (
    <>
      It is {what}. The model learns from {counted(rows.train, 'row')}, is told by{' '}
      {rows.validation.toLocaleString('en')} when that is enough, and is tested on{' '}
      {rows.test.toLocaleString('en')}.
    </>
  );
}

/** A cell in few letters. */
export function cellText(cell: Cell): string {
  if (cell === null) return '–';
  if (typeof cell === 'number') return signed(String(cell));
  const text = cell instanceof Date ? cell.toISOString().slice(0, 16).replace('T', ' ') : String(cell);
  return text.length > 24 ? `${text.slice(0, 23)}…` : text;
}
