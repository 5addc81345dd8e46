import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Engine, literal } from '../../base/duckdb/engine.ts';
import { texts } from '../../base/duckdb/vectors.ts';
import { HoldfastError } from '../../base/errors.ts';
import type { Counts } from '../../contract/counts.ts';
import { told } from '../../contract/warning.ts';
import type { ChainOutcome } from '../../customers/filters/filter-chain.ts';
import { claimRun, isPublished, publishBatch, recordStrategy } from '../../database/batches/publish.ts';
import { copyCandidates, deleteCandidates, deleteCustomers } from '../../database/candidates/store-candidates.ts';
import type { Database } from '../../database/client/database.ts';
import { type Connection, transaction } from '../../database/client/transaction.ts';
import {
  deleteDecisions,
  keepDecisions,
  writeDecisions,
  writeStoredCustomers,
} from '../../database/decisions/decisions.ts';
import { deleteExpiredCandidates, earlierClock } from '../../database/expiry/expired-candidates.ts';
import { lockCaps } from '../../database/locks/cap-lock.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { inStage, withEngine } from '../run/in-stage.ts';
import { inputOf, type Parts, writeParts } from '../run/parts.ts';
import type { StageResult } from '../run/stage.ts';
import type { BatchContext, BatchStage } from './batch-stage.ts';
import { writeCandidateCsv } from './candidate-csv.ts';
import { countDecisions } from './decision-counts.ts';
import { offersSince } from './offer-history.ts';
import { termsByRiskLevel } from './offer-terms.ts';
import { type AskAgain, prepareSharedCaps } from './shared-caps.ts';

const DAY_MS = 86_400_000;

export interface StoreOptions {
  /** Longest wait, in milliseconds, for other programs of the namespace to store their batches. */
  readonly lockWaitMs: number;
}

/**
 * Stores the decisions as candidates and in the history, and makes them the program's current batch: all in one
 * transaction, so a reader sees the batch before or this one, whole. Caps that hold across programs are asked once more in
 * it, under a lock of the namespace: whom other programs decided on meanwhile falls out. Repeating it leaves one state; what
 * an older attempt still tries to write is refused. Candidates live `candidateTTLDays` from now, as the use case has it.
 * Parts: `decisions.parquet`, those that were stored, and `removed.parquet`, who fell out, where the program has such caps.
 * @throws HF_ARTIFACT_CORRUPT when Postgres took another number of rows than the artifact has
 * @throws HF_DATA_LOCKED, HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED, HF_DISK_FULL, HF_INTERRUPTED
 */
export function storeStage(options: StoreOptions): BatchStage {
  return async (context) => {
    const offered = inputOf(context, 'offer');
    const { database } = context;
    const rows = rowsOf(offered);
    if (context.dryRun || database === undefined) {
      return { rowsIn: rows, rowsOut: rows, counts: { candidates: rows, decisions: rows } };
    }
    try {
      const stored = await writeParts(context, 'store', (parts) =>
        withEngine(context, 'store', (engine) =>
          storeBatch({ context, database, engine, parts, offered, rows, options }),
        ),
      );
      return { rowsIn: rows, ...stored, ...(await expire(context, database)) };
    } finally {
      for (const file of SCRATCH_FILES) await rm(join(context.scratchFolder, file), { force: true });
    }
  };
}

/** The stage with a wait that ends well before a task's deadline. */
export const store: BatchStage = storeStage({ lockWaitMs: 600_000 });

const SCRATCH_FILES = ['candidates.csv', 'batch.parquet', 'decisions.csv', 'stored.csv'] as const;

interface Storing {
  readonly context: BatchContext;
  readonly database: Database;
  readonly engine: Engine;
  readonly parts: Parts;
  readonly offered: ArtifactReference;
  /** Rows of the decisions that were offered. */
  readonly rows: number;
  readonly options: StoreOptions;
}

function rowsOf({ manifest }: ArtifactReference): number {
  const rows = manifest.parts.find(({ path }) => path === 'decisions.parquet')?.rows;
  if (rows !== undefined) return rows;
  throw new HoldfastError('HF_ARTIFACT_CORRUPT', 'The artifact of the stage offer has no decisions.parquet.');
}

async function storeBatch(storing: Storing): Promise<Pick<StageResult, 'rowsOut' | 'counts' | 'artifact'>> {
  const { context, database, engine, offered, rows } = storing;
  const { identity, scratchFolder, signal } = context;
  const decisions = join(offered.folder, 'decisions.parquet');
  const csv = join(scratchFolder, 'candidates.csv');
  const askAgain = await inStage('store', async () => {
    await writeCsv(engine, context, decisions, csv);
    // A backfill is no part of anybody's history, and made as of its slot.
    return identity.trigger === 'backfill' ? undefined : prepareSharedCaps(engine, context, decisions);
  });
  return transaction(database, { doing: 'store the candidates', unlimited: true, signal }, async (client) => {
    await claimRun(client, identity);
    const before = (await isPublished(client, identity)) ? join(scratchFolder, 'stored.csv') : undefined;
    if (before !== undefined) await writeStoredCustomers(client, identity, before);
    await deleteCandidates(client, identity);
    await deleteDecisions(client, identity, identity.slot);
    await copyIn(client, csv, storing);
    const caps = askAgain && (await askUnderLock(client, askAgain, before, storing));
    if (caps !== undefined) await removeFallen(client, engine, context);
    const kept = await keepDecisions(client, identity);
    const expected = caps?.kept ?? rows;
    if (kept !== expected) {
      throw new HoldfastError(
        'HF_ARTIFACT_CORRUPT',
        `Postgres took ${kept} decisions of ${expected}; nothing was stored.`,
      );
    }
    await recordStrategy(client, identity, termsByRiskLevel(context.spec.offerStrategy).length > 0);
    await publishBatch(client, identity, context.now());
    const artifact = await inStage('store', () => commitArtifact(storing, decisions, caps));
    context.progress(rows, rows);
    return { rowsOut: kept, counts: artifact.manifest.counts, artifact };
  });
}

