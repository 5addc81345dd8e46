/** Tables that `customer_analytics` is computed from. */
export const SOURCES = [
  'customers',
  'sessions',
  'transactions',
  'tickets',
  'competitor_visits',
  'opt_outs',
  'cancellations',
] as const;

/** Where each source is read from: the tables of the warehouse, or a chunk that is being made. */
export type Sources = Readonly<Record<(typeof SOURCES)[number], string>>;

export const WAREHOUSE_SOURCES = Object.fromEntries(SOURCES.map((name) => [name, name])) as Sources;

/**
 * One row per customer who has not cancelled by the instant `at` (an SQL expression), with the unified columns of a
 * candidate as they were known at `at`: nothing dated at or after it is read, and of sessions only whole weeks.
 *
 * Recent is the last 4 weeks, usual the 22 weeks before them. The engagement of a week, from 0 to 1, is 0.7 of the share
 * of days with a login and 0.3 of the logins up to 14; it is added in units of 1/140, as integers, because a sum of
 * floating-point numbers depends on the threads, and with it who lies on this side of a threshold.
 *
 * `allSessions` tells which weeks are over, where the sources are those of a few customers.
 */
export function analyticsQuery(at: string, sources: Sources, allSessions = sources.sessions): string {
  return `
    WITH moment AS (
      SELECT ${at} AS instant, (${at})::DATE AS today, coalesce(max(week_starting) + 7, (${at})::DATE) AS weeks_end
      FROM ${allSessions} WHERE week_starting + 7 <= (${at})::DATE
    ),
    usage AS (
      SELECT customer_id,
        sum(logins) FILTER (recent) AS recent_logins,
        sum(logins) FILTER (usual) AS usual_logins,
        sum(engagement) FILTER (recent) AS recent_engagement,
        sum(engagement) FILTER (usual) AS usual_engagement,
        CASE WHEN bool_or(isnan(feature_share)) THEN 'NaN'::DOUBLE
          ELSE sum(feature_thousandths) FILTER (recent) / 1000e0 / count(*) FILTER (recent) END AS feature_usage,
        max(last_login_on) AS last_login_on
      FROM (
        SELECT session.*, 14 * active_days + 3 * least(14, logins) AS engagement,
          CASE WHEN NOT isnan(feature_share) THEN round(1000 * feature_share)::INTEGER END AS feature_thousandths,
          week_starting >= weeks_end - 28 AS recent,
          week_starting >= weeks_end - 182 AND week_starting < weeks_end - 28 AS usual
        FROM ${sources.sessions} AS session, moment
        WHERE week_starting < weeks_end
      )
      GROUP BY customer_id
    ),
    orders AS (
      SELECT customer_id, max(ordered_on) AS last_order_on, sum(amount) AS spent,
        count(*) FILTER (ordered_on >= today - 182) AS half_year_orders,
        (count(*) FILTER (discounted) + 2.0) / (count(*) + 4.0) AS discount_sensitivity
      FROM ${sources.transactions}, moment WHERE ordered_on < today GROUP BY customer_id
    ),
    complaints AS (
      SELECT customer_id, count(*) AS support_tickets
      FROM ${sources.tickets}, moment WHERE opened_at < instant AND opened_at >= instant - INTERVAL 90 DAY GROUP BY customer_id
    ),
    research AS (
      SELECT DISTINCT customer_id
      FROM ${sources.competitor_visits}, moment WHERE visited_at < instant AND visited_at >= instant - INTERVAL 90 DAY
    ),
    refusals AS (SELECT DISTINCT customer_id FROM ${sources.opt_outs}, moment WHERE opted_out_at < instant),
    departures AS (SELECT DISTINCT customer_id FROM ${sources.cancellations}, moment WHERE cancelled_on < today),
    measured AS (
      SELECT customer.*, moment.today, usage.* EXCLUDE (customer_id), orders.* EXCLUDE (customer_id),
        complaints.support_tickets,
        research.customer_id IS NOT NULL AS competitor_research,
        refusals.customer_id IS NOT NULL AS opted_out,
        least(22, (weeks_end - 28 - joined_on) // 7) AS usual_weeks,
        least(4, (weeks_end - joined_on) // 7) AS recent_weeks,
        least(6.0, (today - joined_on) / 30.4375) AS order_months
      FROM ${sources.customers} AS customer
      CROSS JOIN moment
      LEFT JOIN usage ON usage.customer_id = customer.customer_id
      LEFT JOIN orders ON orders.customer_id = customer.customer_id
      LEFT JOIN complaints ON complaints.customer_id = customer.customer_id
      LEFT JOIN research ON research.customer_id = customer.customer_id
      LEFT JOIN refusals ON refusals.customer_id = customer.customer_id
      LEFT JOIN departures ON departures.customer_id = customer.customer_id
      WHERE joined_on < today AND departures.customer_id IS NULL
    ),
    rates AS (
      SELECT *,
        coalesce(recent_logins, 0) / greatest(1, recent_weeks) AS login_frequency,
        coalesce(recent_engagement, 0) / greatest(1, recent_weeks) / 140e0 AS engagement_score,
        -- A customer without a past is compared with the present: no change.
        CASE WHEN usual_weeks >= 1 THEN coalesce(usual_logins, 0) / usual_weeks END AS past_logins,
        CASE WHEN usual_weeks >= 1 THEN nullif(coalesce(usual_engagement, 0), 0) / usual_weeks / 140e0 END AS past_engagement
      FROM measured
    ),
    changes AS (
      SELECT *, coalesce(engagement_score / past_engagement - 1.0, 0.0) AS engagement_change FROM rates
    )
    SELECT customer_id, marketplace, currency, timezone, locale, account_status, verified, subscription_status,
      tier AS subscription_tier,
      round((today - joined_on) / 30.4375, 2) AS subscription_tenure,
      round(engagement_score, 4) AS engagement_score,
      CASE WHEN engagement_change <= -0.2 THEN 'declining' WHEN engagement_change >= 0.2 THEN 'rising' ELSE 'stable' END
        AS engagement_trend,
      round(engagement_change, 4) AS engagement_change,
      login_frequency::DOUBLE AS login_frequency,
      round(coalesce(past_logins, login_frequency), 4)::DOUBLE AS historical_avg,
      (today - coalesce(last_login_on, joined_on))::DOUBLE AS days_since_last_login,
      (today - coalesce(last_order_on, joined_on))::DOUBLE AS days_since_last_purchase,
      round(coalesce(half_year_orders, 0) / greatest(1.0, order_months), 4) AS purchase_frequency,
      coalesce(support_tickets, 0)::DOUBLE AS support_tickets,
      round(coalesce(feature_usage, 0.0), 4) AS feature_usage,
      round((prior_value + coalesce(spent, 0.0))::DOUBLE, 2) AS lifetime_value,
      round(coalesce(discount_sensitivity, 0.5), 4) AS discount_sensitivity,
      competitor_research, opted_out
    FROM changes`;
}

/** The query of the first use case: who shows any sign of leaving. */
export const AT_RISK = `engagement_trend = 'declining' OR login_frequency < historical_avg * 0.5 OR days_since_last_purchase > 60`;
