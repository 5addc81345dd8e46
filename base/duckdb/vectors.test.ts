import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { openEngine } from './engine.ts';
import { ColumnAppender, copyDoubles, texts } from './vectors.ts';

const options = { threads: 1, memoryMb: 256, scratchFolder: tmpdir() };

test('columns of a chunk become rows of an array, missing values NaN', async () => {
  await using engine = await openEngine(options);
  const rows = new Float32Array(6);
  for await (const chunk of engine.chunks(
    'SELECT * FROM (VALUES (1::DOUBLE, NULL::DOUBLE), (2, 20), (3, 30), (4, 40))',
  )) {
    copyDoubles(chunk, 0, { start: 1, count: 3 }, rows, 0, 2);
    copyDoubles(chunk, 1, { start: 0, count: 3 }, rows, 1, 2);
  }
  expect([...rows]).toEqual([2, Number.NaN, 3, 20, 4, 30]);
});

test('texts come as they are', async () => {
  await using engine = await openEngine(options);
  for await (const chunk of engine.chunks(
    "SELECT * FROM (VALUES (''), (NULL), ('a text longer than twelve bytes: 客'))",
  )) {
    expect(texts(chunk, 0)).toEqual(['', null, 'a text longer than twelve bytes: 客']);
  }
});

test('arrays longer than a chunk fill a table', async () => {
  await using engine = await openEngine(options);
  const count = 5000;
  {
    using appender = await ColumnAppender.create(engine, 'filled', { n: 'INTEGER', half: 'FLOAT', third: 'DOUBLE' });
    const numbers = Int32Array.from({ length: count + 1 }, (_, index) => index);
    appender.append(
      [numbers, Float32Array.from(numbers, (n) => n / 2), Float64Array.from(numbers, (n) => n / 3)],
      count,
    );
    appender.append([[-1], [Number.NaN], [1e300]], 1);
  }
  const wrong = 'count(*) FILTER (half <> n / 2 OR third <> n / 3::DOUBLE)';
  expect(
    await engine.rows(`SELECT count(*)::INTEGER AS rows, ${wrong}::INTEGER AS wrong FROM filled WHERE n >= 0`),
  ).toEqual([{ rows: count, wrong: 0 }]);
  expect(await engine.rows('SELECT isnan(half) AS nan, third FROM filled WHERE n = -1')).toEqual([
    { nan: true, third: 1e300 },
  ]);
});