async function writeCsv(engine: Engine, context: BatchContext, decisions: string, csv: string): Promise<void> {
  const { identity, spec: program } = context;
  const createdAt = context.now();
  const expiresAt = new Date(createdAt.getTime() + program.candidateTTLDays * DAY_MS);
  await writeCandidateCsv(engine, decisions, { ...identity, createdAt, expiresAt }, csv);
}

async function copyIn(client: Connection, csv: string, { context, rows }: Storing): Promise<void> {
  const bytes = (await stat(csv)).size;
  const report = (sent: number) => context.progress(Math.floor((sent / bytes) * rows), rows);
  const stored = await copyCandidates(client, readMeasured(csv, report));
  if (stored === rows) return;
  throw new HoldfastError('HF_ARTIFACT_CORRUPT', `Postgres took ${stored} candidates of ${rows}; nothing was stored.`);
}

/** Asks the caps about the batch, knowing of all that other programs have committed; none of them commits meanwhile. */
async function askUnderLock(
  client: Connection,
  askAgain: AskAgain,
  stored: string | undefined,
  { context, database, options }: Storing,
): Promise<ChainOutcome> {
  const { identity, now, scratchFolder } = context;
  const { namespace, owner, slot } = identity;
  await lockCaps(client, namespace, options.lockWaitMs);
  // What was decided for a slot that is yet to come, by a clock that was wrong, counts for nobody.
  const clock = await earlierClock(database, now());
  const until = clock < slot ? slot : clock;
  const decisions = join(scratchFolder, 'decisions.csv');
  await writeDecisions(client, { namespace, program: owner, since: offersSince(slot), slot, until }, decisions);
  return inStage('store', () => askAgain({ decisions, until, stored }));
}

/** Takes those who failed a cap out of what was loaded. */
async function removeFallen(client: Connection, engine: Engine, { identity }: BatchContext): Promise<void> {
  for await (const chunk of engine.chunks('SELECT customer_id FROM verdicts WHERE failed IS NOT NULL')) {
    await deleteCustomers(client, identity, texts(chunk, 0));
  }
}

/** What was stored, as files: they say of the batch what Postgres says. */
async function commitArtifact(
  { engine, parts, offered, rows }: Storing,
  decisions: string,
  caps: ChainOutcome | undefined,
): Promise<ArtifactReference> {
  const kept = caps?.kept ?? rows;
  if (kept === rows) await parts.copy(engine, 'decisions.parquet', decisions, rows);
  else await parts.write(engine, 'decisions.parquet', keptOf(decisions));
  if (caps !== undefined) await parts.write(engine, 'removed.parquet', caps.removedRows);
  const named = (key: string) => Object.keys(offered.manifest.counts[key] ?? {});
  const counts: Counts = {
    candidates: kept,
    decisions: kept,
    ...(caps === undefined ? {} : { removed: caps.removed }),
    ...(await countDecisions(engine, parts.path('decisions.parquet'), {
      kinds: named('kinds'),
      tiers: named('tiers'),
    })),
  };
  return parts.commit({ rows: kept, counts });
}

function keptOf(decisions: string): string {
  return `SELECT * FROM read_parquet(${literal(decisions)})
    ANTI JOIN (FROM verdicts WHERE failed IS NOT NULL) USING (customer_id) ORDER BY customer_id`;
}

/**
 * Deletes candidates past their time, so that a program which is never pruned does not grow. It comes after the batch is
 * published and in small transactions: the publishing one holds its locks no longer for it, and a failure here takes
 * nothing from a batch that everybody sees already.
 */
async function expire(context: BatchContext, database: Database): Promise<Pick<StageResult, 'warnings'>> {
  const { identity, signal } = context;
  try {
    const now = await earlierClock(database, context.now());
    await deleteExpiredCandidates(database, identity, now, { signal });
    return {};
  } catch (error) {
    const why = error instanceof HoldfastError ? error.code : 'HF_INTERNAL';
    const sentence = `The batch is published; candidates past their time were not all deleted (${why}).`;
    return { warnings: told('EXPIRED_NOT_DELETED', [sentence]) };
  }
}

/** The file, telling how many of its bytes were taken. */
async function* readMeasured(file: string, report: (sent: number) => void): AsyncIterable<Buffer> {
  let sent = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) {
    yield chunk as Buffer;
    sent += (chunk as Buffer).length;
    report(sent);
  }
}
