import { FEATURES, type FeatureSource } from '../features.ts';
import { daysBetween, daysLater, yearBefore } from './calendar.ts';

/** Days on either side of the snapshot's day of the year that are its season. */
const SEASON_DAYS = 30;

/** Days that seasonality looks at: the year that begins with last year's season. `from` is in it, `before` is not. */
export interface SeasonDays {
  readonly season: { readonly from: string; readonly before: string };
  readonly year: { readonly from: string; readonly before: string };
}

/**
 * Last year's season, and the year that it begins: 13 months ago to a month ago, so that the share is not recency once more.
 * @param snapshotDate such as `2011-04-01`
 */
export function seasonDays(snapshotDate: string): SeasonDays {
  const middle = yearBefore(snapshotDate);
  const from = daysLater(middle, -SEASON_DAYS);
  return {
    season: { from, before: daysLater(middle, SEASON_DAYS) },
    year: { from, before: daysLater(snapshotDate, -SEASON_DAYS) },
  };
}

/** Which features a snapshot has, in the order of the table, and why the others are absent. */
export interface FeaturePlan {
  readonly features: readonly string[];
  readonly absent: readonly { readonly feature: string; readonly reason: string }[];
}

/** @param firstPurchase day of the oldest transaction before the snapshot; undefined where there is none */
export function planFeatures(
  sources: ReadonlySet<FeatureSource>,
  snapshotDate: string,
  firstPurchase: string | undefined,
): FeaturePlan {
  const absent: { feature: string; reason: string }[] = [];
  const { from } = seasonDays(snapshotDate).year;
  for (const { name, source, months } of FEATURES) {
    if (!sources.has(source)) absent.push({ feature: name, reason: `there is no input of ${source}` });
    else if (months !== undefined && (firstPurchase === undefined || firstPurchase > from)) {
      const history =
        firstPurchase === undefined
          ? 'there are no transactions before the snapshot'
          : `transactions begin on ${firstPurchase}, ${daysBetween(firstPurchase, snapshotDate)} days before the snapshot`;
      absent.push({ feature: name, reason: `it takes ${months} months of history, since ${from}, and ${history}` });
    }
  }
  const without = new Set(absent.map(({ feature }) => feature));
  return { features: FEATURES.map(({ name }) => name).filter((name) => !without.has(name)), absent };
}
