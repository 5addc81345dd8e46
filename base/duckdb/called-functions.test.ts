import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Engine, openEngine } from './engine.ts';
import {
  ALLOWED_FAMILY,
  ALLOWED_FUNCTIONS,
  ALLOWED_TABLE_FUNCTIONS,
  REFUSED_FAMILY,
  REFUSED_FUNCTIONS,
  REFUSED_TABLE_FUNCTIONS,
} from './function-names.ts';
import { refusal } from './select.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: '/nonexistent' });
  await engine.run(`
    CREATE TABLE t (a VARCHAR, twice VARCHAR AS (a || a), logged VARCHAR AS (write_log(a)::VARCHAR));
    CREATE TABLE plain (a VARCHAR, twice VARCHAR AS (a || a));
    CREATE MACRO doubled(x) AS upper(x) || upper(x);
    CREATE MACRO noted(x) AS write_log(x::VARCHAR);
    CREATE MACRO rows_of(x) AS TABLE SELECT * FROM checkpoint();
    CREATE VIEW nice ("a AS b", c) AS SELECT a, doubled(a) FROM plain;
    CREATE VIEW "nasty AS SELECT 1 --" AS SELECT noted(a) AS a FROM plain;
    CREATE VIEW over_nasty AS SELECT * FROM "nasty AS SELECT 1 --";`);
});
afterAll(() => engine.close());

test('every function of this DuckDB is on the list of what is allowed or on that of what is refused', async () => {
  const rows = await engine.rows<{ name: string; isTable: boolean }>(`
    SELECT DISTINCT function_name AS name, function_type IN ('table', 'table_macro') AS "isTable"
    FROM duckdb_functions() WHERE internal AND function_type <> 'pragma'`);
  expect(rows.length).toBeGreaterThan(800);
  const lists = ({ name, isTable }: { name: string; isTable: boolean }) =>
    (isTable
      ? [ALLOWED_TABLE_FUNCTIONS.has(name), REFUSED_TABLE_FUNCTIONS.has(name)]
      : [
          ALLOWED_FUNCTIONS.has(name) || ALLOWED_FAMILY.test(name),
          REFUSED_FUNCTIONS.has(name) || (REFUSED_FAMILY.test(name) && !ALLOWED_FUNCTIONS.has(name)),
        ]
    ).filter(Boolean).length;
  expect(rows.filter((row) => lists(row) !== 1)).toEqual([]);
});

describe('a query may', () => {
  test.each([
    [
      'compute with operators, casts and cases',
      `SELECT CASE WHEN a IS NULL THEN -1 ELSE len(a) * 2 END, a LIKE 'b%', a ~ 'x', try_cast(a AS INT) FROM plain`,
    ],
    [
      'use texts, lists, structs and maps',
      `SELECT a.upper().trim(), [1, 2][1], {'b': 1}.b, map {'k': 1}['k'], list_transform([1], lambda x: x + 1), '{}'::JSON -> '$.a' FROM plain`,
    ],
    [
      'use dates and times',
      `SELECT date_trunc('month', current_date), extract(year FROM now()), current_timestamp - INTERVAL 1 DAY, strftime(today(), '%Y')`,
    ],
    [
      'aggregate',
      'SELECT count(*), count(DISTINCT a), max(a) FILTER (a > b), quantile_cont(1, 0.5), string_agg(a, b ORDER BY a) FROM plain GROUP BY ALL HAVING any_value(a) > 1',
    ],
    [
      'use windows',
      'SELECT row_number() OVER (PARTITION BY a ORDER BY b), lag(a) OVER w FROM plain WINDOW w AS (ORDER BY a) QUALIFY rank() OVER (ORDER BY a) = 1',
    ],
    [
      'join, nest and name',
      'WITH RECURSIVE c AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM c WHERE n < 3) FROM c JOIN plain ON true ASOF JOIN plain AS p ON c.n >= p.a, LATERAL (SELECT n), (VALUES (1)) AS v (x)',
    ],
    [
      'make and unnest rows',
      `SELECT unnest([1]) FROM range(3), generate_series(1, 2), unnest([1, 2]) AS u, json_each('{}')`,
    ],
    ['pivot and sample', 'FROM plain PIVOT (count(*) FOR a IN (1, 2)) USING SAMPLE 10%'],
    ['read its own files in its own way', "FROM read_csv('own.csv', all_varchar = true)"],
    ['read what is there', 'SELECT table_name FROM information_schema.tables'],
    [
      'use views, macros and computed columns that compute',
      'SELECT doubled(c), (SELECT max(twice) FROM plain) FROM nice',
    ],
    ['misspell a function, which is for DuckDB to say', 'SELECT uper(a) FROM plain'],
  ])('%s', async (_name, query) => {
    expect(await refusal(engine, query)).toBeUndefined();
  });
});

