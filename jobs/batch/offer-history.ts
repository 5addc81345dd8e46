import { type Engine, identifier, literal, timestamp } from '../../base/duckdb/engine.ts';
import { customerIdInDuckdb } from '../../customers/columns/customer-id.ts';
import { OFFER_HISTORY_COLUMNS, OFFER_HISTORY_DAYS } from '../../customers/filters/filter.ts';

export interface OfferHistoryRequest {
  /** Parquet file of past offers: customer_id, program_id, offered_at (UTC). */
  readonly pastOffers: string;
  /** CSV file with header and the same columns, of what Holdfast itself decided; absent without a database. */
  readonly decisions: string | undefined;
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

/** Past offers that count for a batch, from the warehouse and from Holdfast itself. */
export interface PastOffers {
  /** SELECT of each: customer_id, program_id, offered_at (UTC). */
  readonly counted: string;
  /** SQL that is true of an offer of the program itself, up to the slot. */
  readonly isOwn: string;
  /** Makes the table `offer_history` of the customers whose `customer_id` a SELECT gives. */
  readonly history: (customers: string) => Promise<void>;
}

/** Opens the past offers for a batch; reads Holdfast's own, once, into the table `decided_offers`. */
export async function openPastOffers(engine: Engine, request: OfferHistoryRequest): Promise<PastOffers> {
  const { slot, until = slot, pastOffers, decisions } = request;
  const past = `SELECT customer_id, program_id, offered_at FROM read_parquet(${literal(pastOffers)})`;
  // Decisions for the slot itself are other programs'; a warehouse that knows offers of the slot knows our future.
  const sources = [`${past} WHERE offered_at < ${timestamp(slot)}`];
  if (decisions !== undefined) {
    await engine.run(`CREATE OR REPLACE TEMP TABLE decided_offers AS ${decisionsSource(decisions)}`);
    sources.push('FROM decided_offers');
  }
  const counted = `SELECT customer_id, program_id, offered_at FROM (${sources.join(' UNION ALL ')})
    WHERE offered_at <= ${timestamp(until)} AND offered_at >= ${timestamp(offersSince(slot))}`;
  const programs = request.programs.map(literal).join(', ');
  const isOwn = `(offered_at <= ${timestamp(slot)} AND program_id IN (${programs}))`;
  return {
    counted,
    isOwn,
    history: (customers) => createOfferHistory(engine, `${counted} AND customer_id IN (${customers})`, isOwn, request),
  };
}

/**
 * Makes the table `offer_history`: per customer with an offer, the columns of OFFER_HISTORY_COLUMNS.
 * An offer that both sources know is one offer: a program makes a customer at most one a day (in UTC). An offer
 * exactly 90 days old has left the rolling quarter.
 */
async function createOfferHistory(
  engine: Engine,
  counted: string,
  isOwn: string,
  { slot, timeZone }: Pick<OfferHistoryRequest, 'slot' | 'timeZone'>,
): Promise<void> {
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE offer_history AS
     WITH clock AS (
       SELECT ${timestamp(slot)} AS slot, date_trunc('quarter', timezone($1::VARCHAR, timezone('UTC', ${timestamp(slot)}))) AS local_quarter
     ), offers AS (
       SELECT customer_id, program_id, max(offered_at) AS offered_at FROM (${counted})
       GROUP BY customer_id, program_id, date_trunc('day', offered_at)
     )
     SELECT customer_id,
       min(date_sub('day', offered_at, slot)) FILTER (${isOwn})::INTEGER AS ${identifier(daysSinceProgramOffer)},
       count(*) FILTER (offered_at > slot - INTERVAL ${ROLLING_QUARTER_DAYS} DAY
         AND offered_at < slot + INTERVAL ${ROLLING_QUARTER_DAYS} DAY)::INTEGER AS ${identifier(offersRollingQuarter)},
       count(*) FILTER (offered_at >= ${utc('local_quarter')}
         AND offered_at < ${utc('local_quarter + INTERVAL 3 MONTH')})::INTEGER AS ${identifier(offersCalendarQuarter)}
     FROM offers, clock GROUP BY customer_id`,
    [timeZone],
  );
}

/** A local time of the program's zone as the instant that it is, in UTC. */
function utc(local: string): string {
  return `timezone('UTC', timezone($1::VARCHAR, ${local}))`;
}

function decisionsSource(file: string): string {
  const columns = `{'customer_id': 'VARCHAR', 'program_id': 'VARCHAR', 'offered_at': 'TIMESTAMPTZ'}`;
  const format = `header = true, delim = ',', quote = '"', escape = '"', auto_detect = false, columns = ${columns}`;
  // What was decided before there was one rule for ids is found all the same.
  const { id } = customerIdInDuckdb('customer_id', 'VARCHAR');
  return `SELECT ${id} AS customer_id, program_id, timezone('UTC', offered_at) AS offered_at FROM read_csv(${literal(file)}, ${format})`;
}
