import { vitalityOf } from './behaviour.ts';

/** Weeks of history. */
export const WEEKS = 65;
export const HISTORY_DAYS = 7 * WEEKS;

export const WEEK_JUMPS = {
  table: 'week_jumps',
  steps: WEEKS,
  columns: ['logins', 'features', 'last', 'order', 'day', 'amount', 'discount', 'ticket'],
} as const;

/**
 * How lively each customer was in each week from joining to leaving, beside all that is known of the customer; step 0
 * is the week that ends before the as-of day, and only the newest `weeks` are given. `people` is a relation like the
 * table of that name.
 */
const lived = (weeks: number, people = 'people') => `
  SELECT person.*, -7 * (step + 1) AS first_day,
    ${vitalityOf('(-7e0 * step - 3.5e0)', 'person')}::FLOAT AS vitality,
    jump.* EXCLUDE (step)
  FROM (
    SELECT customer.*, departed_day,
      unnest(range(CASE WHEN departed_day IS NULL THEN 0 ELSE -departed_day // 7 END,
        least(${weeks}, -joined_day // 7)))::INTEGER AS step
    FROM ${people} AS customer JOIN departures USING (i)
  ) AS person JOIN ${WEEK_JUMPS.table} AS jump USING (step)`;

/** Rows of `sessions`: one per customer and whole week with a login. */
export const sessions = (day: (offset: string) => string, weeks: number, people = 'people') => `
  WITH counted AS (
    SELECT customer_id, first_day, usual_features, vitality, week_stream, jump_features, jump_last,
      round(usual_logins * vitality + 0.75e0 * sqrt(usual_logins * vitality) * deviate(draw(week_stream, jump_logins)))
        AS logins
    FROM (${lived(weeks, people)})
    WHERE departed_day IS NULL OR first_day + 7 <= departed_day
  )
  SELECT customer_id, ${day('first_day')} AS week_starting, logins::INTEGER AS logins,
    -- Days with a login when logins fall on days at random.
    greatest(1, round(7e0 * (1e0 - exp(-logins / 6e0))))::INTEGER AS active_days,
    -- Uniform within ± 0.09 of the habit.
    round(clamp(usual_features * (0.5e0 + 0.5e0 * vitality) + 0.18e0 * (draw(week_stream, jump_features) - 0.5e0), 1e-2, 1e0), 3)::FLOAT
      AS feature_share,
    ${day('first_day + 6 - floor(7e0 * draw(week_stream, jump_last) / (logins + 1e0))::INTEGER')} AS last_login_on
  FROM counted WHERE logins > 0`;

/** Rows of `transactions`: at most one order a week. */
export const transactions = (day: (offset: string) => string) => `
  WITH ordered AS (
    SELECT customer_id, departed_day, week_stream, usual_amount, discount_taste, jump_amount, jump_discount,
      first_day + floor(7e0 * draw(week_stream, jump_day))::INTEGER AS order_day
    FROM (${lived(WEEKS)})
    -- The first condition follows from the second (nobody is livelier than 1) and spares half of them the work for it.
    WHERE draw(week_stream, jump_order) < 1e-9 + usual_orders / 4.35e0
      AND draw(week_stream, jump_order) < 1e0 - exp(-usual_orders / 4.35e0 * vitality * sqrt(vitality))
  )
  SELECT customer_id, ${day('order_day')} AS ordered_on,
    (usual_amount * (0.6e0 + 0.8e0 * draw(week_stream, jump_amount)))::DECIMAL(12, 2) AS amount,
    draw(week_stream, jump_discount) < discount_taste AS discounted
  FROM ordered WHERE departed_day IS NULL OR order_day < departed_day`;

/** Rows of `tickets`: at most one a week. */
export const tickets = (asOfDay: string, weeks: number) => `
  WITH opened AS (
    SELECT customer_id, departed_day, first_day + floor(7e0 * draw(week_stream, jump_day))::INTEGER AS ticket_day,
      9 + (i % 9)::INTEGER AS hour
    FROM (${lived(weeks)})
    WHERE draw(week_stream, jump_ticket) <
      CASE WHEN trouble AND first_day BETWEEN turning_day - 20 AND turning_day + 200 THEN 0.27e0 ELSE 0.02e0 END
  )
  SELECT customer_id, ${asOfDay}::TIMESTAMP + to_days(ticket_day) + to_hours(hour) AS opened_at
  FROM opened WHERE departed_day IS NULL OR ticket_day < departed_day`;
