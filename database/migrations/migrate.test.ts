import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import { MIGRATIONS } from './index.ts';
import { migrate } from './migrate.ts';
import type { Migration } from './migration.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await openPostgres();
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
});
beforeEach(() => postgres.database.pool.query('DROP SCHEMA IF EXISTS holdfast CASCADE'));

const first: Migration = { version: 1, name: 'first', sql: 'CREATE TABLE holdfast.one (a integer)' };
const second: Migration = { version: 2, name: 'second', sql: 'ALTER TABLE holdfast.one ADD b integer' };
const broken: Migration = { version: 2, name: 'broken', sql: 'CREATE TABLE holdfast.two (a integer); SELECT 1 / 0' };

const exists = async (table: string) =>
  (await postgres.database.pool.query('SELECT to_regclass($1) IS NOT NULL AS there', [table])).rows[0].there;

test('each step is taken once, in order, and only what is new later', async () => {
  const { database } = postgres;
  expect(await migrate(database, [first])).toEqual(['0001-first']);
  expect(await migrate(database, [first, second])).toEqual(['0002-second']);
  expect(await migrate(database, [first, second])).toEqual([]);
});

test('processes that migrate at once take each step once', async () => {
  const { database } = postgres;
  const taken = await Promise.all([migrate(database), migrate(database), migrate(database)]);
  // Which of them takes a step is anybody's luck.
  expect(taken.flat().sort()).toEqual(
    MIGRATIONS.map(({ version, name }) => `${String(version).padStart(4, '0')}-${name}`),
  );
});

test('a step that fails leaves the schema as the step before did', async () => {
  const { database } = postgres;
  await expect(migrate(database, [first, broken])).rejects.toMatchObject({ code: 'HF_DATABASE_FAILED' });
  expect(await exists('holdfast.one')).toBe(true);
  expect(await exists('holdfast.two')).toBe(false);
  expect(await migrate(database, [first, second])).toEqual(['0002-second']);
});

test('a schema newer than this version is refused, and named', async () => {
  const { database } = postgres;
  await migrate(database, [first, second]);
  await expect(migrate(database, [first])).rejects.toMatchObject({
    code: 'HF_MIGRATION_FAILED',
    message: expect.stringContaining('0002-second'),
  });
});

test('an applied step that has changed since is refused, and named', async () => {
  const { database } = postgres;
  await migrate(database, [first]);
  const changed = { ...first, sql: 'CREATE TABLE holdfast.one (a bigint)' };
  await expect(migrate(database, [changed, second])).rejects.toMatchObject({
    code: 'HF_MIGRATION_FAILED',
    message: expect.stringContaining('0001-first'),
  });
  expect(await exists('holdfast.one')).toBe(true);
});

test('a schema that an administrator made beforehand is used', async () => {
  const { database } = postgres;
  await database.pool.query('CREATE SCHEMA holdfast');
  expect(await migrate(database, [first])).toEqual(['0001-first']);
});

test('the numbers of the migrations run from 1 without gaps', () => {
  expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
});
