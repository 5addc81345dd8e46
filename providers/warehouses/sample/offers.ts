import { pick } from './draws.ts';

/**
 * Past retention offers. A pilot of the churn-prevention program gave every customer of its arm in the upper tiers
 * one offer each twelve weeks, its kind drawn at random with a logged propensity (`none` is a held-out one); the
 * other arm never had one. The loyalty program gives its club something every twelve weeks, and changes nothing.
 */
const CYCLE_DAYS = 84;
const CYCLES = 6;

/** Propensities of the kinds: of the tier premium, and of premium_plus. */
const PROPENSITIES = [
  ['discount', 0.3, 0.25],
  ['upgrade', 0.25, 0.2],
  ['personal_call', 0.2, 0.3],
  ['none', 0.25, 0.25],
] as const;

const upTo = (kind: number, column: 1 | 2) =>
  PROPENSITIES.slice(0, kind + 1).reduce((sum, propensity) => sum + propensity[column], 0);

const drawnKind = pick(
  'draw(person.offer_stream, jump.jump_kind)',
  PROPENSITIES.slice(0, 3).map(
    ([kind], index) =>
      [kind, `CASE person.tier WHEN 'premium' THEN ${upTo(index, 1)} ELSE ${upTo(index, 2)} END`] as const,
  ),
  'none',
);

const propensity = `CASE offer.kind ${PROPENSITIES.map(
  ([kind, premium, plus]) => `WHEN '${kind}' THEN CASE person.tier WHEN 'premium' THEN ${premium}e0 ELSE ${plus}e0 END`,
).join(' ')} END`;

export const OFFER_JUMPS = { table: 'offer_jumps', steps: CYCLES + 1, columns: ['kind', 'hour'] } as const;

/** `pilot_offers`: one row per customer and cycle of the pilot; step 0 is the newest, before the as-of day. */
export const PILOT_OFFERS = `
  CREATE OR REPLACE TEMP TABLE pilot_offers AS
  SELECT person.i, jump.step AS cycle, -1 - person.pilot_phase - ${CYCLE_DAYS} * jump.step AS offered_day,
    ${drawnKind} AS kind,
    9.0 + 8.0 * draw(person.offer_stream, jump.jump_hour) AS hour,
    CASE kind
      WHEN 'discount' THEN discount_effect(person.discount_taste)
      WHEN 'upgrade' THEN upgrade_effect(offered_day - person.joined_day, person.usual_features)
      WHEN 'personal_call' THEN call_effect(person.trouble, person.usual_amount)
      ELSE 0.0 END AS effect
  FROM people AS person CROSS JOIN ${OFFER_JUMPS.table} AS jump
  WHERE person.pilot_arm AND jump.step < ${CYCLES} AND offered_day > person.joined_day + 1`;

/** Rows of `past_offers` for the chunk, of the newest `weeks`, cut at the cancellation. */
export const pastOffers = (asOfDay: string, weeks: number) => `
  SELECT person.customer_id, 'churn-prevention' AS program_id,
    ${asOfDay}::TIMESTAMP + to_days(offer.offered_day) + to_seconds((floor(offer.hour * 60.0) * 60.0)) AS offered_at,
    offer.kind,
    ${propensity} AS propensity,
    true AS randomised
  FROM pilot_offers AS offer JOIN people AS person USING (i) JOIN departures USING (i)
  WHERE offered_day >= ${-7 * weeks} AND (departed_day IS NULL OR offered_day < departed_day)
  UNION ALL
  SELECT customer_id, 'loyalty-rewards', ${asOfDay}::TIMESTAMP + to_days(loyalty_day) + INTERVAL 12 HOUR,
    'discount', NULL, false
  FROM (
    SELECT customer_id, joined_day, departed_day, unnest([-1 - loyalty_phase - ${CYCLE_DAYS} * c FOR c IN range(${CYCLES})])::INTEGER AS loyalty_day
    FROM people JOIN departures USING (i) WHERE loyalty_club
  )
  WHERE loyalty_day > joined_day + 1 AND loyalty_day >= ${-7 * weeks} AND (departed_day IS NULL OR loyalty_day < departed_day)`;
