import { drawnColumns, jump, pick, STREAMS } from './draws.ts';

/**
 * Who the customers are. Days are counted from the as-of day: negative is the past.
 *
 * Four ways to be a customer, none of them visible in the warehouse:
 * - steady: comes and buys as ever;
 * - occasional: content, but buys rarely;
 * - drifting: comes somewhat less from some day on, and mostly stays;
 * - lapsing: from some day on (spread evenly over the calendar, so that every week looks alike) hardly comes
 *   any more, and leaves unless won back or recovered.
 */
interface Mix {
  readonly lapsing: number;
  readonly occasional: number;
  readonly drifting: number;
}

/** Shares by tier; set so that the funnel of the example program is that of the first use case. */
const MIX: { readonly upper: Mix; readonly lower: Mix } = {
  upper: { lapsing: 0.97, occasional: 0.01, drifting: 0.01 },
  lower: { lapsing: 0.68, occasional: 0.05, drifting: 0.03 },
};

/** Share of customers in the upper tiers (premium, premium_plus), of the arm that had the pilot, of the loyalty club. */
const LOWER_TIERS = 0.463;
const PILOT_SHARE = 0.538;
const LOYALTY_SHARE = 0.495;

const archetype = ({ lapsing, occasional, drifting }: Mix) =>
  pick(
    'archetype_draw',
    [
      ['lapsing', lapsing],
      ['occasional', lapsing + occasional],
      ['drifting', lapsing + occasional + drifting],
    ],
    'steady',
  );

const tier = pick(
  'tier_draw',
  [
    ['basic', 0.25],
    ['standard', LOWER_TIERS],
    ['premium', 0.8],
  ],
  'premium_plus',
);

const marketplace = pick(
  'marketplace_draw',
  [
    ['US', 0.34],
    ['UK', 0.48],
    ['DE', 0.6],
    ['FR', 0.69],
    ['JP', 0.79],
    ['IN', 0.89],
    ['BR', 0.95],
  ],
  'AU',
);

const accountStatus = pick(
  'account_draw',
  [
    ['suspended', 0.013],
    ['payment_hold', 0.0256],
  ],
  'active',
);

const subscriptionStatus = pick(
  'subscription_draw',
  [
    ['past_due', 0.04],
    ['paused', 0.06],
  ],
  'active',
);

const DRAWS = [
  'marketplace_draw',
  'zone_draw',
  'verified_draw',
  'account_draw',
  'subscription_draw',
  'pilot_phase_draw',
  'joined_draw',
  'features_draw',
  'logins_draw',
  'orders_draw',
  'taste_draw',
  'amount_draw',
  'depth_draw',
  'pace_draw',
  'trouble_draw',
  'research_draw',
  'recovery_draw',
  'frailty_draw',
  'refusal_draw',
  'refusal_day_draw',
  'loyalty_phase_draw',
  'visit_draw',
  'visit_day_draw',
] as const;

/** The week whose customers are numbered from 1. */
const FIRST_WEEK = Date.UTC(2026, 10, 23);
const WEEK_MS = 7 * 86_400_000;

/**
 * What is added to the numbers of customers as of a day. Each week has customers of its own: as of another one the
 * same people would show the same signs, and all of them would have had their offer already.
 */
function firstNumber(asOf: Date): number {
  const weeks = Math.floor((asOf.getTime() - FIRST_WEEK) / WEEK_MS);
  return 100_000 * (((weeks % 1000) + 1000) % 1000);
}

/** SQL of the id under which the warehouse knows the customer of a number. */
export const idOf = (number: string, asOf: Date) => `printf('C%07d', ${number} + ${firstNumber(asOf)})`;

/**
 * Customers [from, to), with what is known of them and what is not. Until they are written into the warehouse their
 * number stands for their id, since texts take longer to compare.
 */
