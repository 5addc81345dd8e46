import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openEngine } from '../columns/engine.ts';
import { interruptible } from '../columns/interruption.ts';
import { HoldfastError } from '../errors.ts';
import type { Database } from '../postgres/database.ts';
import { deleteDecisions, keepDecisions } from '../postgres/decisions.ts';
import { deleteExpiredCandidates, earlierClock } from '../postgres/expired.ts';
import { claimRun, publishBatch } from '../postgres/publish.ts';
import { copyCandidates, deleteCandidates } from '../postgres/store-candidates.ts';
import { transaction } from '../postgres/transaction.ts';
import type { Stage, StageContext, StageResult } from '../run/stage.ts';
import { writeCandidateCsv } from './candidate-csv.ts';
import { inStage } from './failure.ts';
import { inputOf } from './row-by-row.ts';

const DAY_MS = 86_400_000;

/**
 * Stores the decisions as candidates and in the history, and makes them the program's current batch: all in one
 * transaction, so a reader sees the batch before or this one, whole. Repeating it leaves one state; what an older
 * attempt still tries to write is refused. Candidates live `candidateTTLDays` from now, as the use case has it.
 * @throws HF_ARTIFACT_CORRUPT when Postgres took another number of rows than the artifact has
 * @throws HF_DATA_LOCKED, HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED, HF_DISK_FULL, HF_INTERRUPTED
 */
export const store: Stage = async (context) => {
  const { folder, manifest } = inputOf(context, 'offer');
  const rows = manifest.parts.find(({ path }) => path === 'decisions.parquet')?.rows;
  if (rows === undefined)
    throw new HoldfastError('HF_ARTIFACT_CORRUPT', 'The artifact of the stage offer has no decisions.parquet.');
  const { database } = context;
  if (context.dryRun || database === undefined) return result(rows, rows);
  const csv = join(context.scratchFolder, 'candidates.csv');
  try {
    await inStage('store', () => writeCsv(context, join(folder, 'decisions.parquet'), csv));
    const stored = await load(context, database, csv, rows);
    return { ...result(rows, stored), ...(await expire(context, database)) };
  } finally {
    await rm(csv, { force: true });
  }
};

async function writeCsv(context: StageContext, decisions: string, csv: string): Promise<void> {
  const { identity, program, resources, scratchFolder, signal } = context;
  const createdAt = context.now();
  const expiresAt = new Date(createdAt.getTime() + program.candidateTTLDays * DAY_MS);
  await using engine = await openEngine({ ...resources, scratchFolder });
  await interruptible(engine, signal, () =>
    writeCandidateCsv(engine, decisions, { ...identity, createdAt, expiresAt }, csv),
  );
}

async function load(context: StageContext, database: Database, csv: string, rows: number): Promise<number> {
  const { identity, signal } = context;
  const bytes = (await stat(csv)).size;
  return transaction(database, { doing: 'store the candidates', unlimited: true, signal }, async (client) => {
    await claimRun(client, identity);
    await deleteCandidates(client, identity);
    await deleteDecisions(client, identity, identity.slot);
    const report = (sent: number) => context.progress(Math.floor((sent / bytes) * rows), rows);
    const stored = await copyCandidates(client, readMeasured(csv, report));
    const kept = await keepDecisions(client, identity);
    if (stored !== rows || kept !== rows) {
      throw new HoldfastError(
        'HF_ARTIFACT_CORRUPT',
        `Postgres took ${stored} candidates and ${kept} decisions of ${rows}; nothing was stored.`,
      );
    }
    await publishBatch(client, identity, context.now());
    context.progress(rows, rows);
    return stored;
  });
}

/**
 * Deletes candidates past their time, so that a program which is never pruned does not grow. It comes after the batch is
 * published and in small transactions: the publishing one holds its locks no longer for it, and a failure here takes
 * nothing from a batch that everybody sees already.
 */
async function expire(context: StageContext, database: Database): Promise<Pick<StageResult, 'warnings'>> {
  const { identity, signal } = context;
  try {
    await deleteExpiredCandidates(database, identity, await earlierClock(database, context.now()), { signal });
    return {};
  } catch (error) {
    const why = error instanceof HoldfastError ? error.code : 'HF_INTERNAL';
    return { warnings: [`The batch is published; candidates past their time were not all deleted (${why}).`] };
  }
}

function result(rows: number, stored: number): StageResult {
  return { rowsIn: rows, rowsOut: stored, counts: { candidates: stored, decisions: stored } };
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
