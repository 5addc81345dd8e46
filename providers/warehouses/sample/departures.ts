import { hazardOf } from './behaviour.ts';

/** Thirteen weeks are three steps of 30⅓ days; the history is fifteen of them, 65 weeks. */
const STEP_DAYS = 91 / 3;
/** The same for SQL, where a number without an exponent would be a decimal. */
const STEP = `${STEP_DAYS}e0`;
const HISTORY_STEPS = 15;

/** No frailty lifts the hazard of a step over this before a customer turns: 0.012 / 3 · exp(0.2 · 12.7). */
const CALM_HAZARD = '0.051e0';

export const HAZARD_JUMPS = { table: 'hazard_jumps', steps: HISTORY_STEPS + 1, columns: ['cancel', 'day'] } as const;

/** Hazard of a step whose middle is `day`, a third of the quarterly one. */
const stepHazard = (day: string) => `(${hazardOf(day, 'person')} / 3.0)`;

/**
 * `departures`: for each customer, the day of the cancellation within the history, or null. In each step the
 * customer cancels with the probability that the hazard gives, as the newest pilot offer has changed it.
 */
export const DEPARTURES = `
  CREATE OR REPLACE TEMP TABLE departures AS
  WITH steps AS (
    SELECT people.*, unnest(range(0, least(${HISTORY_STEPS}, -joined_day // 30)))::INTEGER AS step FROM people
  ),
  drawn AS (
    SELECT steps.*, -(step + 0.5e0) * ${STEP} AS middle, jump_day, draw(hazard_stream, jump_cancel) AS luck
    FROM steps JOIN ${HAZARD_JUMPS.table} USING (step)
  ),
  middles AS (
    SELECT i, step, middle, jump_day, hazard_stream, pilot_arm, pilot_phase, luck, ${stepHazard('middle')} AS hazard
    FROM drawn AS person
    -- Before the turning day the hazard of a step is below ${CALM_HAZARD}: of most it need not be known.
    WHERE middle > turning_day OR luck < ${CALM_HAZARD}
  ),
  -- Offers only ever lower the hazard: whose luck holds without one needs no look at them.
  unlucky AS (
    SELECT i, step, luck, hazard,
      CASE WHEN pilot_arm THEN greatest(0, ceil((-middle - 1 - pilot_phase) / 84e0))::INTEGER END AS cycle,
      floor((-step - 1 + draw(hazard_stream, jump_day)) * ${STEP})::INTEGER AS day
    FROM middles WHERE luck < 1e0 - exp(-hazard)
  ),
  firsts AS (
    SELECT i, min_by(day, -step) AS departed_day
    FROM unlucky LEFT JOIN pilot_offers AS offer USING (i, cycle)
    WHERE luck < 1e0 - exp(-hazard * (1e0 - coalesce(offer.effect, 0e0)))
    GROUP BY i
  )
  SELECT people.i, CASE WHEN departed_day > joined_day THEN departed_day END AS departed_day
  FROM people LEFT JOIN firsts USING (i)`;

/** True probability of cancelling without any offer in the 90 days after a quarter's boundary, `quarters` ago. */
export const trueProbability = (quarters: number) =>
  `(1.0 - exp(-90.0 / 91.0 * (${[2.5, 1.5, 0.5]
    .map((step) => stepHazard(`${(3 - step - quarters * 3) * STEP_DAYS}e0`))
    .join(' + ')})))`;