export function people(from: number, to: number): string {
  return `
    -- Numbers from a function come in one thread only, those of a table in many.
    CREATE OR REPLACE TEMP TABLE numbers AS SELECT i FROM range(${from}, ${to}) AS numbers(i);
    CREATE OR REPLACE TEMP TABLE people AS
    WITH drawn AS (
      SELECT i,
        i AS customer_id,
        even_2(i) AS tier_draw,
        even_1(i) AS archetype_draw,
        even_3(i) < ${PILOT_SHARE} AS pilot_arm,
        even_4(i) < ${LOYALTY_SHARE} AS loyalty_club,
        -546.0 + 637.0 * even_5(i) AS turning_day,
        ${drawnColumns(DRAWS)},
        jumped(start, ${jump(STREAMS.weeks)}) AS week_stream,
        jumped(start, ${jump(STREAMS.offers)}) AS offer_stream,
        jumped(start, ${jump(STREAMS.hazard)}) AS hazard_stream,
        jumped(start, ${jump(STREAMS.future)}) AS future_stream
      FROM (SELECT i, start_of(i) AS start FROM numbers)
    ),
    typed AS (
      SELECT *,
        ${tier} AS tier,
        tier_draw >= ${LOWER_TIERS} AS upper_tier,
        CASE WHEN tier_draw >= ${LOWER_TIERS} THEN ${archetype(MIX.upper)} ELSE ${archetype(MIX.lower)} END AS archetype,
        ${marketplace} AS marketplace
      FROM drawn
    ),
    placed AS (
      SELECT typed.*, home.currency,
        home.zones[1 + floor(zone_draw ** 1.5 * len(home.zones))::INTEGER] AS timezone, home.locale
      FROM typed JOIN (VALUES
        ('US', 'USD', 'en-US', ['America/New_York', 'America/Chicago', 'America/Los_Angeles', 'America/Denver']),
        ('UK', 'GBP', 'en-GB', ['Europe/London']),
        ('DE', 'EUR', 'de-DE', ['Europe/Berlin']),
        ('FR', 'EUR', 'fr-FR', ['Europe/Paris']),
        ('JP', 'JPY', 'ja-JP', ['Asia/Tokyo']),
        ('IN', 'INR', 'en-IN', ['Asia/Kolkata']),
        ('BR', 'BRL', 'pt-BR', ['America/Sao_Paulo', 'America/Manaus']),
        ('AU', 'AUD', 'en-AU', ['Australia/Sydney', 'Australia/Brisbane', 'Australia/Perth'])
      ) AS home(marketplace, currency, locale, zones) USING (marketplace)
    )
    SELECT i, customer_id, tier, upper_tier, archetype, marketplace, currency, timezone, locale,
      pilot_arm AND upper_tier AS pilot_arm, loyalty_club,
      verified_draw >= 0.025 AS verified,
      ${accountStatus} AS account_status,
      ${subscriptionStatus} AS subscription_status,
      -- Customers who turn joined long enough before it for their habits to be known.
      CASE WHEN archetype IN ('lapsing', 'drifting')
        THEN least(-1.0, turning_day - 95.0 - 1700.0 * joined_draw ** 1.5)
        ELSE -20.0 - 2180.0 * joined_draw END::INTEGER AS joined_day,
      clamp(exp(ln(6.0) + 0.42 * deviate(logins_draw)), 2.6, 21.0) AS usual_logins,
      CASE WHEN archetype = 'occasional' THEN 0.35 + 0.6 * orders_draw
        ELSE clamp(exp(ln(2.3) + 0.35 * deviate(orders_draw)), 1.5, 6.0) END AS usual_orders,
      clamp(0.55 + 0.17 * deviate(features_draw), 0.15, 0.95) AS usual_features,
      clamp(0.42 + 0.22 * deviate(taste_draw), 0.02, 0.95) AS discount_taste,
      CASE tier WHEN 'basic' THEN 13.0 WHEN 'standard' THEN 21.0 WHEN 'premium' THEN 36.0 ELSE 58.0 END
        * (0.7 + 0.6 * amount_draw) AS usual_amount,
      CASE WHEN archetype IN ('lapsing', 'drifting') THEN turning_day ELSE 1e9 END AS turning_day,
      CASE archetype WHEN 'lapsing' THEN 0.68 + 0.28 * depth_draw ELSE 0.15 + 0.1 * depth_draw END
        AS depth,
      CASE archetype WHEN 'lapsing' THEN 5.0 + 8.0 * pace_draw ELSE 45.0 END AS pace,
      CASE WHEN tier_draw >= ${LOWER_TIERS} THEN 280.0 ELSE 120.0 END + 90.0 * recovery_draw AS recovery_days,
      archetype = 'lapsing' AND trouble_draw < 0.5 AS trouble,
      archetype = 'lapsing' AND research_draw < 0.45 AS looks_around,
      deviate(frailty_draw) AS frailty,
      -- 4.5 % refuse retention offers, each since some day of the last four years.
      CASE WHEN refusal_draw < 0.045 THEN floor(-1460.0 * refusal_day_draw)::INTEGER END AS refusal_day,
      floor(84.0 * pilot_phase_draw)::INTEGER AS pilot_phase,
      floor(84.0 * loyalty_phase_draw)::INTEGER AS loyalty_phase,
      visit_draw, visit_day_draw, week_stream, offer_stream, hazard_stream, future_stream
    FROM placed`;
}
