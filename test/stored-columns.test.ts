import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { toCandidate } from '../api/v1/candidate.ts';
import { identifier, openEngine } from '../base/duckdb/engine.ts';
import { writeParquet } from '../base/duckdb/parquet.ts';
import { BATCH_COLUMNS } from '../customers/columns/added-columns.ts';
import { STORED_COLUMNS, type StoredCandidate, type StoredColumn } from '../customers/columns/stored-columns.ts';
import { ARM_COLUMNS, LIST_COLUMNS } from '../customers/contact-list/list-columns.ts';
import { candidatesByRiskLevel } from '../database/candidates/candidates.ts';
import { copyCandidates } from '../database/candidates/store-candidates.ts';
import { transaction } from '../database/client/transaction.ts';
import { writeCandidateCsv } from '../jobs/batch/candidate-csv.ts';
import { openPostgres, type TestPostgres } from './support/postgres.ts';

const SLOT = new Date('2026-11-23T02:00:00Z');
const BATCH = {
  namespace: 'shop',
  owner: 'churn',
  run: 'churn-1',
  slot: SLOT,
  createdAt: new Date('2026-11-23T02:00:07.123Z'),
  expiresAt: new Date('2026-12-23T02:00:07.123Z'),
};
const SHARED: Readonly<Record<(typeof BATCH_COLUMNS)[number]['name'], string | Date>> = {
  namespace: BATCH.namespace,
  program: BATCH.owner,
  run: BATCH.run,
  slot: BATCH.slot,
  created_at: BATCH.createdAt,
  expires_at: BATCH.expiresAt,
};
const OF_CUSTOMERS = STORED_COLUMNS.filter(({ name }) => !(name in SHARED));

/** A value that no other column has, in SQL and as it is read. */
function valueOf({ name, type, values, minimum }: StoredColumn, place: number): { sql: string; read: unknown } {
  if (name === 'risk_level') return { sql: "'high'", read: 'high' };
  if (values !== undefined) return { sql: `'${values[0]}'`, read: values[0] };
  switch (type) {
    case 'VARCHAR[]':
      return { sql: `['${name}, "1"', '', 'a\\b']`, read: [`${name}, "1"`, '', 'a\\b'] };
    case 'BOOLEAN':
      return { sql: 'true', read: true };
    case 'TIMESTAMPTZ':
      return { sql: "TIMESTAMPTZ '2026-11-01 10:30:00.5+02'", read: new Date('2026-11-01T08:30:00.5Z') };
    case 'INTEGER':
      return { sql: String(place), read: place };
    case 'DOUBLE': {
      const number = (minimum ?? 0) + (0.1 + 0.2) / (place + 1);
      return { sql: `CAST('${number}' AS DOUBLE)`, read: number };
    }
    case 'VARCHAR':
      return { sql: `'${name} "1", ''2'''`, read: `${name} "1", '2'` };
  }
}

let postgres: TestPostgres;
let rows: readonly StoredCandidate[];
beforeAll(async () => {
  postgres = await openPostgres();
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-stored-columns-'));
  try {
    await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: folder });
    const [decisions, csv] = [join(folder, 'decisions.parquet'), join(folder, 'candidates.csv')];
    const whole = OF_CUSTOMERS.map(
      (column, place) => `${valueOf(column, place).sql} AS ${identifier(column.artifactName)}`,
    );
    const some = OF_CUSTOMERS.map((column, place) => {
      const name = identifier(column.artifactName);
      if (column.name === 'customer_id') return `'poor' AS ${name}`;
      const isKept = column.stored.required === true && column.type !== 'VARCHAR[]';
      return `${isKept ? valueOf(column, place).sql : 'NULL'} AS ${name}`;
    });
    await writeParquet(engine, `SELECT ${whole.join(', ')} UNION ALL SELECT ${some.join(', ')}`, decisions);
    await writeCandidateCsv(engine, decisions, BATCH, csv);
    await transaction(postgres.database, { doing: 'store' }, (client) => copyCandidates(client, createReadStream(csv)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const { namespace, owner, run } = BATCH;
  rows = await candidatesByRiskLevel(postgres.database, {
    namespace,
    owner,
    run,
    audience: 'all',
    limit: 10,
    now: SLOT,
  });
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
});

const values = new Map<string, unknown>([
  ...Object.entries(SHARED),
  ...OF_CUSTOMERS.map((column, place) => [column.name, valueOf(column, place).read] as const),
]);

test('each stored column comes back as it was, through CSV and Postgres', () => {
  const whole = rows.find(({ customer_id }) => customer_id !== 'poor');
  expect(whole).toEqual(Object.fromEntries(values));
});

test('what is missing is null there, but for a list that every row has, which is empty', () => {
  const poor = rows.find(({ customer_id }) => customer_id === 'poor');
  for (const { name, type, stored } of OF_CUSTOMERS) {
    if (stored.required !== true) expect([name, poor?.[name]]).toEqual([name, null]);
    else if (type === 'VARCHAR[]') expect([name, poor?.[name]]).toEqual([name, []]);
  }
});

test('the API and lists show each column under its name, and what tells of an experiment only where it is asked for', () => {
  const [whole] = rows.filter(({ customer_id }) => customer_id !== 'poor') as [StoredCandidate];
  const lists = new Map([...LIST_COLUMNS, ...ARM_COLUMNS].map((column) => [column.name, column.valueOf(whole)]));
  for (const { name, stored } of STORED_COLUMNS) {
    const value = values.get(name);
    if (stored.list !== undefined) expect([name, lists.get(name)]).toEqual([name, value]);
    const inApi = (withArm: boolean) =>
      stored.api?.name.split('.').reduce((object: any, key) => object?.[key], toCandidate(whole, withArm));
    const shown = stored.api === undefined ? undefined : value instanceof Date ? value.toISOString() : value;
    expect([name, inApi(true)]).toEqual([name, shown]);
    expect([name, inApi(false)]).toEqual([name, stored.forAnalysis === true ? undefined : shown]);
  }
  const forOutreach = LIST_COLUMNS.map((column) => column.name);
  expect(
    STORED_COLUMNS.filter(({ stored }) => stored.forAnalysis).map(({ name }) => forOutreach.includes(name)),
  ).toEqual([false, false]);
});
