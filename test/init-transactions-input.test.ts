import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type InitFolder, initFolder } from './support/init-folder.ts';
import { iso, type Order, orderLines, orders, written } from './support/orders.ts';

let folder: InitFolder;
beforeEach(async () => {
  folder = await initFolder();
});
afterEach(async () => folder[Symbol.asyncDispose]());

/** Few enough to be fast, enough for a model. */
const ALL = orders(150, 200);
const NEWEST = Math.max(...ALL.map(({ day }) => day));
type Columns = Parameters<typeof orderLines>[1];
const PLAIN = {
  order_id: ({ id }) => id,
  customer_id: ({ customer }) => customer,
  order_date: ({ day }) => iso(day),
  amount: ({ amount }) => amount,
} satisfies Columns;

const roles = async (lines: readonly string[], ...options: string[]) => {
  const { transactions } = await folder.report(await folder.csv(lines, 'orders.csv'), ...options);
  return Object.fromEntries((transactions?.roles ?? []).map(({ role, source }) => [role, source]));
};
const values = (column: string) => folder.values(column, folder.at('orders.csv'));
const sum = (numbers: readonly unknown[]) => numbers.reduce<number>((total, one) => total + Number(one), 0);

describe('what the columns are', () => {
  const comma = (amount: number) => amount.toFixed(2).replace('.', ',');
  test.each<[string, string, NonNullable<Columns>, Record<string, string>]>([
    [
      'in German, with days of points and amounts of commas',
      ';',
      {
        Rechnungsnummer: ({ id }) => id,
        Kundennummer: ({ customer }) => customer,
        Rechnungsdatum: ({ day }) => written(day, 'd.m.y'),
        'Betrag (EUR)': ({ amount }) => comma(amount),
      },
      { customer: 'Kundennummer', day: 'Rechnungsdatum', basket: 'Rechnungsnummer', amount: 'Betrag (EUR)' },
    ],
    [
      'in French, with days of slashes',
      ';',
      {
        'N° facture': ({ id }) => id,
        'ID client': ({ customer }) => customer,
        'Date de facture': ({ day }) => written(day, 'd/m/y'),
        'Montant TTC': ({ amount }) => comma(amount),
      },
      { customer: 'ID client', day: 'Date de facture', basket: 'N° facture', amount: 'Montant TTC' },
    ],
    [
      'of a grocer: the household, and not the basket, the product or the shop, is the customer',
      ',',
      {
        basket_id: ({ id }) => id,
        product_id: (_, index) => 1000 + (index % 40),
        store_id: (_, index) => index % 7,
        household_id: ({ customer }) => customer.slice(1),
        transaction_timestamp: ({ day }) => `${iso(day)} 10:${10 + (day % 50)}:00`,
        sales_value: ({ amount }) => amount,
      },
      { customer: 'household_id', day: 'transaction_timestamp', basket: 'basket_id', amount: 'sales_value' },
    ],
    [
      'with a price and a number of pieces in place of an amount',
      ',',
      { ...PLAIN, amount: () => 2, quantity: () => 2, unit_price: ({ amount }) => amount },
      {
        customer: 'customer_id',
        day: 'order_date',
        basket: 'order_id',
        'amount (quantity)': 'quantity',
        'amount (unitPrice)': 'unit_price',
      },
    ],
  ])('%s', async (_, delimiter, columns, expected) => {
    expect(await roles(orderLines(ALL, columns, delimiter))).toEqual(expected);
    expect((await values('customer_id')).length).toBeGreaterThan(60);
  });

  test('an id that nobody named like a customer is found by its days, and said; of two of them a person is asked', async () => {
    const columns = {
      vorgang: PLAIN.order_id,
      card_id: PLAIN.customer_id,
      order_date: PLAIN.order_date,
      amount: PLAIN.amount,
    };
    const report = await folder.report(await folder.csv(orderLines(ALL, columns), 'orders.csv'));
    expect(report.warnings.join('\n')).toMatch(/card_id is taken for the customer: card_id has .* different days/);
    const two = orderLines(ALL, { ...columns, till_id: (_: Order, index: number) => index % 9 });
    const file = await folder.csv(two, 'orders.csv');
    expect(await folder.refusal(file)).toMatch(
      /no column is named like a customer's id: name it with --id COLUMN \(card_id has/,
    );
    expect((await folder.report(file, '--id', 'card_id')).transactions?.roles[0]).toMatchObject({
      source: 'card_id',
      reason: 'given by --id',
    });
  });

  test('days that can be read in two ways are asked about', async () => {
    const early = ALL.map((order) => ({ ...order, day: Math.floor(order.day / 20) * 31 + (order.day % 12) }));
    const columns = {
      ...PLAIN,
      order_date: ({ day }: Order) =>
        `${String((day % 12) + 1).padStart(2, '0')}/${String((Math.floor(day / 31) % 12) + 1).padStart(2, '0')}/2025`,
    };
    const file = await folder.csv(orderLines(early, columns), 'orders.csv');
    expect(await folder.refusal(file)).toMatch(
      /cannot be told in which order order_date is written.*--dates dmy or --dates mdy/,
    );
    expect((await folder.report(file, '--dates', 'dmy')).transactions?.roles[1]?.reason).toMatch(/by --dates dmy/);
  });
});

