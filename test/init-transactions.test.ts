import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { auc } from '../base/math/auc.ts';
import { type InitFolder, initFolder } from './support/init-folder.ts';
import { iso, orderLines as lines, type Order, orders } from './support/orders.ts';
import { holdfast, NOW } from './support/workspace.ts';

let folder: InitFolder;
beforeEach(async () => {
  folder = await initFolder();
});
afterEach(async () => folder[Symbol.asyncDispose]());

const DAYS = 400;

describe('transactions become one row for each customer', () => {
  test('whose figures, label and out-of-time figure are those that are worked out by hand', async () => {
    const all = orders();
    const file = await folder.csv(lines(all), 'orders.csv');
    const report = await folder.report(file);
    const { transactions } = report;
    expect(transactions?.roles.map(({ role, source }) => [role, source])).toEqual([
      ['customer', 'customer_id'],
      ['day', 'order_date'],
      ['basket', 'order_id'],
      ['amount', 'amount'],
    ]);
    expect(transactions?.evidence[1]).toMatch(/order_id has 1\.0 rows and 1\.0 different days .* not the customer's/);
    const { cut, horizon, lookback, active, atCut, outOfTime } = transactions as NonNullable<typeof transactions>;
    const newest = Math.max(...all.map(({ day }) => day));
    expect(cut).toBe(iso(newest - horizon));

    // By hand, from the orders alone.
    const before = (asOf: number) => {
      const people = Map.groupBy(
        all.filter(({ day }) => day <= asOf),
        ({ customer }) => customer,
      );
      return [...people].filter(([, bought]) => Math.max(...bought.map(({ day }) => day)) > asOf - active);
    };
    const cutDay = newest - horizon;
    const isLost = (customer: string) =>
      !all.some((order) => order.customer === customer && order.day > cutDay && order.day <= cutDay + horizon);
    const population = before(cutDay);
    expect(atCut).toEqual({
      customers: population.length,
      left: population.filter(([customer]) => isLost(customer)).length,
    });
    const recency = population.map(([, bought]) => cutDay - Math.max(...bought.map(({ day }) => day)));
    const labels = population.map(([customer]) => (isLost(customer) ? 1 : 0));
    expect(outOfTime?.recencyAuc).toBeCloseTo(auc(Float64Array.from(recency), Uint8Array.from(labels)), 10);
    expect(outOfTime?.auc).toBeGreaterThan(outOfTime?.recencyAuc as number);

    const now = before(newest).sort(([a], [b]) => (a < b ? -1 : 1));
    const column = (name: string) => folder.values(name, file);
    expect(await column('customer_id')).toEqual(now.map(([customer]) => customer));
    expect(await column('days_since_last_purchase')).toEqual(
      now.map(([, bought]) => newest - Math.max(...bought.map(({ day }) => day))),
    );
    const lookedBack = now.map(([, bought]) => bought.filter(({ day }) => day > newest - lookback));
    expect(await column('purchases')).toEqual(lookedBack.map((bought) => bought.length));
    const sum = (bought: readonly Order[]) => bought.reduce((total, { amount }) => total + amount, 0);
    for (const [index, value] of (await column('lifetime_value')).entries())
      expect(value).toBeCloseTo(sum(now[index]?.[1] ?? []), 6);
    for (const [index, value] of (await column('recency_in_intervals')).entries()) {
      const days = [...new Set((lookedBack[index] ?? []).map(({ day }) => day))].sort((a, b) => a - b);
      const gaps = days
        .slice(1)
        .map((day, place) => day - (days[place] as number))
        .sort((a, b) => a - b);
      const middle = gaps.length / 2;
      const median =
        gaps.length % 2 === 1
          ? gaps[Math.floor(middle)]
          : ((gaps[middle - 1] as number) + (gaps[middle] as number)) / 2;
      if (gaps.length === 0) expect(value).toBeNull();
      else expect(value).toBeCloseTo((newest - (days.at(-1) as number)) / (median as number), 10);
    }
    const query = await folder.query();
    expect(query).toContain(`DATE '${cut}', the cut`);
    expect(query).toContain(`who buys nothing in the ${horizon} days after it`);
    expect((await folder.run())['extract']).toBe(now.length);
  });

  test('and nothing of after the cut reaches what the model learns from', async () => {
    const all = orders();
    const newest = Math.max(...all.map(({ day }) => day));
    const options = ['--cut', iso(newest - 90), '--horizon', '90'];
    const before = await folder.report(await folder.csv(lines(all), 'orders.csv'), ...options);
    // The same purchases after the cut, for ten times as much: only who came back may count.
    const dearer = all.map((order) => (order.day > newest - 90 ? { ...order, amount: order.amount * 10 } : order));
    const after = await folder.report(await folder.csv(lines(dearer), 'orders.csv'), ...options);
    expect(after.model.sha256).toBe(before.model.sha256);
    expect(after.transactions?.atCut).toEqual(before.transactions?.atCut);
  });
});

describe('a later file', () => {
  const refused = async (all: readonly Order[]) => {
    const later = await folder.csv(lines(all), 'later.csv');
    const where = ['--now', NOW, '--dry-run', '--data', folder.at('state')];
    return holdfast(['run', folder.at('program.yaml'), ...where, '--source', `customers=${later}`]);
  };

  test('with a week more of rows is run, as of its own newest day', async () => {
    const all = orders(300, DAYS + 7);
    await folder.report(await folder.csv(lines(all.filter(({ day }) => day < DAYS)), 'orders.csv'));
    const later = await folder.csv(lines(all), 'later.csv');
    const recency = (await folder.values('days_since_last_purchase', later)) as number[];
    const newest = Math.max(...all.map(({ day }) => day));
    const last = Map.groupBy(all, ({ customer }) => customer);
    const customers = (await folder.values('customer_id', later)) as string[];
    expect(recency).toEqual(
      customers.map((customer) => newest - Math.max(...(last.get(customer) ?? []).map(({ day }) => day))),
    );
    expect((await folder.run('--source', `customers=${later}`))['extract']).toBe(customers.length);
  });

  test.each<[string, (all: Order[]) => Order[], RegExp | undefined]>([
    ['of the same days', (all) => all, undefined],
    ['of a window of the same length', (all) => all.map((order) => ({ ...order, day: order.day + 30 })), undefined],
    [
      'that begins later',
      (all) => all.filter(({ day }) => day >= 100),
      /begin on 2025-04-\d\d, and on 2025-01-\d\d in the file .* are of a shorter time/,
    ],
    [
      'that begins earlier',
      (all) => [...all.map((order) => ({ ...order, day: order.day - 100 })), ...all],
      /begin on 2024-\d\d-\d\d, .* are of a longer time/,
    ],
    [
      'with a month twice',
      (all) => [...all, ...all.filter(({ day }) => day > DAYS - 60 && day < DAYS - 30)],
      /\d+ of \d+ purchases are there twice/,
    ],
  ])('%s makes the run warn where the value would be another', async (_, change, expected) => {
    const file = await folder.csv(lines(orders(150)), 'orders.csv');
    await folder.report(file, '--cut', iso(180), '--horizon', '60');
    const later = await folder.csv(lines(change(orders(150))), 'later.csv');
    const where = ['--now', NOW, '--dry-run', '--output', 'json', '--data', folder.at('state')];
    const ran = await holdfast(['run', folder.at('program.yaml'), ...where, '--source', `customers=${later}`]);
    expect(ran).toMatchObject({ status: 0 });
    const { warnings } = JSON.parse(ran.stdout) as { warnings: { code: string; message: string }[] };
    const doubts = warnings.filter(({ code }) => code === 'SOURCE_DOUBTFUL').map(({ message }) => message);
    expect(doubts).toEqual(expected === undefined ? [] : [expect.stringMatching(expected)]);
  });

  test.each<[string, (all: Order[]) => Order[], RegExp]>([
    [
      'of the new week only',
      (all) => all.filter(({ day }) => day >= DAYS - 7),
      /only 7 days of purchases, where \d+ are looked back on: give the whole history/,
    ],
    [
      'of the new week and a few old rows',
      (all) => [...all.slice(0, 5), ...all.filter(({ day }) => day >= DAYS - 7)],
      /nearly all purchases are of the newest \d+ days: give the whole history/,
    ],
    [
      'with one day that stands alone, by a slip of the year',
      (all) => [...all, { ...(all[0] as Order), day: DAYS + 200 }],
      /hardly any purchase in the \d+ days up to 20\d\d-\d\d-\d\d, its newest: is that day wrong/,
    ],
    [
      'with one day that stands alone some weeks after the others',
      (all) => [...all, { ...(all[0] as Order), day: DAYS + 20 }],
      /hardly any purchase in the 10 days up to 2026-02-25, its newest: is that day wrong/,
    ],
  ])('%s is refused with what it lacks', async (_, change, expected) => {
    await folder.report(await folder.csv(lines(orders()), 'orders.csv'), '--horizon', '30');
    const { status, stderr } = await refused(change(orders()));
    expect(stderr).toMatch(/HF_REJECTS_OVER_THRESHOLD/);
    expect(stderr).toMatch(expected);
    expect(status).toBe(78);
  });
});
