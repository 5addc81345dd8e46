import { rfc3339Second } from '../../../base/instant.ts';
import { retryRefusal } from '../../../contract/retriable.ts';
import type { RunObject } from '../../kube/objects.ts';
import { reportOf } from './report.ts';
import { isFinal, type RunSnapshot } from './snapshot.ts';
import { type Place, type StageStatus, stagesOf, withStage } from './tasks.ts';

/** Why a run cannot be another try of the one that it names; undefined where it can, or names none. */
export function retryFault({ run, original }: Pick<RunSnapshot, 'run' | 'original'>): string | undefined {
  const { retryOf, programRef, pipeline, slot } = run.spec;
  if (retryOf === undefined) return undefined;
  const { name, uid } = retryOf;
  if (original === undefined || original.metadata.uid !== uid) {
    return `there is no RetentionRun ${name} with the uid ${uid} in this namespace`;
  }
  if (original.spec.programRef.name !== programRef.name) {
    return `the run ${name} is of the program ${original.spec.programRef.name}`;
  }
  if (original.spec.pipeline !== pipeline) return `the run ${name} is of the pipeline ${original.spec.pipeline}`;
  const kind = kindFault(run, original);
  if (kind !== undefined) return `the run ${name} is ${kind}`;
  const { phase = 'Pending' } = original.status ?? {};
  // The API server has looked at the stage that it names.
  const refusal = retryRefusal({ run: name, pipeline, phase, isOver: isFinal(original), dryRun: false }, undefined);
  if (refusal !== undefined) return refusal.message;
  const before = original.status?.slot ?? original.spec.slot;
  return slot === undefined || before === undefined || Date.parse(slot) === Date.parse(before)
    ? undefined
    : `the run ${name} is of the slot ${before}: leave out spec.slot`;
}

/** What the run that is tried again is and this one is not, or the other way round; whoever waits for a batch goes by it. */
function kindFault({ spec }: RunObject, original: RunObject): string | undefined {
  const { trigger, dryRun } = original.spec;
  if (trigger === 'backfill' && spec.trigger !== 'backfill')
    return 'a backfill, and so is its retry: write trigger: backfill';
  if (trigger !== 'backfill' && spec.trigger === 'backfill') return 'no backfill: write trigger: retry';
  if (dryRun !== spec.dryRun) return dryRun ? 'a dry run: write dryRun: true' : 'no dry run: leave out spec.dryRun';
  // Nothing of it is recorded, by which to tell what it had done.
  return dryRun && spec.fromStage !== undefined
    ? 'a dry run, which leaves nothing to go on from: leave out spec.fromStage'
    : undefined;
}

/**
 * The stages once a task has prepared the run: those whose artifacts it took over from the run that this one is another try
 * of are done. It is only what the task says: a stage that is begun all the same finds what it did.
 */
export function withReused(
  snapshot: RunSnapshot,
  { prepares }: Place,
  stages: readonly StageStatus[],
  now: Date,
): readonly StageStatus[] {
  const { run, original, pods } = snapshot;
  const { retryOf } = run.spec;
  if (!prepares || retryOf === undefined) return stages;
  const reused = new Set(reportOf(pods)?.reused ?? []);
  // The last one publishes, which nobody has done for this run.
  const names = stagesOf(snapshot).slice(0, -1);
  return names
    .filter(({ name }) => reused.has(name))
    .reduce((all, { name }) => {
      const known = all.find((stage) => stage.name === name);
      const done: StageStatus = {
        ...known,
        name,
        phase: 'Succeeded',
        completionTime: rfc3339Second(now),
        ...countsOf(original, name),
        message: `reused from ${retryOf.name}`,
      };
      return withStage(all, done);
    }, stages);
}

/** What came of the stage there. */
function countsOf(original: RunObject | undefined, stage: string): Partial<StageStatus> {
  const { rowsIn, rowsOut, counts } = original?.status?.stages?.find(({ name }) => name === stage) ?? {};
  return {
    ...(rowsIn === undefined ? {} : { rowsIn }),
    ...(rowsOut === undefined ? {} : { rowsOut }),
    ...(counts === undefined ? {} : { counts }),
  };
}
