// Three tables with everything that columns can be: rows to train on, and rows that training has not seen the like of.
// Used by test/table/export.test.ts and, by hand, by tables.mjs.

/** A stream of numbers from 0 to 1 that is the same everywhere (a linear congruence). */
function stream(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const rowsOf = (count, seed, make) => {
  const next = stream(seed);
  const pick = (list) => list[Math.floor(next() * list.length)];
  return Array.from({ length: count }, (_, row) =>
    make({ row, next, pick, some: (value) => (next() < 0.15 ? null : value) }),
  );
};

/** Words, gaps, yes and no, dates; names of classes that have to be escaped. */
function visits(count, seed, isNew) {
  return rowsOf(count, seed, ({ row, next, pick, some }) => {
    const age = Math.floor(next() * 90);
    const ward = pick(isNew ? ['north', 'south', 'attic', 'North'] : ['north', 'south', 'Ä "q"', "b\\n'"]);
    const year = (isNew ? 1590 : 1960) + Math.floor(next() * (isNew ? 800 : 70));
    const day = new Date(
      Date.UTC(year, Math.floor(next() * 12), 1 + Math.floor(next() * 31), row % 24, row % 60),
    );
    const iso = day.toISOString();
    return {
      ...{
        age: some(age),
        ward: row === 7 && !isNew ? 'once' : some(ward),
        insured: some(pick(['yes', 'no'])),
      },
      // In treadle's forms: a day, a time without zone, one with, and a Date.
      seen: some(
        [iso.slice(0, 10), iso.slice(0, 16).replace('T', ' '), iso.replace('Z', '+02:00'), day][row % 4],
      ),
      // Never empty in training.
      weight: isNew && row % 5 === 0 ? null : 1.7e9 + 300 * next(),
      bed: isNew && row % 7 === 0 ? null : pick(['a', 'b', 'c']),
      since: isNew && row % 9 === 0 ? null : `20${10 + (row % 20)}-02-${10 + (row % 19)}`,
      outcome: ['home', 'ward "2"', '</c??='][(age > 60 ? 2 : 0) || (ward === 'north' ? 1 : 0)],
    };
  });
}

/** Numbers with gaps, true and false, 1 and 0; one number is predicted. */
function houses(count, seed, isNew) {
  return rowsOf(count, seed, ({ row, next, some }) => {
    const rooms = 1 + Math.floor(next() * 8);
    const metres = 20 + rooms * 17 + next() * 30;
    return {
      ...{ rooms: some(rooms), metres, age: some(Math.floor(next() * 120)), sea: some(next() < 0.3) },
      ...{
        lift: isNew && row % 4 === 0 ? null : row % 3 === 0 ? 1 : 0,
        pool: some(row % 2),
        same: row % 10 === 0 ? 3 : null,
      },
      price: metres * 4000 + rooms * 10_000 + next() * 20_000,
    };
  });
}

/** Columns with the names of what a file has inside; two numbers are predicted. */
function names(count, seed, isNew) {
  return rowsOf(count, seed, ({ next, pick, some }) => {
    const x = next() * 10 - 5;
    return {
      ...{
        x,
        features: some(next()),
        predictions: pick(['u', 'v', isNew ? 'w' : 'v']),
        größe_0: some(next() * 1e-6),
      },
      ...{
        label: pick(['f', 't']),
        '/scores': some(pick(['10', '2', '2.5'])),
        layer0: String(pick([true, false])),
      },
      ...{ up: 3 * x + next(), 'down "y"': 100 - x * x },
    };
  });
}

/** Tables by name: rows to train on, rows to predict, and what `fitTable` is asked for. */
export const TABLES = [
  { name: 'visits', make: visits, options: { target: 'outcome' } },
  { name: 'houses', make: houses, options: { target: 'price' } },
  { name: 'names', make: names, options: { target: ['up', 'down "y"'], columns: { '/scores': 'category' } } },
].map(({ name, make, options }) => ({ name, options, train: make(300, 1, false), rows: make(200, 2, true) }));

/** Milliseconds since 1970 of a cell as the tables above write times; NaN for an empty one. */
function timeOf(cell) {
  if (cell === null || cell instanceof Date) return cell === null ? Number.NaN : cell.getTime();
  const hasZone = cell.length === 10 || /(?:Z|[+-]\d\d:\d\d)$/.test(cell);
  return Date.parse((hasZone ? cell : `${cell}Z`).replace(' ', 'T'));
}

/** What an exported ONNX graph takes of the rows: by column, 64-bit numbers or texts. */
export function onnxInputs(encoder, rows) {
  return encoder.columns.map((column) => {
    const cells = rows.map((row) => row[column.name] ?? null);
    const isNumber =
      column.kind === 'number' ||
      (column.kind === 'yesNo' && [column.yes, column.no].some((own) => /[01]/.test(own)));
    if (column.kind === 'date') return { name: column.name, type: 'float64', data: cells.map(timeOf) };
    if (!isNumber)
      return {
        name: column.name,
        type: 'string',
        data: cells.map((cell) => (cell === null ? '' : String(cell))),
      };
    return {
      name: column.name,
      type: 'float64',
      data: cells.map((cell) => (cell === null ? Number.NaN : cell)),
    };
  });
}
