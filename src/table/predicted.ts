import type { Column, Table, TableRow } from './table.js';
import type { TableModel } from './table-model.js';

/**
 * What a model says of rows as columns of a table: the class and the probability of each, to seven digits; or numbers, a column for
 * each target. Throws as `model.predict`.
 *
 * @example toCsv({ columns: [...table.columns, ...predictedColumns(model, table)], rows: table.rows });
 */
export function predictedColumns(model: TableModel, rows: Table | readonly TableRow[]): Column[] {
  const { target } = model.encoder;
  if (target.task === 'regression') {
    const said = model.predict(rows);
    return target.names.map((name) => ({
      name: `predicted ${name}`,
      cells: said.map((value) => (typeof value === 'object' ? value[name]! : value)),
    }));
  }
  const probabilities = model.probabilities(rows);
  const best = (row: Record<string, number>) =>
    target.classes.reduce((first, other) => (row[other]! > row[first]! ? other : first));
  return [
    { name: `predicted ${target.name}`, cells: probabilities.map(best) },
    ...target.classes.map((own) => ({
      name: `probability of ${own}`,
      cells: probabilities.map((row) => Number(row[own]!.toPrecision(7))),
    })),
  ];
}
