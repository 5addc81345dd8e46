import { identifier } from '../../base/duckdb/engine.ts';
import { namesTotal } from '../../customers/columns/total-words.ts';
import { readingFrom } from '../../providers/warehouses/duckdb/failure.ts';
import { type CommonTable, KNOWN } from './reading.ts';
import { CONNECTOR_ID, type Source } from './source.ts';
import { shown } from './words.ts';

/** The table of the customers without the line of sums below them. */
export const ABOVE_FOOT = 'above_foot';
/** Columns whose sums are compared. */
const MOST_COLUMNS = 20;

/**
 * Leaves out the row that is called a total and has, in a column of numbers, the sum of all other rows: the foot of a
 * table. A customer who is called so and has other numbers stays.
 * @param customer the column of the id
 * @param columns of numbers, by name
 */
export function aboveFoot(customer: string, columns: readonly string[]): CommonTable {
  const used = columns.slice(0, MOST_COLUMNS);
  const id = `CAST(${identifier(customer)} AS VARCHAR)`;
  const sums = used.map((name, index) => {
    const sum = `sum(${identifier(name)})`;
    return `${sum} AS sum_${index}, ${sum} FILTER (WHERE ${namesTotal(id)} IS NOT TRUE) AS above_${index}`;
  });
  const isNear = (number: string, sum: string) => `abs(${number} - ${sum}) < 0.000001 * abs(${sum})`;
  // Of several such rows each has the sum of those above; beside a customer who is called so its own is in the sum, too.
  const isSum = used.map((name, index) => {
    const number = identifier(name);
    return `${isNear(number, `above_${index}`)} OR ${isNear(`2 * ${number}`, `sum_${index}`)}`;
  });
  return {
    comments: [
      'The foot of the table is no customer: a row that is called a total, with the sum of all others in a column.',
    ],
    lines: [
      `${ABOVE_FOOT} AS (`,
      `  SELECT ${KNOWN}.* FROM ${KNOWN} CROSS JOIN (SELECT ${sums.join(', ')} FROM ${KNOWN}) AS sums`,
      `  WHERE (${namesTotal(id)}`,
      `    AND (${isSum.join('\n      OR ')})) IS NOT TRUE`,
      ')',
    ],
  };
}

/** Rows of a source whose id names a total. */
export async function countTotals(source: Source, id: string): Promise<number> {
  const [totals = 0] = await source.count([
    `count(*) FILTER (WHERE ${namesTotal(`CAST(${identifier(id)} AS VARCHAR)`)})`,
  ]);
  return totals;
}

/** What is said of rows whose id names a total. @param left rows of them that the query leaves out */
export async function footWords(
  { engine }: Source,
  customer: string,
  totals: number,
  rowsOfQuery: { readonly all: string; readonly above: string },
): Promise<string[]> {
  if (totals === 0) return [];
  const [counts] = await readingFrom(CONNECTOR_ID, 'look at its foot', () =>
    engine.rows<{ left: string }>(`SELECT (${rowsOfQuery.all}) - (${rowsOfQuery.above}) AS left`),
  );
  const left = Number(counts?.left ?? 0);
  const name = shown(customer);
  const rows = (count: number) => `${count} ${count === 1 ? 'row' : 'rows'}`;
  return [
    ...(left === 0
      ? []
      : [
          `${name} names a total in ${rows(left)}, which ${left === 1 ? 'has' : 'have'} the sum of all other rows: the foot of the table, ` +
            'and no customer. The query leaves it out, of later files too.',
        ]),
    ...(totals <= left
      ? []
      : [`${name} names a total in ${rows(totals - left)}: if that is a line of sums, take it out of the file.`]),
  ];
}