describe('what counts', () => {
  test('rows without a customer are counted, left out and said', async () => {
    const columns = {
      ...PLAIN,
      customer_id: ({ customer }: Order, index: number) =>
        index % 4 === 0 ? ['', 'Guest', '0', 'NULL'][(index / 4) % 4]! : customer,
    };
    const report = await folder.report(await folder.csv(orderLines(ALL, columns), 'orders.csv'));
    const guests = Math.ceil(ALL.length / 4);
    expect(report.transactions?.guests).toBe(guests);
    expect(report.transactions?.purchases).toBe(ALL.length - guests);
    expect(report.warnings).toContainEqual(
      expect.stringContaining(`${guests} of ${ALL.length} rows (25.0 %) have no customer`),
    );
    expect(await values('customer_id')).not.toEqual(expect.arrayContaining([expect.not.stringMatching(/^K/)]));
    expect((await folder.run())['extract']).toBeGreaterThan(50);
  });

  test('refunds are taken off the value and are no purchases, by their sign or by a word', async () => {
    const last = Map.groupBy(ALL, ({ customer }) => customer);
    const refunds = [...last].map(([customer, bought]) => ({
      id: `R${customer}`,
      customer,
      day: NEWEST,
      amount: -bought.at(-1)!.amount,
    }));
    await roles(orderLines([...ALL, ...refunds]));
    const [bySign, recency] = [await values('lifetime_value'), await values('days_since_last_purchase')];
    const words = {
      ...PLAIN,
      amount: ({ amount }: Order) => Math.abs(amount),
      type: ({ amount }: Order) => (amount < 0 ? 'Refund' : 'Sale'),
    };
    expect(await roles(orderLines([...ALL, ...refunds], words))).toMatchObject({ refund: 'type' });
    expect(await values('lifetime_value')).toEqual(bySign);
    expect(await values('days_since_last_purchase')).toEqual(recency);
    // A cancelled order counts for nothing: as if it were not there.
    const cancelled = {
      ...PLAIN,
      amount: ({ amount }: Order) => Math.abs(amount),
      status: ({ amount }: Order) => (amount < 0 ? 'cancelled' : 'completed'),
    };
    await roles(orderLines([...ALL, ...refunds], cancelled));
    expect(await values('days_since_last_purchase')).toEqual(recency);
    expect(sum(await values('lifetime_value'))).toBeGreaterThan(sum(bySign));
    expect(await folder.query()).toContain('nothing was bought, the row counts for nothing');
  });

  test('one price for everything is an amount as well, and a piece that came back is no purchase', async () => {
    const pieces = ({ day }: Order, index: number) => (day > 5 && index % 10 === 3 ? -1 : 2);
    const { customer_id, order_date, order_id } = PLAIN;
    const priced = { order_id, customer_id, order_date, quantity: pieces, unit_price: () => 9.99 };
    const report = await folder.report(await folder.csv(orderLines(ALL, priced), 'orders.csv'));
    const refunds = ALL.filter((order, index) => pieces(order, index) < 0).length;
    expect(report.transactions).toMatchObject({ purchases: ALL.length - refunds, refunds });
    await roles(orderLines(ALL, { order_id, customer_id, order_date, amount: () => 9.99 }));
    const pieceCounts = ((await values('lifetime_value')) as number[]).map((value) => value / 9.99);
    expect(pieceCounts.every((count) => count > 0.5 && Math.abs(count - Math.round(count)) < 1e-6)).toBe(true);
    // A column of nothing but 0 is none.
    expect(await roles(orderLines(ALL, { ...PLAIN, amount: () => 0 }))).not.toHaveProperty('amount');
  });

  test('an amount that every line of an order repeats counts once', async () => {
    await roles(orderLines(ALL));
    const once = await values('lifetime_value');
    const twice = ALL.flatMap((order) => [order, order, order]);
    const columns = {
      order_id: PLAIN.order_id,
      customer_id: PLAIN.customer_id,
      order_date: PLAIN.order_date,
      line: (_: Order, index: number) => index,
      order_total: PLAIN.amount,
    };
    const report = await folder.report(await folder.csv(orderLines(twice, columns), 'orders.csv'));
    expect(report.warnings).toContainEqual(
      expect.stringContaining('order_total is the same on every line of a basket: it is counted once'),
    );
    expect(await values('lifetime_value')).toEqual(once);
  });

  test('numbers of receipts that begin anew each day make a basket with the day', async () => {
    const columns = {
      ...PLAIN,
      receipt_no: ({ day }: Order, index: number) => (index * 7 + day) % 60,
      order_id: () => '',
    };
    await roles(orderLines(ALL));
    const [ids, purchases] = [await values('customer_id'), await values('purchases')];
    expect(await roles(orderLines(ALL, columns))).toMatchObject({ basket: 'receipt_no' });
    expect([await values('customer_id'), await values('purchases')]).toEqual([ids, purchases]);
    expect(await folder.query()).toContain('counted anew each day');
  });

  test('rows that are there twice are said', async () => {
    const report = await folder.report(await folder.csv(orderLines([...ALL, ...ALL.slice(-60)]), 'orders.csv'));
    expect(report.warnings.join(' ')).toMatch(/60 of order_id have several rows of one amount, and most have one row/);
  });

  test('whoever refused offers in any row has refused', async () => {
    const refuses = ALL[0]?.customer;
    const columns = {
      ...PLAIN,
      opted_out: ({ customer }: Order, index: number) =>
        customer === refuses && index < 3 ? 'yes' : index % 50 === 7 ? 'yes' : 'no',
    };
    await roles(orderLines(ALL, columns));
    const refused = new Set(
      ALL.filter((order, index) => columns.opted_out(order, index) === 'yes').map(({ customer }) => customer),
    );
    const ids = (await values('customer_id')) as string[];
    expect(await values('opted_out')).toEqual(ids.map((id) => refused.has(id)));
  });

  test('days that are yet to come are left out and said, and so is a customer who is none', async () => {
    const wrong = ALL.map((order, index) => ({ ...order, day: index % 300 === 0 ? 40_000 : order.day }));
    const till = Array.from({ length: 3500 }, (_, index) => ({
      id: `T${index}`,
      customer: 'K9999',
      day: index % NEWEST,
      amount: 5,
    }));
    const report = await folder.report(await folder.csv(orderLines([...wrong, ...till]), 'orders.csv'));
    expect(report.transactions?.newest).toBe(iso(NEWEST));
    expect(report.warnings).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/\d+ rows are of a day that is yet to come/),
        expect.stringMatching(/one customer has 3500 of the \d+ rows/),
      ]),
    );
  });

  test('a value of a later file that is not written like the others sets its customer apart', async () => {
    await roles(orderLines(ALL));
    const newest = ALL.at(-1) as Order;
    const columns = { ...PLAIN, amount: ({ id, amount }: Order) => (id === newest.id ? 'much' : amount) };
    const later = await folder.csv(orderLines(ALL, columns), 'later.csv');
    const reasons = await folder.values('rejected_because', later);
    expect(reasons.filter((reason) => reason !== '')).toEqual(['amount no number written like 1234.5']);
  });
});

