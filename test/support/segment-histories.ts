import type { FeatureSource } from '../../customers/segments/features.ts';
import { daysBetween, daysLater, yearBefore } from '../../customers/segments/features-sql/calendar.ts';
import type { Snapshot } from '../../customers/segments/features-sql/inputs.ts';
import { planFeatures } from '../../customers/segments/features-sql/plan.ts';
import type { ProxyChurn } from '../../customers/segments/proxy-churn.ts';

export interface Transaction {
  readonly customer: string | null;
  readonly at: string;
  readonly amount: number | null;
  readonly invoice?: string | null;
  readonly kind?: string | null;
}
/** Events of customers, in any order. */
export interface History {
  readonly transactions: readonly Transaction[];
  readonly sessions?: readonly Pick<Transaction, 'customer' | 'at'>[];
  readonly tickets?: readonly Pick<Transaction, 'customer' | 'at'>[];
  readonly customers?: readonly { readonly customer: string | null; readonly since: string | null }[];
}
/** How a snapshot of a history is taken. */
export interface SnapshotParameters extends Snapshot {
  readonly activeWithinDays: number;
  readonly proxyChurn: ProxyChurn;
}
export type Row = Record<string, unknown>;

/** Features of a history by hand: one customer after the other, one event after the other. */
export function byHand(
  history: History,
  { date, timeZone, activeWithinDays, proxyChurn }: SnapshotParameters,
  first?: string,
): Row[] {
  const snapshot = { date, timeZone };
  const dayOf = localDay(timeZone);
  const { features } = planFeatures(
    new Set(Object.keys(history) as FeatureSource[]),
    date,
    first ?? firstDay(history, snapshot),
  );
  const before = <Event extends { readonly at: string }>(events: readonly Event[] = []) =>
    events.map((event) => ({ ...event, day: dayOf(event.at) })).filter(({ day }) => day < date);
  const ofAll = before(history.transactions)
    .map((event, place) => ({
      ...event,
      key: event.invoice || `row ${place}`,
      isRefund: event.kind ? event.kind !== 'purchase' : (event.amount ?? 0) < 0,
    }))
    .filter(({ kind }) => kind == null || ['purchase', 'refund', 'chargeback'].includes(kind));
  const known = (history.customers ?? []).filter(({ since }) => since === null || since < date);
  const ids = new Set([...ofAll, ...known].map(({ customer }) => customer).filter((id) => id !== null));
  return [...ids].sort().map((customer) => {
    const own = ofAll.filter((event) => event.customer === customer);
    const purchases = own.filter(({ isRefund }) => !isRefund);
    const last = latest(purchases.map(({ day }) => day));
    const recency = last === undefined ? null : daysBetween(last, date);
    const within = purchases.filter(({ day }) => daysBetween(day, date) <= 90);
    const login = latest(
      before(history.sessions)
        .filter((one) => one.customer === customer)
        .map(({ day }) => day),
    );
    const loginDays = login === undefined ? null : daysBetween(login, date);
    const since = known
      .filter((one) => one.customer === customer && one.since !== null)
      .map((one) => one.since as string);
    const ago = yearBefore(date);
    const year = purchases.filter(({ day }) => day >= daysLater(ago, -30) && day < daysLater(date, -30));
    const season = year.filter(({ day }) => Math.abs(daysBetween(day, ago) - 0.5) <= 30);
    const days = [...new Set(purchases.map(({ day, key }) => `${day} ${key}`))].map((text) => text.slice(0, 10)).sort();
    const gaps = days.slice(1).map((day, place) => daysBetween(days[place] as string, day));
    const median = medianOf(gaps);
    const values: Row = {
      recency_days: recency,
      frequency_90d: keys(within),
      spend_90d: within.reduce((sum, { amount }) => sum + (amount ?? 0), 0),
      support_tickets_90d: before(history.tickets).filter(
        (one) => one.customer === customer && daysBetween(one.day, date) <= 90,
      ).length,
      refund_rate: own.length === 0 ? 0 : keys(own.filter(({ isRefund }) => isRefund)) / keys(own),
      tenure_days: since.length === 0 ? null : daysBetween(since.sort()[0] as string, date),
      last_login_days: loginDays,
      season_share: year.length === 0 ? null : keys(season) / keys(year),
      recency_to_interval: recency === null || !median ? null : recency / median,
    };
    const active = Math.min(recency ?? 0, loginDays ?? Number.POSITIVE_INFINITY);
    const cycles =
      proxyChurn.billingCycleDays === undefined ? Number.POSITIVE_INFINITY : 2 * proxyChurn.billingCycleDays;
    return {
      customer_id: customer,
      ...Object.fromEntries(features.map((name) => [name, rounded(values[name])])),
      group: recency === null ? 'never-purchased' : recency > activeWithinDays ? 'lapsed' : 'clustered',
      proxy_churn: recency === null ? null : active > proxyChurn.inactiveDays || recency > cycles,
    };
  });
}

