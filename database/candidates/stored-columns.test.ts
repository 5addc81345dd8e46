import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { STORED_COLUMNS, type StoredColumn } from '../../customers/columns/stored-columns.ts';
import { storeBatch } from '../../test/support/api.ts';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';

/** What migrations made is held against the one table of columns: a new row there asks for the migration that it needs. */

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await openPostgres();
  await storeBatch(postgres.database, { run: 'churn-1', customers: 1 });
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
});

const TYPES: Readonly<Record<StoredColumn['type'], string>> = {
  VARCHAR: 'text',
  BOOLEAN: 'boolean',
  DOUBLE: 'double precision',
  INTEGER: 'integer',
  TIMESTAMPTZ: 'timestamp with time zone',
  'VARCHAR[]': 'text[]',
};

interface Described {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly comment: string | null;
}

async function described(relation: string): Promise<readonly Described[]> {
  const { rows } = await postgres.database.pool.query<Described>(
    `SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS required,
       col_description(attrelid, attnum) AS comment
     FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname`,
    [relation],
  );
  return rows;
}

const byName = (columns: readonly StoredColumn[]) => columns.toSorted((one, other) => (one.name < other.name ? -1 : 1));

/** What is said of a column there, its unit with it. */
const commentOf = ({ description, unit }: StoredColumn) => (unit === '' ? description : `${description} [${unit}]`);

test('the table has each stored column, in its type, required where every row has a value', async () => {
  expect(
    (await described('holdfast.candidates')).map(({ name, type, required }) => ({ name, type, required })),
  ).toEqual(
    byName(STORED_COLUMNS).map(({ name, type, stored }) => ({
      name,
      type: TYPES[type],
      required: stored.required === true,
    })),
  );
});

test.each([
  ['the view for analysis has every column', 'holdfast.current_candidates', STORED_COLUMNS],
  [
    'the view for outreach has every column but what tells of an experiment',
    'holdfast.outreach_candidates',
    STORED_COLUMNS.filter(({ stored }) => stored.forAnalysis !== true),
  ],
])('%s, and says what it is', async (_sentence, view, columns) => {
  expect((await described(view)).map(({ name, comment }) => ({ name, comment }))).toEqual(
    byName(columns).map((column) => ({ name: column.name, comment: commentOf(column) })),
  );
});

const bounded = STORED_COLUMNS.filter(
  ({ values, minimum, maximum }) => values !== undefined || (minimum !== undefined && maximum !== undefined),
);

test.each(bounded)('$name takes nothing that is outside of its bounds, or none of its values', async (column) => {
  const { name, values, minimum = 0, maximum = 0 } = column;
  const set = (value: unknown) =>
    postgres.database.pool.query(`UPDATE holdfast.candidates SET ${name} = $1 WHERE run = 'churn-1'`, [value]);
  const bad = values === undefined ? [minimum - 0.001, maximum + 0.001] : ['none of them', ''];
  for (const value of bad) await expect(set(value)).rejects.toMatchObject({ code: '23514' });
  for (const value of values ?? [minimum, maximum]) await set(value);
});

test('nothing is bound in the table but what the columns say', async () => {
  const { rows } = await postgres.database.pool.query<{ name: string }>(
    `SELECT attname AS name FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
     WHERE conrelid = 'holdfast.candidates'::regclass AND contype = 'c' ORDER BY attname`,
  );
  expect(rows.map(({ name }) => name)).toEqual(byName(bounded).map(({ name }) => name));
});
