import { isFinalPhase } from '../../crds/run-phase.ts';
import type { RunObject } from '../../operator/kube/objects.ts';

/** A run of the cluster as `--output json` gives it. */
export interface RunView {
  readonly namespace: string;
  readonly program: string;
  readonly run: string;
  readonly pipeline: string;
  readonly trigger: string;
  readonly dryRun: boolean;
  /** Pending, Running, Suspended, Succeeded, Failed or Cancelled; Pending also where the operator has not seen it yet. */
  readonly phase: string;
  readonly slot: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** How it is or what it waits for: one word, and the same in a sentence. */
  readonly reason: string | null;
  readonly message: string | null;
  readonly stages: readonly StageView[];
}

export interface StageView {
  readonly name: string;
  readonly phase: string;
  readonly task: string | null;
  readonly attempt: number | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly rowsIn: number | null;
  readonly rowsOut: number | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** What is in the way, while nothing has failed. */
  readonly message: string | null;
}

export const isOver = ({ phase }: Pick<RunView, 'phase'>): boolean => isFinalPhase(phase);

export function viewOf({ metadata, spec, status = {} }: RunObject): RunView {
  // Every condition of a run says the same of it.
  const said = status.conditions?.find(({ type }) => type === 'Reconciling') ?? status.conditions?.[0];
  return {
    namespace: metadata.namespace,
    program: spec.programRef.name,
    run: metadata.name,
    pipeline: spec.pipeline,
    trigger: spec.trigger,
    dryRun: spec.dryRun,
    phase: status.phase ?? 'Pending',
    slot: status.slot ?? spec.slot ?? null,
    createdAt: metadata.creationTimestamp,
    startedAt: status.startTime ?? null,
    finishedAt: status.completionTime ?? null,
    reason: said?.reason ?? null,
    message: said?.message ?? null,
    stages: (status.stages ?? []).map((stage) => ({
      name: stage.name,
      phase: stage.phase,
      task: stage.task ?? null,
      attempt: stage.attempt ?? null,
      startedAt: stage.startTime ?? null,
      finishedAt: stage.completionTime ?? null,
      rowsIn: stage.rowsIn ?? null,
      rowsOut: stage.rowsOut ?? null,
      error: stage.errorCode === undefined ? null : { code: stage.errorCode, message: stage.message ?? '' },
      message: stage.errorCode === undefined ? (stage.message ?? null) : null,
    })),
  };
}