/** To nine places, beyond which sums in another order differ. */
export const rounded = (value: unknown) => (typeof value === 'number' ? Number(value.toFixed(9)) : value);
const keys = (events: readonly { readonly key: string }[]) => new Set(events.map(({ key }) => key)).size;
const latest = (days: readonly string[]) => [...days].sort().at(-1);
function medianOf(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
function localDay(timeZone: string): (at: string) => string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' });
  return (at) => format.format(new Date(at));
}
/** Of the transactions before the snapshot. */
export function firstDay({ transactions }: History, { timeZone, date }: Snapshot): string | undefined {
  return transactions
    .map(({ at }) => localDay(timeZone)(at))
    .filter((day) => day < date)
    .sort()[0];
}

/** A linear congruential generator of Numerical Recipes. */
function draws(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Up to 500 days before and 20 after the snapshot; half of the events are near midnight or a change of the clocks. Of every fifth seed ids are numbers. */
export function randomHistory(seed: number): History {
  const draw = draws(seed);
  const customer = () => (draw(25) === 0 ? null : `${seed % 5 === 1 ? '' : 'C'}${draw(12)}`);
  const near = ['2026-10-24T22:30:00Z', '2026-10-25T00:30:00Z', '2026-10-31T22:59:59Z', '2026-10-31T23:00:00Z'];
  near.push('2026-03-29T00:59:00Z', '2026-03-28T23:30:00Z', '2025-11-01T12:00:00Z', '2026-08-02T22:30:00Z');
  near.push('2026-08-03T21:59:00Z', '2026-08-02T21:59:00Z');
  const at = () =>
    draw(3) === 0
      ? (near[draw(near.length)] as string)
      : new Date(Date.parse('2026-11-21T00:00:00Z') - draw(520 * 24) * 3_600_000).toISOString();
  const times = <Item>(count: number, one: () => Item) => Array.from({ length: count }, one);
  const hasInvoices = seed % 3 !== 0;
  const hasKinds = seed % 2 === 0;
  return {
    transactions: times(draw(90), () => ({
      customer: customer(),
      at: at(),
      amount: draw(20) === 0 ? null : (draw(20_000) - (draw(3) === 0 ? 15_000 : 0)) / 100,
      ...(hasInvoices ? { invoice: draw(9) === 0 ? null : `I${draw(30)}` } : {}),
      ...(hasKinds
        ? { kind: [null, 'purchase', 'purchase', 'refund', 'chargeback', 'transfer'][draw(6)] as string }
        : {}),
    })),
    ...(seed % 5 === 0 ? {} : { sessions: times(draw(40), () => ({ customer: customer(), at: at() })) }),
    ...(seed % 7 === 0 ? {} : { tickets: times(draw(20), () => ({ customer: customer(), at: at() })) }),
    ...(seed % 4 === 0
      ? {}
      : {
          customers: times(draw(20), () => ({
            customer: customer(),
            since: draw(6) === 0 ? null : daysLater('2026-11-05', -draw(900)),
          })),
        }),
  };
}