describe('what is refused, or asked', () => {
  const label = { ...PLAIN, churned: ({ day }: Order) => (day % 3 === 0 ? 'yes' : 'no') };
  const monthly = Array.from({ length: 100 }, (_, customer) =>
    Array.from({ length: 12 }, (__, month) => ({
      id: '',
      customer: `K${customer}`,
      day: 30 * month,
      amount: customer + month,
    })),
  ).flat();
  const panel = { customer_id: PLAIN.customer_id, date: PLAIN.order_date, revenue: PLAIN.amount };
  const nearlyOne = [...new Map(ALL.map((order) => [order.customer, order])).values()];
  test.each<[string, () => string[], string[], RegExp]>([
    [
      'refunds only',
      () => orderLines(ALL.map((order) => ({ ...order, amount: -order.amount }))),
      [],
      /No row is a purchase .* \d+ are refunds or cancellations/,
    ],
    [
      'a single day',
      () => orderLines(ALL.map((order) => ({ ...order, day: 7 }))),
      ['--rows', 'transactions'],
      /All \d+ purchases are of one day, 2025-01-08/,
    ],
    [
      'two weeks',
      () => orderLines(ALL.map((order) => ({ ...order, day: order.day % 14 }))),
      [],
      /Too few days: .* 21 days are the least/,
    ],
    [
      'guests only',
      () => orderLines(ALL, { ...PLAIN, customer_id: () => 'guest' }),
      ['--rows', 'transactions'],
      /all are guests/,
    ],
    [
      'a cut that is after the file',
      () => orderLines(ALL),
      ['--cut', '2027-01-01'],
      /--cut 2027-01-01: the file has purchases from 2025-01-\d\d to 2025-07-19: give a day between them/,
    ],
    [
      'a cut that leaves no history',
      () => orderLines(ALL),
      ['--cut', '2025-01-20', '--horizon', '60'],
      /leaves \d+ days of purchases to look back on/,
    ],
    [
      'a horizon that is not over',
      () => orderLines(ALL),
      ['--cut', '2025-06-01', '--horizon', '90'],
      /90 days after 2025-06-01 are not over/,
    ],
    [
      'a cut with too few',
      () => orderLines(ALL.filter(({ customer }) => customer < 'K0030')),
      ['--horizon', '30'],
      /has \d+ customers, of whom \d+ did not come back: a model needs 25 of each/,
    ],
    [
      'who left beside several rows',
      () => orderLines(ALL, label),
      [],
      /could be transactions or customers: .* but churned says who left.*--rows transactions or --rows customers/,
    ],
    [
      'one row each month',
      () => orderLines(monthly, panel),
      [],
      /could be transactions or customers: .* as in a table that is written once a month/,
    ],
    [
      'hardly any customer twice',
      () => orderLines([...nearlyOne, ...ALL.slice(0, 12)]),
      [],
      /could be transactions or customers: .* most customers have one row/,
    ],
    ['a cut of customers', () => orderLines(nearlyOne), ['--cut', '2025-03-01'], /--cut: the rows look like customers/],
    ['a cut that is no day', () => orderLines(ALL), ['--cut', '2025-02-30'], /--cut 2025-02-30: give a day such as/],
  ])('%s', async (_, lines, options, expected) => {
    const file = await folder.csv(lines(), 'orders.csv');
    const { status, stderr } = await folder.init(file, ...options);
    expect(stderr).toMatch(expected);
    expect(status).not.toBe(0);
  });

  test('too few for a model make a scorecard that says so, where nobody asked for a cut', async () => {
    const few = ALL.filter(({ customer }) => customer < 'K0030');
    const report = await folder.report(await folder.csv(orderLines(few), 'orders.csv'));
    expect(report.model.kind).toBe('scorecard');
    expect(report.warnings.join('\n')).toMatch(/a scorecard that nobody trained, since \d+ left and \d+ stayed/);
    expect(await folder.query()).not.toContain('The model was trained');
  });
});
