import { HoldfastError } from '../../base/errors.ts';
import type { Database } from '../../database/client/database.ts';
import { finishRun, type RunRecord, recordStage } from '../../database/runs/runs.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { openWhole } from '../../providers/artifacts/open-whole.ts';
import type { ArtifactStore } from '../../providers/artifacts/store.ts';
import type { Recorder } from './recorder.ts';
import type { RunIdentity } from './stage.ts';

/** What a pod knows of the run that its task is part of. */
interface PodRun {
  readonly identity: RunIdentity;
  readonly artifacts: ArtifactStore;
  /** Undefined in a dry run, which records nothing. */
  readonly record: RunRecord | undefined;
  readonly database: Database;
  /** Whether the task ends the run. */
  readonly last: boolean;
  readonly now: () => Date;
  readonly warn: (sentence: string) => void;
}

/**
 * Keeps of a run what one of its pods does, in Postgres. Only a failure that lasts is recorded: after any other, the task is
 * tried again.
 */
export function podRecorder({ identity, artifacts, record, database, last, now, warn }: PodRun): Recorder {
  const { namespace, owner, run, attempt } = identity;
  const keyOf = (stage: string) => ({ namespace, owner, run, stage, attempt });
  return {
    async earlier(stage) {
      const report = record?.stages.find(({ name }) => name === stage);
      // The last stage publishes in Postgres, in one transaction; the others make artifacts.
      if (report === undefined || last) return report;
      return (await openWhole(artifacts, keyOf(stage)))?.digest === report.artifact ? report : undefined;
    },
    async input(stage) {
      const input = await artifacts.open(keyOf(stage));
      if (record !== undefined) requireRecorded(record, stage, input);
      return input;
    },
    async stage(report, { warnings = [] }) {
      for (const { message } of warnings) warn(message);
      if (record !== undefined) await recordStage(database, record, report, warnings);
    },
    async finish() {
      if (record !== undefined) await finishRun(database, record, { phase: 'Succeeded', finishedAt: now() });
    },
    async fail({ kind, code, message }) {
      if (record === undefined || kind !== 'terminal') return;
      try {
        await finishRun(database, record, { phase: 'Failed', finishedAt: now(), error: { code, message } });
      } catch (cause) {
        warn(`the failure could not be recorded: ${cause instanceof Error ? cause.message : String(cause)}`);
      }
    },
  };
}

/** @throws HF_ARTIFACT_CORRUPT for another artifact than its stage recorded */
function requireRecorded({ run, stages }: RunRecord, stage: string, { digest }: ArtifactReference): void {
  const recorded = stages.find(({ name }) => name === stage)?.artifact;
  if (recorded === digest) return;
  const what = recorded === undefined ? 'no artifact was recorded' : `the artifact ${recorded} was recorded`;
  throw new HoldfastError(
    'HF_ARTIFACT_CORRUPT',
    `of the stage ${stage} of ${run} ${what}, and another lies there (${digest}): somebody else wrote it; run again under another name`,
  );
}
