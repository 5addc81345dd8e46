import type { Cut } from './horizon.ts';
import type { TransactionPlan } from './plan.ts';

const DAYS_PER_MONTH = 30.4375;

/** A number that is made of a customer's purchases. */
export interface Figure {
  /** As the query calls it. */
  readonly name: string;
  /** SQL over `sums`, `rhythm` and `as_of`. */
  readonly sql: string;
  /** For people. */
  readonly meaning: string;
  /** Whether it is a column of the candidate. */
  readonly mapped: boolean;
  /** Whether it is of days that are looked back on only, and so means the same at the cut and later. */
  readonly forModel: boolean;
}

/** What the purchases of a customer say, all of them up to `as_of.holdfast_day`. */
export function figuresOf(
  { money, basket, dialect }: Pick<TransactionPlan, 'money' | 'basket' | 'dialect'>,
  { lookback, horizon }: Cut,
): Figure[] {
  const what = basket === undefined ? 'days with a purchase' : 'different baskets';
  // A decimal is divided to so many digits in Postgres, and a double everywhere alike.
  const double = (sql: string) => `CAST(${sql} AS ${dialect.double})`;
  const tenure = 'as_of.holdfast_day - rhythm.first_day';
  const figure = (name: string, sql: string, meaning: string, mapped = false, forModel = true): Figure => ({
    name,
    sql,
    meaning,
    mapped,
    forModel,
  });
  return [
    figure(
      'subscription_tenure',
      `${double('as_of.holdfast_day - sums.first_ever')} / ${DAYS_PER_MONTH}`,
      'months since the first purchase in the file',
      true,
      false,
    ),
    figure(
      'days_since_last_purchase',
      'as_of.holdfast_day - rhythm.last_day',
      'recency: days since the last purchase',
      true,
    ),
    figure(
      'purchase_frequency',
      `${double('sums.purchases')} * ${DAYS_PER_MONTH} / greatest(${double(tenure)}, ${DAYS_PER_MONTH})`,
      'purchases a month since the first of those looked back on, of at least one month',
      true,
    ),
    ...(money === undefined
      ? []
      : [
          figure(
            'lifetime_value',
            'coalesce(sums.spend_ever, 0)',
            'value: the sum of all amounts in the file, refunds taken off',
            true,
            false,
          ),
        ]),
    figure('purchases', 'sums.purchases', `frequency: ${what} in ${lookback} days`),
    figure('purchases_lately', 'sums.purchases_lately', `${what} in the last ${horizon} days`),
    ...(money === undefined
      ? []
      : [
          figure('spend', 'coalesce(sums.spend, 0)', `sum of the amounts in ${lookback} days, refunds taken off`),
          figure('mean_basket', `${double('sums.spend')} / nullif(sums.purchases, 0)`, 'that for each purchase'),
        ]),
    figure('tenure_days', tenure, 'days since the first purchase of those looked back on'),
    figure(
      'mean_interval',
      'rhythm.mean_interval',
      'days between two purchases, on average; missing where there is one only',
    ),
    figure(
      'recency_in_intervals',
      `${double('as_of.holdfast_day - rhythm.last_day')} / nullif(rhythm.median_interval, 0)`,
      "recency in the customer's own median interval: 2 is twice as long as usual",
    ),
  ];
}
