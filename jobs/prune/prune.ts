import { told } from '../../contract/warning.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import type { Database } from '../../database/client/database.ts';
import { databaseIdentity, isSameDatabase } from '../../database/client/identity.ts';
import type { Batches } from '../../database/client/in-batches.ts';
import {
  countCandidatesOf,
  countExpiredCandidates,
  countSpentDecisions,
  deleteCandidatesOf,
  deleteExpiredCandidates,
  deleteSpentDecisions,
  earlierClock,
} from '../../database/expiry/expired-candidates.ts';
import { withoutProgram } from '../../database/expiry/retired-program.ts';
import {
  forgetPrunedRuns,
  type RunStanding,
  retireRun,
  retireUnrecorded,
  runStandings,
} from '../../database/expiry/retired-runs.ts';
import type { OwnerKey } from '../../database/runs/runs.ts';
import { countExpiredScores, deleteExpiredScores } from '../../database/scores/cached-scores.ts';
import type { RunFolder } from '../../providers/artifacts/run-folder.ts';
import type { RunFolders } from '../../providers/artifacts/run-folders.ts';
import type { Stage } from '../run/stage.ts';
import { type Pin, pinsOf } from './run-pins.ts';

export type Retention = RetentionProgramSpec['retention'];

export interface PruneRequest extends OwnerKey {
  readonly database: Database;
  readonly folders: RunFolders;
  readonly retention: Retention;
  /** Longest time of one task. */
  readonly deadlineSeconds: number;
  readonly now: Date;
  /** Counts what would go and deletes nothing. */
  readonly dryRun: boolean;
  /** Whether the program is no more: its candidates and artifacts go whatever pins them, its decisions stay as ever. */
  readonly deleted?: boolean;
  /** Aborting ends it between two batches or folders; what is left is for the next time. */
  readonly signal: AbortSignal;
  /** Rows and runs dealt with so far. */
  readonly progress: (done: number) => void;
}

/** What went, or in a dry run what would go. */
export interface Pruned {
  /** Past their time, of every program of the namespace; of a deleted program all. */
  readonly candidates: number;
  readonly decisions: number;
  /** Runs whose artifacts went. */
  readonly runs: number;
  /** Records of runs that went, too: those that no decision refers to. In a dry run they are not counted. */
  readonly records: number;
  /** Folders of runs that no database row knows any more. */
  readonly orphans: number;
  /** Folders that stay because something in them is not ours. */
  readonly foreign: number;
  /** Bytes of the files that went. */
  readonly bytes: number;
  /** Cached scores past their time, of every model of the database. */
  readonly scores: number;
  /** Runs that stay, by why. */
  readonly kept: Readonly<Partial<Record<Pin, number>>>;
}

const DAY_MS = 86_400_000;
/** A folder that no row knows is left alone for so long, or for as long as a task may last: a dry run has no row. */
const ORPHAN_SECONDS = 86_400;

/**
 * Deletes what a program no longer needs: candidates past their time, artifacts of old runs, what no row knows.
 * It may be stopped, repeated, and done twice at once, at any moment and beside runs of the program: each step looks
 * again, under a lock, at what it takes away.
 * @throws HF_INTERRUPTED, HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED, HF_DATA_FOLDER
 */
export async function pruneProgram(request: PruneRequest): Promise<Pruned> {
  const { database, deleted, dryRun, now } = request;
  const prune = () => pruneParts(request);
  return deleted === true && !dryRun ? withoutProgram(database, request, now, prune) : prune();
}

async function pruneParts(request: PruneRequest): Promise<Pruned> {
  const { database, folders, retention, dryRun, signal, progress, deleted = false } = request;
  let done = 0;
  const batches = { signal, progress: (rows: number) => progress((done += rows)) };
  const now = await earlierClock(database, request.now);
  const spent =
    retention.decisionDays === undefined ? undefined : new Date(now.getTime() - retention.decisionDays * DAY_MS);

  const candidates = await pruneCandidates(request, now, batches);
  const runs = await runStandings(database, request, now);
  const pins = deleted ? new Map<string, Pin>() : pinsOf(runs, retention, now);
  const artifacts = await pruneFolders(request, runs, pins, now, () => batches.progress(1));
  const reclaimed = dryRun ? artifacts : await folders.reclaim(request, signal);
  const decisions = dryRun
    ? await countSpentDecisions(database, request, spent)
    : await deleteSpentDecisions(database, request, spent, batches);
  const scores = dryRun ? await countExpiredScores(database, now) : await deleteExpiredScores(database, now, batches);
  const records = dryRun ? 0 : await forgetPrunedRuns(database, request, batches);
  return {
    candidates,
    decisions,
    runs: artifacts.runs,
    records,
    orphans: artifacts.orphans,
    foreign: dryRun ? artifacts.foreign : artifacts.foreign + reclaimed.foreign,
    bytes: reclaimed.bytes,
    scores,
    kept: countBy(pins.values()),
  };
}

