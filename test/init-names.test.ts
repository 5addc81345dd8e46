import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type InitFolder, initFolder, lines, people } from './support/init-folder.ts';

let place: InitFolder;
beforeAll(async () => {
  place = await initFolder();
});
afterAll(async () => place[Symbol.asyncDispose]());

const some = people(200);
const churn = { churned: ({ left }: { left: boolean }) => Number(left) };

test('names that some version of YAML reads as truths, numbers or times are quoted in what init writes', async () => {
  const odd = ['y', 'No', 'ON', '2026_09', '12:30', '1_000', '0o17', '1e3', 'null', '~', '1.', '2026-01-05', '.inf'];
  const columns = Object.fromEntries(odd.map((name, index) => [name, () => (index * 7) % 5]));
  const varied = Object.fromEntries(
    Object.keys(columns).map((name, index) => [name, (_: unknown, row: number) => (row * (index + 3)) % 23]),
  );
  await place.report(await place.csv(lines(some, { ...varied, ...churn })));
  const [model] = (await place.spec())['scoringModels'];
  expect(model.features).toEqual(expect.arrayContaining(['y', 'no', 'on', '2026_09', '12_30', '1_000', '1e3', 'null']));
  expect((await place.run())['extract']).toBeGreaterThan(100);
});

test.each(['no', 'y', 'on', '1e3', 'null', '12'])('a program may be called %s', async (name) => {
  await place.report(await place.csv(lines(some.slice(0, 60), {})), '--name', name);
  expect((await place.spec())['programId']).toBe(name);
  expect(await place.run()).toMatchObject({ extract: 60 });
});

test.each([
  ['months', ['2026-08', '2026-09', '2026-10']],
  ['months without a hyphen', ['202608', '202609', '202610']],
  ['years', ['2024', '2025', '2026']],
  ['months in slashes', ['08/2026', '09/2026', '10/2026']],
])('a header whose names are %s, beside an id and a label, is a header', async (_, months) => {
  const file = await place.csv([
    ['customer_id', ...months, 'churned'].join(','),
    ...some.map(({ id, idle, spend, left }) => [id, idle, spend, 120 - idle, Number(left)].join(',')),
  ]);
  expect((await place.report(file)).rows).toBe(200);
});

test.each([
  ['days and amounts', ['1,2024-01-01,12.5', '2,2024-01-02,13']],
  ['months that are values', ['1,2024-01,12.5,a', '2,2024-02,13,b']],
  ['whole numbers', ['2024,2024,2024,x', '2024,2023,2022,y']],
])('rows of %s without a header are refused', async (_, rows) => {
  expect(await place.refusal(await place.csv(rows))).toMatch(/looks like a row of data/);
});
