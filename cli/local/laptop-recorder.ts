import { HoldfastError } from '../../base/errors.ts';
import type { Counts } from '../../contract/counts.ts';
import type { Pipelines } from '../../contract/pipelines.ts';
import { laptopRunName } from '../../contract/run-name.ts';
import type { Warning } from '../../contract/warning.ts';
import type { Database } from '../../database/client/database.ts';
import { beginRun } from '../../database/runs/begin-run.ts';
import { finishRun, recordStage, recordWarnings, type StageReport } from '../../database/runs/runs.ts';
import type { Recorder } from '../../jobs/run/recorder.ts';
import { notReused, type Reused } from '../../jobs/run/reuse.ts';
import type { RunIdentity, StageResult } from '../../jobs/run/stage.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import type { ReportedStage } from '../terminal/report.ts';

/** A run that is to begin. */
interface Beginning {
  readonly namespace: string;
  /** Whose run it is, by name. */
  readonly owner: string;
  readonly pipeline: string;
  readonly slot: Date;
  readonly trigger: RunIdentity['trigger'];
  readonly dryRun: boolean;
  readonly database: Database | undefined;
  /** Name of the run that it is a retry of. */
  readonly retryOf: string | undefined;
  /** SHA-256 of what it is pinned to. */
  readonly revision: string;
  readonly now: () => Date;
  /** Seconds since it began. */
  readonly taken: () => number;
}

/** Keeps of a run what its stages do here: in Postgres, but for a dry run, and for the report. */
export interface LaptopRecorder extends Recorder {
  readonly identity: RunIdentity;
  readonly stages: readonly ReportedStage[];
  /** Of its stages. */
  readonly warnings: readonly Warning[];
  readonly artifacts: Readonly<Record<string, ArtifactReference>>;
  /** Keeps what is of none of its stages, and was said. */
  keep(warnings: readonly Warning[]): Promise<void>;
  /** Counts what another run committed as done here. */
  take(reused: Reused): void;
  /** Lets the next run of the owner's lane begin. */
  release(): Promise<void>;
}

/** @throws HF_DATA_LOCKED when a run of the owner's lane is under way on this database */
export async function beginLaptopRun(run: Beginning, pipelines: Pipelines): Promise<LaptopRecorder> {
  const { database, dryRun } = run;
  const record = database === undefined || dryRun ? unrecorded(run) : await recorded(database, run, pipelines);
  const stages: ReportedStage[] = [];
  const warnings: Warning[] = [];
  const artifacts: Record<string, ArtifactReference> = {};
  const earlier = new Map<string, StageReport>();
  return {
    stages,
    warnings,
    artifacts,
    identity: record.identity,
    release: () => record.release(),
    keep: (told) => record.warn(told),
    take(reused) {
      for (const { report, artifact } of reused.stages) {
        const { name, rowsIn, rowsOut, seconds, reusedFrom } = report;
        earlier.set(name, report);
        artifacts[name] = artifact;
        stages.push({ name, rowsIn, rowsOut, seconds, counts: report.counts as Counts, reusedFrom });
      }
      warnings.push(...reused.stages.flatMap((stage) => stage.warnings), ...notReused(reused));
    },
    earlier: async (stage) => earlier.get(stage),
    async input(stage) {
      const artifact = artifacts[stage];
      if (artifact !== undefined) return artifact;
      throw new HoldfastError('HF_INTERNAL', `The stage ${stage} made no artifact that could be read.`);
    },
    async stage(report, { rowsIn, rowsOut, counts, artifact, warnings: found = [] }: StageResult) {
      if (artifact !== undefined) artifacts[report.name] = artifact;
      stages.push({ name: report.name, rowsIn, rowsOut, seconds: report.seconds, counts });
      warnings.push(...found);
      await record.stage(report, found);
    },
    finish: () => record.finish(),
    async fail(failure) {
      // It says more than that it could not be recorded: the next run marks this one as interrupted.
      await record.finish(failure).catch(() => {});
    },
  };
}

/** How a run ended that failed. */
export function phaseOf(failure: HoldfastError): 'Failed' | 'Interrupted' {
  return failure.code === 'HF_INTERRUPTED' ? 'Interrupted' : 'Failed';
}

interface RunRecord {
  readonly identity: RunIdentity;
  stage(report: StageReport, warnings: readonly Warning[]): Promise<void>;
  warn(warnings: readonly Warning[]): Promise<void>;
  finish(failure?: HoldfastError): Promise<void>;
  release(): Promise<void>;
}

async function recorded(database: Database, run: Beginning, pipelines: Pipelines): Promise<RunRecord> {
  const { namespace, owner, pipeline, slot, trigger, retryOf, revision, now, taken } = run;
  const started = await beginRun(
    database,
    {
      namespace,
      owner,
      run: (sequence) => laptopRunName(owner, slot, sequence),
      pipeline,
      slot,
      trigger,
      retryOf,
      revision,
      startedAt: now(),
    },
    pipelines,
  );
  return {
    identity: { ...identityOf(run), run: started.run, sequence: started.sequence, attempt: started.attempt },
    stage: (report, warnings) => recordStage(database, started, report, warnings),
    warn: (warnings) => recordWarnings(database, started, warnings),
    finish: (failure) =>
      finishRun(database, started, {
        phase: failure === undefined ? 'Succeeded' : phaseOf(failure),
        finishedAt: now(),
        seconds: taken(),
        ...(failure === undefined ? {} : { error: { code: failure.code, message: failure.message } }),
      }),
    release: () => started.release(),
  };
}

/** A dry run leaves no trace in Postgres. */
function unrecorded(run: Beginning): RunRecord {
  const nothing = async () => {};
  const identity = { ...identityOf(run), run: laptopRunName(run.owner, run.slot, 0), sequence: 0, attempt: 1 };
  return { identity, stage: nothing, warn: nothing, finish: nothing, release: nothing };
}

function identityOf({ namespace, owner, slot, trigger }: Beginning) {
  return { namespace, owner, slot, trigger };
}