function pruneCandidates(
  { database, namespace, owner, dryRun, deleted }: PruneRequest,
  now: Date,
  batches: Omit<Batches, 'doing'>,
): Promise<number> {
  const key = { namespace, owner };
  if (deleted === true) return dryRun ? countCandidatesOf(database, key) : deleteCandidatesOf(database, key, batches);
  return dryRun ? countExpiredCandidates(database, key, now) : deleteExpiredCandidates(database, key, now, batches);
}

interface FoldersPruned {
  runs: number;
  orphans: number;
  foreign: number;
  bytes: number;
}

async function pruneFolders(
  request: PruneRequest,
  runs: readonly RunStanding[],
  pins: ReadonlyMap<string, Pin>,
  now: Date,
  advance: () => void,
): Promise<FoldersPruned> {
  const { database, folders, dryRun, signal } = request;
  const pruned = { runs: 0, orphans: 0, foreign: 0, bytes: 0 };
  const keyOf = (run: string) => ({ namespace: request.namespace, owner: request.owner, run });

  const there = new Set(await folders.list(request));
  const identity = await databaseIdentity(database);
  for (const { run, prunedAt } of runs) {
    // One that was retired before is looked at again only where something is left of it.
    if (pins.has(run) || (prunedAt !== undefined && !there.has(run))) continue;
    const found = await folders.inspect(keyOf(run));
    // Numbers of runs count from 1 in every database: it may be another's run of the same name.
    if (identity !== undefined && found?.database !== undefined && !isSameDatabase(found.database, identity)) continue;
    if (found?.foreign !== undefined) {
      pruned.foreign += 1;
      continue;
    }
    const gone = dryRun || (await retireRun(database, keyOf(run), now, signal, () => folders.setAside(keyOf(run))));
    if (!gone) continue;
    pruned.runs += 1;
    pruned.bytes += found?.bytes ?? 0;
    advance();
  }

  const recorded = new Set(runs.map(({ run }) => run));
  const unrecorded = [...there].filter((run) => !recorded.has(run));
  if (unrecorded.length === 0 || identity === undefined) return pruned;
  for (const run of unrecorded) {
    const found = await folders.inspect(keyOf(run));
    // Without the mark it may belong to a run that another database knows.
    if (found?.database !== identity || !isAbandoned(found, request, now)) continue;
    if (found.foreign !== undefined) {
      pruned.foreign += 1;
      continue;
    }
    const gone = dryRun || (await retireUnrecorded(database, keyOf(run), signal, () => folders.setAside(keyOf(run))));
    if (!gone) continue;
    pruned.orphans += 1;
    pruned.bytes += found.bytes;
    advance();
  }
  return pruned;
}

function isAbandoned({ newest }: RunFolder, { deadlineSeconds }: PruneRequest, now: Date): boolean {
  return newest.getTime() <= now.getTime() - Math.max(ORPHAN_SECONDS, deadlineSeconds) * 1000;
}

function countBy(pins: Iterable<Pin>): Pruned['kept'] {
  const counts: Partial<Record<Pin, number>> = {};
  for (const pin of pins) counts[pin] = (counts[pin] ?? 0) + 1;
  return counts;
}

/**
 * Prunes the program of a run: the one stage of the pipeline `prune`. Rows in are those that went; none go on.
 * @throws as `pruneProgram` does
 */
export const prune: Stage<RetentionProgramSpec> = async (context) => {
  const { identity, spec, database, artifacts, now, dryRun, signal, progress } = context;
  const { namespace, owner } = identity;
  if (database === undefined) return { rowsIn: 0, rowsOut: 0, counts: {} };
  const pruned = await pruneProgram({
    namespace,
    owner,
    database,
    folders: artifacts.runFolders,
    retention: spec.retention,
    deadlineSeconds: spec.execution.deadlineSeconds,
    now: now(),
    dryRun,
    signal,
    progress,
  });
  const { foreign, kept, ...counts } = pruned;
  return {
    rowsIn: pruned.candidates + pruned.decisions + pruned.scores,
    rowsOut: 0,
    counts: { ...counts, foreign, kept },
    ...(foreign > 0 ? { warnings: told('FOREIGN_FILES_KEPT', [foreignWarning(foreign)]) } : {}),
  };
};

/** What a person should do about folders that stay because of what they hold. */
export function foreignWarning(foreign: number): string {
  const [folders, hold] = foreign === 1 ? ['1 folder', 'holds'] : [`${foreign} folders`, 'hold'];
  return `${folders} of old runs ${hold} something that no run wrote, such as a link, and was left alone: look under artifacts/ and move it away`;
}
