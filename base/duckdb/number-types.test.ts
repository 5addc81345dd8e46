import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Engine, openEngine } from './engine.ts';
import { isNumeric, numberForm } from './number-types.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: tmpdir() });
});
afterAll(() => engine.close());

/** Every type that DuckDB has, under each of its names, as it describes a column of it. */
async function typesOfDuckdb() {
  const named = await engine.rows<{ name: string; category: string | null }>(
    `SELECT DISTINCT type_name AS name, type_category AS category FROM duckdb_types()
     WHERE database_name = 'system' AND logical_type NOT IN ('ARRAY', 'LIST', 'MAP', 'STRUCT', 'UNION', 'ENUM', 'TYPE', 'NULL')
     ORDER BY ALL`,
  );
  return Promise.all(
    named.map(async ({ name, category }) => {
      const [described] = await engine.rows<{ column_type: string }>(
        `DESCRIBE SELECT CAST(NULL AS "${name}") AS given`,
      );
      return { name, category, type: described?.column_type ?? '' };
    }),
  );
}

test('each type that DuckDB counts among the numeric ones is one, and BIGNUM, which it counts nowhere', async () => {
  const types = await typesOfDuckdb();
  expect(types.length).toBeGreaterThan(50);
  for (const { name, category, type } of types) {
    expect({ name, type, isNumeric: isNumeric(type) }).toEqual({
      name,
      type,
      isNumeric: category === 'NUMERIC' || type === 'BIGNUM',
    });
  }
});

test('the form of a type is what it makes of a fraction', async () => {
  for (const { name, type } of (await typesOfDuckdb()).filter((one) => isNumeric(one.type))) {
    const asType = (sql: string) => `CAST(CAST(CAST(${sql} AS DOUBLE) AS "${name}") AS DOUBLE)`;
    const [row] = await engine.rows<{ quarter: number; tiny: number }>(
      `SELECT ${asType('0.25')} AS quarter, ${asType('1e-30')} AS tiny`,
    );
    const form = row?.quarter !== 0.25 ? 'whole' : row.tiny === 0 ? 'decimal' : 'float';
    expect({ name, form: numberForm(type) }).toEqual({ name, form });
  }
});

test.each(['DECIMAL(5,2)', 'DECIMAL(38,0)'])('%s is a decimal', (type) => expect(numberForm(type)).toBe('decimal'));

test.each(['INTEGER[]', 'DECIMAL(5,2)[]', 'DOUBLE[3]', 'STRUCT(a INTEGER)', 'MAP(VARCHAR, DOUBLE)', 'constructor'])(
  '%s is no number',
  (type) => expect(isNumeric(type)).toBe(false),
);
