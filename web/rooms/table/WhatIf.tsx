import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import type { Cell } from 'treadle/tables';
import { Slider } from '../../app/Field.tsx';
import { Problem } from '../../app/Problem.tsx';
import { sentenceOf } from '../../app/problems.ts';
import { Scroll } from '../../app/Scroll.tsx';
import { figure, signed } from '../../panel/words.ts';
import type { TableClient } from './client.ts';
import type { Judged, RowField, Said } from './messages.ts';

/** Columns that can be changed at first: those that matter most. */
const MOST_FIELDS = 30;

/** A row to play with: what the model says changes as it is changed. */
export function WhatIf({ judged, client }: { judged: Judged; client: TableClient }) {
  const [row, setRow] = useState(judged.row);
  const [said, setSaid] = useState<Said | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [showsAll, setShowsAll] = useState(false);
  const { fields, tested } = judged;
  const isMany = fields.length > MOST_FIELDS;
  const shown = useMemo(() => {
    if (showsAll || !isMany) return fields;
    const names = tested?.importance.columns.map(({ column }) => column) ?? fields.map(({ name }) => name);
    const most = new Set(names.slice(0, MOST_FIELDS));
    return fields.filter(({ name }) => most.has(name));
  }, [fields, tested, isMany, showsAll]);
  const asking = useRef(false);
  const latest = useRef(row);
  latest.current = row;
  useEffect(() => setRow(judged.row), [judged]);
  useEffect(() => {
    if (asking.current) return;
    const ask = async () => {
      asking.current = true;
      let asked: typeof row;
      do {
        asked = latest.current;
        try {
          setSaid(await client.say(asked));
          setProblem(null);
        } catch (error) {
          setProblem(sentenceOf(error));
        }
      } while (asked !== latest.current);
      asking.current = false;
    };
    void ask();
  }, [row, client]);
  return (
    <section aria-labelledby="what-if-title">
      <h2 id="what-if-title">What if?</h2>
      <p>
        Change the row, and see what the model says of it.
        {isMany && (
          <>
            {' '}
            {showsAll
              ? 'All columns are shown.'
              : `The ${tested ? `${MOST_FIELDS} columns that matter most` : `first ${MOST_FIELDS} columns`} are shown.`}{' '}
            <button type="button" class="link" onClick={() => setShowsAll(!showsAll)}>
              {showsAll ? 'Show fewer' : `Show all ${fields.length.toLocaleString('en')}`}
            </button>
          </>
        )}
      </p>
      <div class="what-if">
        <div class="fields">
          {shown.map((field) => (
            <RowInput
              key={field.name}
              field={field}
              value={row[field.name] ?? null}
              onChange={(value) => setRow({ ...row, [field.name]: value })}
            />
          ))}
        </div>
        <div class="says" role="status">
          <h3>{judged.target}</h3>
          {said !== null &&
            (judged.classes === null ? (
              <p class="number">{figure(said[judged.target]!)}</p>
            ) : (
              <Scroll label="Shares">
                <Shares said={said} />
              </Scroll>
            ))}
          <Problem text={problem} />
        </div>
      </div>
    </section>
  );
}

/** Shares that are shown, the largest first. */
const MOST_SHARES = 12;

function Shares({ said }: { said: Said }) {
  const shown = Object.entries(said)
    .sort(([, a], [, b]) => b - a)
    .slice(0, MOST_SHARES);
  return (
    <dl class="shares">
      {shown.map(([name, share]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <span class="track" aria-hidden="true">
              <span style={{ width: `${(100 * share).toFixed(1)}%` }} />
            </span>
            <span class="share">{(100 * share).toFixed(1)} %</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function RowInput({
  field,
  value,
  onChange,
}: {
  field: RowField;
  value: Cell;
  onChange: (value: Cell) => void;
}) {
  const id = useId();
  if (field.kind === 'number') {
    const { least, most, name } = field;
    const isWhole = Number.isInteger(least) && Number.isInteger(most) && most - least > 4;
    return (
      <Slider
        label={name}
        value={Number(value)}
        least={least}
        most={most}
        step={isWhole ? 1 : (most - least) / 200}
        shown={
          isWhole
            ? signed(Math.round(Number(value)).toLocaleString('en'))
            : signed(String(Number(Number(value).toPrecision(4))))
        }
        onChange={onChange}
      />
    );
  }
  return (
    <div class="field">
      <span class="label">
        <label for={id}>{field.name}</label>
      </span>
      {field.kind === 'date' ? (
        <input
          id={id}
          type="datetime-local"
          value={dateText(value)}
          onInput={(event) => event.currentTarget.value !== '' && onChange(event.currentTarget.value)}
        />
      ) : (
        <select
          id={id}
          value={value === null ? '' : String(value)}
          onChange={(event) => onChange(event.currentTarget.value === '' ? null : event.currentTarget.value)}
        >
          <option value="">(empty)</option>
          {[...new Set([...field.values, ...(value === null ? [] : [String(value)])])].map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      )}
    </div>
  );
}

/** A time as the field takes it. */
function dateText(value: Cell): string {
  const text = value instanceof Date ? value.toISOString() : String(value ?? '');
  return text.length === 10 ? `${text}T00:00` : text.slice(0, 16).replace(' ', 'T');
}
