import { randomNumbers } from '../../base/math/random-numbers.ts';

/** One purchase. */
export interface Order {
  readonly id: string;
  readonly customer: string;
  /** Days after 2025-01-01. */
  readonly day: number;
  readonly amount: number;
}

const START = Date.UTC(2025, 0, 1);

/** The day as 2025-12-31. */
export const iso = (day: number) => new Date(START + day * 86_400_000).toISOString().slice(0, 10);

/** The day with its parts in another order, such as `d.m.y`. */
export function written(day: number, pattern: string): string {
  const [y = '', m = '', d = ''] = iso(day).split('-');
  return pattern.replace('y', y).replace('m', m).replace('d', d);
}

/** Purchases of customers with a rhythm each, half of whom stop at some day; the same every time. */
export function orders(customers = 300, days = 400, seed = 1): Order[] {
  const random = randomNumbers(seed);
  const all: Order[] = [];
  for (let index = 0; index < customers; index++) {
    const every = 5 + Math.floor(random() * 25);
    const stops = random() < 0.5 ? Math.floor(random() * days) : days;
    const customer = `K${String(index).padStart(4, '0')}`;
    for (let day = Math.floor(random() * 60); day < stops; day += 1 + Math.floor(random() * 2 * every)) {
      all.push({ id: '', customer, day, amount: Math.round(500 + random() * 9000) / 100 });
    }
  }
  return all.sort((a, b) => a.day - b.day).map((order, index) => ({ ...order, id: `O${100_000 + index}` }));
}

/** Lines of a file, by default `order_id,customer_id,order_date,amount`. */
export function orderLines(
  all: readonly Order[],
  columns: Readonly<Record<string, (order: Order, index: number) => string | number>> = {
    order_id: ({ id }) => id,
    customer_id: ({ customer }) => customer,
    order_date: ({ day }) => iso(day),
    amount: ({ amount }) => amount,
  },
  delimiter = ',',
): string[] {
  return [
    Object.keys(columns).join(delimiter),
    ...all.map((order, index) =>
      Object.values(columns)
        .map((of) => of(order, index))
        .join(delimiter),
    ),
  ];
}
