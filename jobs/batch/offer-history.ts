import { type Engine, identifier, literal } from '../../base/duckdb/engine.ts';
import { customerIdInDuckdb } from '../../customers/columns/customer-id.ts';
import { OFFER_HISTORY_COLUMNS, OFFER_HISTORY_DAYS } from '../../customers/filters/filter.ts';

export interface OfferHistoryRequest {
  /** Parquet file of past offers: customer_id, program_id, offered_at (UTC). */
  readonly pastOffers: string;
  /** CSV file with header and the same columns, of what Holdfast itself decided; absent without a database. */
  readonly decisions: string | undefined;
  /** SELECT of the `customer_id` of those whom it is asked about (default: everybody). */
  readonly customers?: string;
  readonly slot: Date;
  /** Up to when the decisions go (default: the slot): what others decided since counts in the quarters too. */
  readonly until?: Date;
  /** Names under which the program's own offers are known. */
  readonly programs: readonly string[];
  /** Zone of the calendar quarter. */
  readonly timeZone: string;
}

const { daysSinceProgramOffer, offersRollingQuarter, offersCalendarQuarter } = OFFER_HISTORY_COLUMNS;

const DAY_MS = 86_400_000;

/** From when on offers count for a batch, whoever made them. */
export function offersSince(slot: Date): Date {
  return new Date(slot.getTime() - OFFER_HISTORY_DAYS * DAY_MS);
}

/** Days of a rolling quarter. */
const ROLLING_QUARTER_DAYS = 90;

/**
 * Makes the table `offer_history`: per customer with an offer, the columns of OFFER_HISTORY_COLUMNS.
 * An offer that both sources know is one offer: a program makes a customer at most one a day (in UTC). An offer
 * exactly 90 days old has left the rolling quarter.
 */
export async function createOfferHistory(engine: Engine, request: OfferHistoryRequest): Promise<void> {
  const { slot, until = slot } = request;
  const past = `SELECT customer_id, program_id, offered_at FROM read_parquet(${literal(request.pastOffers)})`;
  // Decisions for the slot itself are other programs'; a warehouse that knows offers of the slot knows our future.
  const sources = [`${past} WHERE offered_at < epoch_ms($1::BIGINT)`];
  if (request.decisions !== undefined) sources.push(decisionsSource(request.decisions));
  const asked = request.customers === undefined ? '' : `AND customer_id IN (${request.customers})`;
  const programs = request.programs.map((_, index) => `$${index + 4}::VARCHAR`);
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE offer_history AS
     WITH clock AS (
       SELECT epoch_ms($1::BIGINT) AS slot, epoch_ms($3::BIGINT) AS until,
         date_trunc('quarter', timezone($2::VARCHAR, timezone('UTC', epoch_ms($1::BIGINT)))) AS local_quarter
     ), offers AS (
       SELECT customer_id, program_id, max(offered_at) AS offered_at
       FROM (${sources.join(' UNION ALL ')}), clock
       WHERE offered_at <= until AND offered_at >= slot - INTERVAL ${OFFER_HISTORY_DAYS} DAY ${asked}
       GROUP BY customer_id, program_id, date_trunc('day', offered_at)
     )
     SELECT customer_id,
       min(date_sub('day', offered_at, slot)) FILTER (offered_at <= slot AND program_id IN (${programs.join(', ')}))::INTEGER
         AS ${identifier(daysSinceProgramOffer)},
       count(*) FILTER (offered_at > slot - INTERVAL ${ROLLING_QUARTER_DAYS} DAY
         AND offered_at < slot + INTERVAL ${ROLLING_QUARTER_DAYS} DAY)::INTEGER AS ${identifier(offersRollingQuarter)},
       count(*) FILTER (offered_at >= ${utc('local_quarter')}
         AND offered_at < ${utc('local_quarter + INTERVAL 3 MONTH')})::INTEGER AS ${identifier(offersCalendarQuarter)}
     FROM offers, clock GROUP BY customer_id`,
    [String(slot.getTime()), request.timeZone, String(until.getTime()), ...request.programs],
  );
}

/** A local time of the program's zone as the instant that it is, in UTC. */
function utc(local: string): string {
  return `timezone('UTC', timezone($2::VARCHAR, ${local}))`;
}

function decisionsSource(file: string): string {
  const columns = `{'customer_id': 'VARCHAR', 'program_id': 'VARCHAR', 'offered_at': 'TIMESTAMPTZ'}`;
  const format = `header = true, delim = ',', quote = '"', escape = '"', auto_detect = false, columns = ${columns}`;
  // What was decided before there was one rule for ids is found all the same.
  const { id } = customerIdInDuckdb('customer_id', 'VARCHAR');
  return `SELECT ${id} AS customer_id, program_id, timezone('UTC', offered_at) FROM read_csv(${literal(file)}, ${format})`;
}
