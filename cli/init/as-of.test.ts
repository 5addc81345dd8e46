import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Engine, openEngine } from '../../base/duckdb/engine.ts';
import { randomNumbers } from '../../base/math/random-numbers.ts';
import { asOfTable } from './as-of.ts';
import { DUCKDB } from './dialect.ts';
import type { ColumnProfile } from './profile.ts';

let folder: string;
let engine: Engine;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-as-of-'));
  engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: folder });
});
afterAll(async () => {
  engine.close();
  await rm(folder, { recursive: true, force: true });
});

const END = Date.UTC(2020, 5, 30);
const text = (time: number) => new Date(time).toISOString().slice(0, 10);
const ago = (days: number) => text(END - days * 86_400_000);
const random = randomNumbers(3);

/** So many days of which the older ones are the rarer. */
const recent = (count: number, mean: number) =>
  Array.from({ length: count }, () => ago(Math.floor(-mean * Math.log(1 - random()))));
const even = (count: number, span: number) =>
  Array.from({ length: count }, (_, index) => ago(Math.round((span * index) / count)));
const months = (count: number, newest: number) =>
  Array.from({ length: count }, (_, index) => text(Date.UTC(2020, index < newest ? 6 : 5 - (index % 24), 1)));

async function asOf(days: readonly (string | null)[]) {
  const source = { name: 'last_login', words: 'last login', type: 'DATE', kind: 'date' } as unknown as ColumnProfile;
  const values = days.map((day) => `(${day === null ? 'NULL' : `DATE '${day}'`})`).join(', ');
  const known = `known AS (SELECT CAST(day AS DATE) AS last_login FROM (VALUES ${values}) AS days (day))`;
  const [row] = await engine.rows<{ day: string | null; doubts: string | null }>(
    `WITH ${known}, ${asOfTable([source], DUCKDB).lines.join('\n')} SELECT CAST(holdfast_day AS VARCHAR) AS day, doubts FROM as_of`,
  );
  return row;
}

test.each<[string, string[], string[]]>([
  ['one of a thousand', recent(1000, 90), ['2023-06-29']],
  ['one of a thousand, half a year ahead', recent(1000, 90), ['2020-12-29']],
  ['one of forty', recent(40, 60), ['2024-06-29']],
  ['two of a thousand, of different years', recent(1000, 90), ['2021-06-29', '2024-06-29']],
  ['eight of a thousand', recent(1000, 90), Array.from({ length: 8 }, () => '2024-06-29')],
  ['one of a file that is of one day', Array.from({ length: 200 }, () => ago(0)), ['2021-06-30']],
  ['one where days are months', months(1000, 200), ['2023-07-01']],
])('newest days that stand alone do not age everybody: %s', async (_, days, slips) => {
  const newest = days.toSorted().at(-1);
  const slipped = slips.toSorted().at(-1);
  const found = await asOf([...days, ...slips]);
  expect(found?.day).toBe(newest);
  expect(found?.doubts).toMatch(
    new RegExp(
      `^newest days in last_login stand alone \\(${slips.length} of ${days.length + slips.length}, up to ${slipped}\\), \\d+ days after all others: days are counted to ${newest}, `,
    ),
  );
});

test.each<[string, (string | null)[]]>([
  ['many customers who were there lately', recent(1000, 90)],
  ['few of them', recent(30, 300)],
  ['a few over twenty years', even(60, 7300)],
  ['months, of which the newest has hardly begun', months(1000, 5)],
  ['years', Array.from({ length: 500 }, (_, index) => text(Date.UTC(2019 - (index % 9), 0, 1))).concat('2020-01-01')],
  [
    'a business that hardly sells between its seasons',
    [...even(5000, 20).map((_, i) => ago(120 + (i % 20))), ...even(40, 100)],
  ],
  ['three customers', ['2012-01-01', '2012-01-02', '2019-05-05']],
  ['only one day', ['2019-05-05']],
  ['some that have none', [null, ...recent(100, 30)]],
])('a file is of its newest day: %s', async (_, days) => {
  expect(await asOf(days)).toEqual({
    day: days
      .filter((day) => day !== null)
      .toSorted()
      .at(-1),
    doubts: null,
  });
});

test('days to come do not count, nor does a file without a day have one', async () => {
  expect(await asOf([...recent(100, 30), ago(0), '2199-01-01'])).toEqual({ day: ago(0), doubts: null });
  expect(await asOf([null, '2199-01-01'])).toEqual({ day: null, doubts: null });
});
