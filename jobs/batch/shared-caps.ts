import { join } from 'node:path';
import { type Engine, identifier, literal } from '../../base/duckdb/engine.ts';
import { parquetColumns, writeParquet } from '../../base/duckdb/parquet.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import { columnsOf } from '../../customers/filters/columns.ts';
import { OFFER_HISTORY_COLUMNS } from '../../customers/filters/filter.ts';
import { applyChain, type ChainOutcome, chainInOrder } from '../../customers/filters/filter-chain.ts';
import { type ChainedFilter, predicateOf } from '../../customers/filters/resolve.ts';
import { inputOf } from '../run/parts.ts';
import type { BatchContext } from './batch-stage.ts';
import { openPastOffers } from './offer-history.ts';

/** What other programs decide while this one's batch is made. */
const SHARED_COLUMNS = [OFFER_HISTORY_COLUMNS.offersRollingQuarter, OFFER_HISTORY_COLUMNS.offersCalendarQuarter];

/** The filters that ask what other programs decided, whatever their type. */
export function sharedCaps(program: RetentionProgramSpec): ChainedFilter[] {
  return chainInOrder(program).filter((filter) => {
    const columns = columnsOf(predicateOf(filter, program));
    return SHARED_COLUMNS.some((column) => columns.has(column));
  });
}

/** A CSV of decisions with a header, and up to when they go. */
export interface DecidedSince {
  readonly decisions: string;
  readonly until: Date;
  /** CSV without a header of the customers whom this very attempt has stored before: they stay, and nobody else. */
  readonly stored: string | undefined;
}

/** Asks the shared caps once more about the customers of a batch. */
export type AskAgain = (since: DecidedSince) => Promise<ChainOutcome>;

/**
 * Prepares to ask the shared caps of a program once more: sets apart what they read of the batch as it was extracted, so that
 * what is left to do under a lock is short. Undefined for a program without such caps.
 */
export async function prepareSharedCaps(
  engine: Engine,
  context: BatchContext,
  decisions: string,
): Promise<AskAgain | undefined> {
  const { identity, spec: program, scratchFolder } = context;
  const filterChain = sharedCaps(program);
  if (filterChain.length === 0) return undefined;
  const extracted = inputOf(context, 'extract').folder;
  const candidates = join(extracted, 'candidates.parquet');
  const read = filterChain.flatMap((filter) => [...columnsOf(predicateOf(filter, program))]);
  const needed = (await parquetColumns(engine, candidates))
    .map(({ name }) => name)
    .filter((name) => name === 'customer_id' || read.includes(name));
  const batch = join(scratchFolder, 'batch.parquet');
  await writeParquet(
    engine,
    `SELECT ${needed.map(identifier).join(', ')} FROM read_parquet(${literal(candidates)})
     SEMI JOIN (SELECT customer_id FROM read_parquet(${literal(decisions)})) USING (customer_id) ORDER BY customer_id`,
    batch,
  );
  return async ({ decisions: decided, until, stored }) => {
    const { history } = await openPastOffers(engine, {
      pastOffers: join(extracted, 'offers.parquet'),
      decisions: decided,
      slot: identity.slot,
      until,
      programs: [...new Set([identity.owner, program.programId])],
      timeZone: program.timeZone,
    });
    const amended = async () => {
      if (stored !== undefined) await keepOnly(engine, stored);
    };
    return applyChain(engine, { ...program, filterChain }, batch, { history, amended });
  };
}

/** A repetition decides as the first time, whatever others have decided since, knowing of it. */
async function keepOnly(engine: Engine, stored: string): Promise<void> {
  await engine.run(
    `UPDATE verdicts SET failed = CASE WHEN customer_id IN (
       FROM read_csv(${literal(stored)}, header = false, delim = ',', quote = '"', escape = '"', auto_detect = false,
         columns = {'customer_id': 'VARCHAR'})) THEN NULL ELSE COALESCE(failed, 0) END`,
  );
}
