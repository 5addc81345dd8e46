import { trueProbability } from './departures.ts';
import { jump } from './draws.ts';

/** For evaluation only: what no warehouse knows. The pipeline never reads these tables. */
export function truthTables(asOfDay: string) {
  return {
    /** True 90-day probability of a cancellation without offers at the as-of day, and the true effect of each offer. */
    customer_truth: `
      SELECT customer_id, archetype, ${trueProbability(0)} AS cancellation_probability,
        discount_effect(discount_taste) AS discount_effect,
        upgrade_effect(-joined_day, usual_features) AS upgrade_effect,
        call_effect(trouble, usual_amount) AS personal_call_effect
      FROM people AS person JOIN departures USING (i) WHERE departed_day IS NULL`,
    /** What happens within 90 days after the as-of day without an offer, and with each kind of offer: one luck for all. */
    future_outcomes: `
      WITH odds AS (
        SELECT customer_id, draw(future_stream, 1) AS luck, draw(future_stream, ${jump(1)}) AS moment, ${trueProbability(0)} AS probability,
          discount_effect(discount_taste) AS discount, upgrade_effect(-joined_day, usual_features) AS upgrade,
          call_effect(trouble, usual_amount) AS personal_call
        FROM people AS person JOIN departures USING (i) WHERE departed_day IS NULL
      )
      SELECT customer_id, luck < probability AS cancels_untreated,
        luck < 1.0 - (1.0 - probability) ** (1.0 - discount) AS cancels_with_discount,
        luck < 1.0 - (1.0 - probability) ** (1.0 - upgrade) AS cancels_with_upgrade,
        luck < 1.0 - (1.0 - probability) ** (1.0 - personal_call) AS cancels_with_personal_call,
        CASE WHEN luck < probability THEN (${asOfDay} + floor(90.0 * moment)::INTEGER)::DATE END AS cancels_on
      FROM odds`,
  };
}

/** The same probability one, two and three quarters earlier, of those who were customers then. */
export const truthAt = (asOfDay: string) =>
  [1, 2, 3]
    .map(
      (quarters) => `
      SELECT customer_id, (${asOfDay} - ${quarters * 91})::DATE AS as_of, ${trueProbability(quarters)} AS cancellation_probability
      FROM people AS person JOIN departures USING (i)
      WHERE joined_day < -${quarters * 91} AND (departed_day IS NULL OR departed_day >= -${quarters * 91})`,
    )
    .join(' UNION ALL ');
