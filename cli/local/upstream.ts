import { HoldfastError } from '../../base/errors.ts';
import { ownerName } from '../../contract/owner.ts';
import { type Pipelines, pipelineOf } from '../../contract/pipelines.ts';
import { awaitedRun } from '../../contract/upstream.ts';
import { succeededRuns } from '../../database/runs/succeeded-runs.ts';
import type { LocalRun } from './local-run.ts';

/**
 * Refuses a run of a pipeline that comes after another, where that has not succeeded for the slot: on a cluster it would wait.
 * @throws HF_UPSTREAM_MISSING
 */
export async function requireUpstream(
  { namespace, spec, pipeline, slot, trigger, retry, database }: Omit<LocalRun, 'before'>,
  pipelines: Pipelines,
): Promise<void> {
  const { after, owner = 'program' } = pipelineOf(pipeline, pipelines) ?? {};
  // What a run is another try of had what it needed when it began.
  if (after === undefined || retry !== undefined) return;
  const key = { namespace, owner: ownerName(owner, spec), pipeline: after };
  const succeeded = database === undefined ? [] : await succeededRuns(database, key);
  const waits = awaitedRun({ pipeline, trigger }, slot, spec, succeeded, pipelines);
  if (waits === undefined) return;
  throw new HoldfastError(
    'HF_UPSTREAM_MISSING',
    `${pipeline} begins when ${waits.what}, and no run of it here has: run the ${waits.pipeline} first`,
  );
}
