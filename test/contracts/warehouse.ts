import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { literal, openEngine } from '../../base/duckdb/engine.ts';
import { describeQuery } from '../../providers/warehouses/missing-column.ts';
import type { Warehouse } from '../../providers/warehouses/warehouse.ts';

/** Opens a warehouse whose only table, `customers`, holds `CUSTOMERS`; it may use the folder. */
export type MakeWarehouse = (folder: string) => Promise<Warehouse>;

/** The table that the contract needs, as a SELECT. C3 is in it twice. */
export const CUSTOMERS = `
  SELECT * FROM (VALUES
    ('C1', 0.5::DOUBLE, 900.0::DOUBLE, 'premium', 'winback', TIMESTAMP '2026-03-01 00:00:00'),
    ('C2', 0.25, 100.0, 'basic', 'upsell', TIMESTAMP '2026-03-31 23:59:59'),
    ('C3', 0.75, 300.0, 'standard', 'winback', TIMESTAMP '2026-04-01 00:00:00'),
    ('C3', 0.75, 200.0, 'standard', 'winback', TIMESTAMP '2026-02-28 23:59:59')
  ) AS customers(customer_id, score, lifetime_value, tier, program_id, offered_at)`;

/** What every warehouse must do, whatever it is made of. */
export function warehouseContract(name: string, make: MakeWarehouse): void {
  describe(`a warehouse on ${name}`, () => {
    let folder: string;
    let output: string;
    let warehouse: Warehouse;
    const options = { signal: new AbortController().signal };

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'holdfast-warehouse-'));
      output = await mkdtemp(join(folder, 'output-'));
      warehouse = await make(folder);
    });
    afterEach(async () => {
      await warehouse.close();
      await rm(folder, { recursive: true, force: true });
    });

    const file = () => join(output, 'answer.parquet');
    const read = () => readParquet(file());

    test('tells the columns of a query and of a table without running the query', async () => {
      const columns = await warehouse.describe(
        "SELECT customer_id, score * 2 AS doubled, error('never run') AS oops FROM customers",
      );
      expect(columns.map((column) => column.name)).toEqual(['customer_id', 'doubled', 'oops']);
      const table = await warehouse.describeTable('customers');
      expect(table?.map((column) => column.name)).toEqual([
        'customer_id',
        'score',
        'lifetime_value',
        'tier',
        'program_id',
        'offered_at',
      ]);
    });

    test('knows that there is no table of a name', async () => {
      expect(await warehouse.describeTable('nobody')).toBeUndefined();
    });

    test.each([
      ['ends with nothing', ''],
      ['ends with a semicolon', ';'],
      ['ends with a comment', '; -- the end'],
    ])('runs a query that %s', async (_name, end) => {
      const query = `SELECT customer_id FROM customers WHERE score < 0.6 ORDER BY customer_id${end}`;
      expect(await warehouse.extract({ query }, file(), options)).toBe(2);
      expect(await read()).toEqual([{ customer_id: 'C1' }, { customer_id: 'C2' }]);
      expect(await readdir(output)).toEqual(['answer.parquet']);
    });

    test('completes each row of the query once, its own duplicates kept, from a table that has a customer twice', async () => {
      const query = "SELECT customer_id, score FROM customers UNION ALL SELECT 'C9', 0.125 UNION ALL SELECT NULL, 0.5";
      const completion = { table: 'customers', columns: ['lifetime_value', 'tier'] };
      expect(await warehouse.extract({ query, completion }, file(), options)).toBe(6);
      expect(await read()).toEqual([
        { customer_id: 'C1', score: 0.5, lifetime_value: 900, tier: 'premium' },
        { customer_id: 'C2', score: 0.25, lifetime_value: 100, tier: 'basic' },
        { customer_id: 'C3', score: 0.75, lifetime_value: 200, tier: 'standard' },
        { customer_id: 'C3', score: 0.75, lifetime_value: 200, tier: 'standard' },
        { customer_id: 'C9', score: 0.125, lifetime_value: null, tier: null },
        { customer_id: null, score: 0.5, lifetime_value: null, tier: null },
      ]);
    });

    test('completes rows whose id is a number from a table whose id is text', async () => {
      const completion = { table: 'customers', columns: ['tier'] };
      expect(await warehouse.extract({ query: 'SELECT 1 AS customer_id', completion }, file(), options)).toBe(1);
      expect(await read()).toEqual([{ customer_id: 1, tier: null }]);
    });

    test('completes a customer under whatever spelling', async () => {
      const completion = { table: 'customers', columns: ['tier'] };
      const query = `SELECT concat(' C1', chr(8203)) AS customer_id UNION ALL SELECT concat('C2', chr(160))`;
      expect(await warehouse.extract({ query, completion }, file(), options)).toBe(2);
      expect((await read()).map((row) => (row as { tier: string }).tier).sort()).toEqual(['basic', 'premium']);
    });

    test('gives the past offers from the first instant up to, and without, the last', async () => {
      const range = { since: new Date('2026-03-01T00:00:00Z'), before: new Date('2026-04-01T00:00:00Z') };
      expect(await warehouse.extractOffers('customers', range, file(), options)).toBe(2);
      expect(await read()).toEqual([
        { customer_id: 'C1', program_id: 'winback', offered_at: '2026-03-01 00:00:00' },
        { customer_id: 'C2', program_id: 'upsell', offered_at: '2026-03-31 23:59:59' },
      ]);
    });

    test.each([
      ['has it', 'score', 3],
      ['lacks it', 'churned', 4],
    ])('does without an optional column where the table %s', async (_name, column, rows) => {
      const query = `SELECT present.customer_id FROM (SELECT CAST(NULL AS DOUBLE PRECISION) AS ${column}) AS absent CROSS JOIN LATERAL (
          SELECT customer_id, ${column} FROM customers) AS present
        WHERE present.${column} IS DISTINCT FROM 0.5`;
      expect(await warehouse.extract({ query }, file(), options)).toBe(rows);
    });

    test('names the columns that there are, where a query reads one that is not', async () => {
      const failed = describeQuery(warehouse, 'shop', 'WITH c AS (SELECT tiers FROM customers) SELECT tiers FROM c');
      await expect(failed).rejects.toMatchObject({
        code: 'HF_COLUMN_MISSING',
        message:
          'Connector shop: the query reads a column tiers that its source does not have (did you mean tier?); the columns ' +
          'of customers are customer_id, score, lifetime_value, tier, program_id, offered_at',
      });
      await expect(describeQuery(warehouse, 'shop', 'SELECT c.x FROM customers AS c')).rejects.toThrow(
        /a column x that/,
      );
    });

    test.each([
      ['two statements', 'SELECT 1 AS customer_id; SELECT 2 AS customer_id'],
      ['a deletion', 'DELETE FROM customers'],
      ['a new table', 'CREATE TABLE mine AS SELECT 1 AS customer_id'],
      ['a statement after the query', 'SELECT 1 AS customer_id; DROP VIEW customers'],
      ['nothing but a comment', '-- later'],
      ['what is not SQL', 'customers, please'],
      ['a query with a parameter', 'SELECT $1 AS customer_id'],
      ['the same column twice', 'SELECT 1 AS customer_id, 2 AS Customer_Id'],
    ])('refuses %s', async (_name, query) => {
      await expect(warehouse.describe(query)).rejects.toMatchObject({ code: 'HF_QUERY_REFUSED' });
      await expect(warehouse.extract({ query }, file(), options)).rejects.toMatchObject({ code: 'HF_QUERY_REFUSED' });
      expect(await warehouse.extract({ query: 'SELECT * FROM customers' }, file(), options)).toBe(4);
    });

    test.each([
      ['a table', 'SELECT customer_id FROM custommers', 'custommers'],
      ['a column', 'SELECT customer_idd FROM customers', 'customer_idd'],
    ])('names %s that the query reads and that is not there', async (_name, query, missing) => {
      await expect(warehouse.describe(query)).rejects.toMatchObject({
        code: 'HF_WAREHOUSE_UNREADABLE',
        message: expect.stringContaining(missing),
      });
    });

    test('fails without telling what a row holds, and leaves no file', async () => {
      const extracting = warehouse.extract(
        { query: 'SELECT customer_id, CAST(tier AS DATE) AS d FROM customers' },
        file(),
        options,
      );
      const error = (await extracting.catch((thrown: unknown) => thrown)) as Error;
      expect(error).toMatchObject({ code: 'HF_WAREHOUSE_UNREADABLE' });
      expect(`${error.message} ${String(error.cause)}`).not.toMatch(/premium|basic|standard/);
      expect(await readdir(output)).toEqual([]);
    });

    test('stops when it is told to, and leaves no file', async () => {
      const controller = new AbortController();
      const query =
        'SELECT a.range AS customer_id FROM range(1000000) AS a, range(1000000) AS b WHERE a.range + b.range < 0';
      const extracting = warehouse.extract({ query }, file(), { signal: controller.signal });
      setTimeout(() => controller.abort(), 20);
      await expect(extracting).rejects.toMatchObject({ code: 'HF_INTERRUPTED' });
      expect(await readdir(output)).toEqual([]);
    });
  });
}

async function readParquet(file: string): Promise<object[]> {
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: tmpdir() });
  return await engine.rows(`SELECT * FROM read_parquet(${literal(file)}) ORDER BY ALL`);
}
