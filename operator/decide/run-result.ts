import type { Pipelines } from '../../contract/pipelines.ts';
import type { RunObject } from '../kube/objects.ts';
import type { Outcome } from './run/status.ts';
import type { StageStatus } from './run/tasks.ts';

/** Whether how a pipeline is goes by the run: not by trials or the past. */
export function isCounted({ spec }: Pick<RunObject, 'spec'>): boolean {
  return !spec.dryRun && spec.trigger !== 'backfill';
}

/** Whether the run's batch is to become the current one. */
export function isForPublishing(run: Pick<RunObject, 'spec'>, pipelines: Pipelines): boolean {
  return pipelines[run.spec.pipeline]?.publishes === true && isCounted(run);
}

/** How many candidates the last stage of a run's pipeline stored; undefined where it says nothing, or makes no batch. */
export function candidatesOf(
  { spec }: Pick<RunObject, 'spec'>,
  stages: readonly StageStatus[],
  pipelines: Pipelines,
): number | undefined {
  const pipeline = pipelines[spec.pipeline];
  if (pipeline?.publishes !== true) return undefined;
  return stages.find(({ name }) => name === pipeline.stages.at(-1)?.name)?.counts?.['candidates'];
}

/** What came of a run whose every task is done; that nobody is a candidate is said with where they were left out. */
export function resultOf(run: RunObject, stages: readonly StageStatus[], pipelines: Pipelines): Outcome {
  const done = 'every task is done';
  const succeeded = (message: string): Outcome => ({ phase: 'Succeeded', reason: 'Succeeded', message });
  const candidates = candidatesOf(run, stages, pipelines);
  if (candidates === undefined) return succeeded(done);
  if (candidates === 0) {
    return { phase: 'Succeeded', reason: 'NoCandidates', message: `${done}, and nobody is a candidate${lost(stages)}` };
  }
  const people = candidates === 1 ? '1 candidate' : `${candidates} candidates`;
  return succeeded(run.spec.dryRun ? `${done}; ${people}, not published: a dry run` : `${done}; ${people}`);
}

const MOST_FILTERS = 5;

/** The stage that let nobody through, and what of it removed whom. */
function lost(stages: readonly StageStatus[]): string {
  const stage = stages.find(({ rowsOut }) => rowsOut === 0);
  if (stage?.rowsIn === undefined) return '';
  const removed = Object.entries(stage.counts ?? {})
    .filter(([name, count]) => name.startsWith('removed.') && count > 0)
    .toSorted(([, one], [, other]) => other - one)
    .slice(0, MOST_FILTERS)
    .map(([name, count]) => `${name.slice('removed.'.length)} ${count}`);
  const by = removed.length === 0 ? '' : ` (removed by ${removed.join(', ')})`;
  return `: ${stage.name} let none of ${stage.rowsIn} customers through${by}`;
}
