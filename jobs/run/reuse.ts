import { HoldfastError } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import { told, type Warning } from '../../contract/warning.ts';
import type { Database } from '../../database/client/database.ts';
import { hasHistoryChanged } from '../../database/runs/changed-history.ts';
import { findRun, type RunRecord, recordStage, recordWarnings, type StageReport } from '../../database/runs/runs.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import type { ArtifactStore } from '../../providers/artifacts/store.ts';

/** A run that is to go on where another one ended. */
export interface Retry {
  readonly database: Database;
  readonly artifacts: ArtifactStore;
  /** The retry itself, as it was recorded. */
  readonly run: RunRecord;
  /** The run that it is a retry of. */
  readonly of: {
    readonly run: string;
    /** Uid of its object; undefined on a laptop. */
    readonly runUid: string | undefined;
  };
  /** Stages of the pipeline, in order. */
  readonly stages: readonly string[];
  /** The first stage that is done again; the first that is not there, unless given. */
  readonly fromStage: string | undefined;
}

/** A stage of another run that need not be done again. */
export interface ReusedStage {
  readonly report: StageReport;
  readonly artifact: ArtifactReference;
  /** What it warned of, which holds for the retry, too. */
  readonly warnings: readonly Warning[];
}

/** What a retry need not do again, and why no more of it. */
export interface Reused {
  readonly stages: readonly ReusedStage[];
  /** Why the stage after them is done again, though the run before had got further; a sentence. */
  readonly because?: string;
}

/**
 * Makes what a run committed before it failed the retry's own, stage by stage, and records that: the retry then finds these
 * stages done. May be repeated at any time. The last stage, which makes the result known, is always done again.
 * @throws HF_RETRY_REFUSED when a stage before `fromStage` cannot be reused
 */
export async function reuseStages(retry: Retry): Promise<Reused> {
  const reused = await reuseWhole(retry);
  await recordWarnings(retry.database, retry.run, notReused(reused));
  return reused;
}

/** Why not all is reused, as a warning of the retry. */
export function notReused({ because }: Reused): readonly Warning[] {
  return told('NOT_REUSED', because === undefined ? [] : [because]);
}

async function reuseWhole(retry: Retry): Promise<Reused> {
  const { database, run, of, stages, fromStage } = retry;
  const end = mostReused(stages, fromStage);
  if (end === 0) return { stages: [] };
  const original = await findRun(database, { ...run, run: of.run });
  // What was reused before is, whatever has changed since: the process may have ended in between.
  const begun = original !== undefined && run.stages.length > 0;
  const unfit = begun ? undefined : await whyUnfit(retry, original);
  if (original === undefined || unfit !== undefined) return orRefused(retry, { stages: [], because: unfit ?? '' });
  const reused: ReusedStage[] = [];
  for (const stage of stages.slice(0, end)) {
    // It was done here meanwhile, and later stages may have read it.
    if (run.stages.some(({ name, reusedFrom }) => name === stage && reusedFrom === undefined))
      return { stages: reused };
    const next = await reuseStage(retry, original, stage);
    if (next === undefined) break;
    if (typeof next === 'string') return orRefused(retry, { stages: reused, because: next });
    reused.push(next);
  }
  return reused.length < end ? orRefused(retry, { stages: reused }) : { stages: reused };
}

/** How many stages may be reused. */
function mostReused(stages: readonly string[], fromStage: string | undefined): number {
  if (fromStage === undefined) return stages.length - 1;
  const index = stages.indexOf(fromStage);
  if (index >= 0) return index;
  const sentence = `there is no stage ${fromStage} to begin from: the stages are ${stages.join(', ')}`;
  throw new HoldfastError('HF_RETRY_REFUSED', sentence);
}

/** Why nothing of a run may be reused; undefined where it may. */
async function whyUnfit({ database, run, of }: Retry, original: RunRecord | undefined): Promise<string | undefined> {
  if (original === undefined) return `there is no record of ${of.run}`;
  if (original.runUid !== of.runUid) return `the record of ${of.run} is that of another run of this name`;
  if (original.pipeline !== run.pipeline) return `${of.run} is a run of ${original.pipeline}`;
  if (original.slot.getTime() !== run.slot.getTime()) return `${of.run} is as of ${rfc3339(original.slot)}`;
  if (original.revision !== run.revision) return `${of.run} was pinned to another revision, ${original.revision}`;
  if (await hasHistoryChanged(database, original)) {
    return `since ${of.run} began, a batch of an earlier slot was published or discarded, by which caps count`;
  }
  return undefined;
}

/** The stage as the retry's own, or why it cannot be; undefined where the run did not get so far. */
async function reuseStage(
  { database, artifacts, run }: Retry,
  original: RunRecord,
  stage: string,
): Promise<ReusedStage | string | undefined> {
  const made = original.stages.find(({ name }) => name === stage);
  if (made?.artifact === undefined) return undefined;
  try {
    const artifact = await artifacts.adopt(keyOf(original, stage), keyOf(run, stage), made.artifact);
    const report = { ...made, seconds: 0, reusedFrom: original.run };
    const warnings = original.warnings.filter((warning) => warning.stage === stage);
    await recordStage(database, run, report, warnings);
    return { report, artifact, warnings: warnings.map(({ code, message }) => ({ code, message })) };
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'HF_ARTIFACT_CORRUPT') return error.message;
    throw error;
  }
}

function keyOf({ namespace, owner, run, attempt }: RunRecord, stage: string): ArtifactReference['key'] {
  return { namespace, owner, run, stage, attempt };
}

/** What can be reused, where that is enough. */
function orRefused({ of, stages, fromStage }: Retry, reused: Reused): Reused {
  if (fromStage === undefined) return reused;
  const missing = stages.slice(reused.stages.length, stages.indexOf(fromStage)).join(', ');
  const why = reused.because === undefined ? `${of.run} did not get so far` : reused.because;
  throw new HoldfastError(
    'HF_RETRY_REFUSED',
    `the retry cannot begin from the stage ${fromStage}: it needs ${missing} of ${of.run}, and ${withoutStop(why)}; leave the stage out, and what is missing is done again`,
  );
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '');
}
