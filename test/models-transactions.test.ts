import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type InitFolder, initFolder } from './support/init-folder.ts';
import { iso, orderLines, orders } from './support/orders.ts';
import { holdfast } from './support/workspace.ts';

/** Days of purchases that the program is made from. */
const FIRST = 240;
const all = orders(300, 400);
let shop: InitFolder;
let horizon: number;
let cut: string;
beforeAll(async () => {
  shop = await initFolder();
  const { transactions } = await shop.report(
    await shop.csv(orderLines(all.filter(({ day }) => day < FIRST)), 'first.csv'),
  );
  ({ horizon = 0, cut = '' } = transactions ?? {});
});
afterAll(async () => shop[Symbol.asyncDispose]());

const check = (...options: string[]) => holdfast(['models', 'check', '--program', shop.at('program.yaml'), ...options]);

async function measured(...options: string[]) {
  const { status, stdout, stderr } = await check('--output', 'json', ...options);
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout).measured;
}

test('a later file is measured one horizon before its newest day, as it is worked out by hand', async () => {
  const found = await measured('--data', await shop.csv(orderLines(all), 'later.csv'));
  const newest = Math.max(...all.map(({ day }) => day));
  const at = newest - horizon;
  const last = Map.groupBy(
    all.filter(({ day }) => day <= at),
    ({ customer }) => customer,
  );
  const active = Math.min(3 * horizon, FIRST - horizon);
  const rows = [...last]
    .map(([customer, bought]) => ({
      recency: at - Math.max(...bought.map(({ day }) => day)),
      left: !all.some((order) => order.customer === customer && order.day > at),
    }))
    .filter(({ recency }) => recency < active);
  const [gone, back] = [rows.filter(({ left }) => left), rows.filter(({ left }) => !left)];
  const pairs = gone.flatMap(({ recency }) => back.map((other) => (Math.sign(recency - other.recency) + 1) / 2));
  expect(found).toMatchObject({ cut: iso(at), horizon, rows: rows.length, rejected: 0, unlabelled: 0 });
  expect(found.label).toBe(`no purchase within ${horizon} days of ${iso(at)}`);
  expect(found.reliability.baseRate).toBeCloseTo(gone.length / rows.length, 12);
  expect(found.recencyAuc).toBeCloseTo(pairs.reduce((sum, one) => sum + one, 0) / pairs.length, 12);
  expect(found.auc).toBeGreaterThan(found.recencyAuc);
});

test('a person reads recency beside, and what it was out of time at the training', async () => {
  const { stdout } = await check('--data', await shop.csv(orderLines(all), 'later.csv'));
  expect(stdout).toMatch(
    /measured .* \(no purchase within \d+ days of .*\)\n.*\n +recency alone: AUC 0\.\d{4}\nin training/,
  );
  expect(stdout).toMatch(/out of time, on \d+ customers: AUC 0\.\d{4} .*\n +recency alone: AUC 0\.\d{4}/);
});

test('the own source at the cut of the training is told for what it is, with the day from which others are new', async () => {
  const { doubts, cut: own } = await measured('--measure');
  expect(own).toBe(cut);
  const later = iso(FIRST - 1 + horizon);
  expect(doubts).toContainEqual(expect.stringMatching(`the cut of the training: .* from ${later} on`));
});

test('days after the cut that the model was trained on are counted', async () => {
  const { doubts } = await measured(
    '--data',
    await shop.csv(orderLines(all.filter(({ day }) => day < FIRST + 10)), 'soon.csv'),
  );
  expect(doubts).toContain(
    `of the ${horizon} days after the cut, the model was trained on ${horizon - 10}: from ${iso(FIRST - 1 + horizon)} on, all of them are new to it`,
  );
});

test.each([
  [
    'of new rows only',
    (day: number) => day > 300,
    /has purchases from .* Give the whole history; one that begins on 2025-10-29 can be measured from \d{4}-\d\d-\d\d on/,
  ],
  [
    'older than the model',
    (day: number) => day < FIRST - 4,
    /the model was trained on those up to .* Give a later file: from .* on/,
  ],
])('a file %s is refused with the day from which one can be measured', async (_name, isIn, said) => {
  const file = await shop.csv(orderLines(all.filter(({ day }) => isIn(day))), 'short.csv');
  const { status, stderr } = await check('--data', file);
  expect({ status, stderr }).toEqual({ status: 78, stderr: expect.stringMatching(said) });
});

test('--measure needs a program, and no other file', async () => {
  expect((await check('--measure', '--data', shop.at('first.csv'))).stderr).toMatch(
    /--measure takes what a program reads/,
  );
  expect((await holdfast(['models', 'check', 'a.onnx', '--measure'])).stderr).toMatch(/it needs --program FILE/);
});