describe('a query may not', () => {
  test.each([
    ['turn on the log', 'FROM enable_logging()', 'enable_logging'],
    ['write into the log', `SELECT write_log(a) FROM plain`, 'write_log'],
    [
      'do so in another case, schema or place',
      `SELECT 1 FROM plain WHERE a IN (SELECT Main."WRITE_LOG"(a)) ORDER BY 1`,
      'write_log',
    ],
    ['do so behind a dot', `SELECT a.write_log() FROM plain`, 'write_log'],
    [
      'do so over a window, in a filter or a lambda',
      `SELECT list_transform([a], lambda x: write_log(x)) FROM plain`,
      'write_log',
    ],
    ['do so in the default of a macro', `SELECT count(*) FILTER (WHERE write_log(a) IS NULL) FROM plain`, 'write_log'],
    ['write a checkpoint', 'SELECT (SELECT count(*) FROM checkpoint())', 'checkpoint'],
    ['profile', 'WITH c AS MATERIALIZED (FROM enable_profiling()) FROM c', 'enable_profiling'],
    ['read texts of the machine', "FROM read_text('/etc/hostname')", 'read_text'],
    ['list files', "FROM glob('*')", 'glob'],
    ['run SQL in a text', "FROM query('SELECT 1')", 'query'],
    ['run SQL that is a tree', "FROM json_execute_serialized_sql('{}')", 'json_execute_serialized_sql'],
    ['read memory', 'FROM arrow_scan(1::UBIGINT, 2::UBIGINT, 3::UBIGINT)', 'arrow_scan'],
    ['ask for settings', "SELECT current_setting('temp_directory')", 'current_setting'],
    ['ask for settings as a table', 'FROM duckdb_settings()', 'duckdb_settings'],
    ['ask for files of databases', 'FROM pragma_database_list', 'pragma_database_list'],
    ['ask for the log', 'FROM duckdb_logs', 'duckdb_logs'],
    ['ask what there is to show', 'FROM (SHOW ALL TABLES)', 'not a SELECT of rows'],
    ['wait', 'SELECT sleep_ms(1)', 'sleep_ms'],
    ['remember', "SELECT nextval('counter')", 'nextval'],
    ['use a macro that writes', 'SELECT noted(a) FROM plain', 'write_log'],
    ['use a macro of tables that writes', 'FROM rows_of(1)', 'checkpoint'],
    ['use a view that writes, through another', 'FROM over_nasty', 'write_log'],
    ['use a computed column that writes', 'SELECT a FROM t', 'write_log'],
  ])('%s', async (_name, query, named) => {
    expect(await refusal(engine, query)).toContain(named);
  });
});

test.each([
  'lower(x) AS noted(x)',
  `json_serialize_sql(x) AS write_log(x::VARCHAR)`,
  'range(x) AS TABLE FROM checkpoint()',
])('nothing is asked of a database whose macro %s stands for a function of DuckDB', async (macro) => {
  const name = macro.slice(0, macro.indexOf('('));
  await engine.run(`CREATE MACRO ${macro}`);
  expect(await refusal(engine, 'SELECT 1')).toMatch(/write_log|checkpoint/);
  await engine.run(`DROP MACRO ${macro.includes('TABLE') ? 'TABLE ' : ''}${name}`);
  expect(await refusal(engine, 'SELECT 1')).toBeUndefined();
});

test.each([
  ['a function', 'MACRO write_log', '(x) AS x', "SELECT system.main.write_log('row')"],
  ['a function of tables', 'MACRO TABLE enable_logging', '() AS TABLE SELECT 1', 'FROM system.main.enable_logging()'],
  ['one that runs SQL', 'MACRO TABLE query', '(x) AS TABLE SELECT 1', "FROM system.main.query('SELECT 1')"],
  ['a view', 'TABLE duckdb_logs', ' AS SELECT 1 AS a', 'FROM system.main.duckdb_logs'],
])('what a database has under the name of %s of DuckDB opens no way to that', async (_name, kind, body, query) => {
  await engine.run(`CREATE ${kind.replace(' TABLE', '')}${body}`);
  expect(await refusal(engine, query)).toContain(kind.split(' ').at(-1));
  await engine.run(`DROP ${kind}`);
});
