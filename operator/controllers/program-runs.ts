import { type Pipelines, pipelineOf } from '../../contract/pipelines.ts';
import { outcomeOf } from '../decide/program/last-outcome.ts';
import { withSlot } from '../decide/run/slot.ts';
import { isFinal, type RunSnapshot } from '../decide/run/snapshot.ts';
import { keyOf, type ObjectKey, RESOURCES, splitKey } from '../kube/api.ts';
import { isOfProgram, type ProgramObject, type RunObject } from '../kube/objects.ts';
import { pages } from '../kube/pages.ts';
import type { Store } from '../kube/store.ts';
import type { Context } from './context.ts';
import { kept } from './kept.ts';
import { type Known, withExisting } from './kind.ts';
import { ownedBy, programKeyOf, runsOf } from './watched.ts';

/*
 * Runs stay for as long as people like, thousands of them: of what is over, a look reads the newest.
 */

/** The runs that anything about a program is decided on; all of them, as the API server has them, where that matters. */
export async function runsForProgram(
  program: ProgramObject,
  known: Known,
  context: Context,
): Promise<readonly RunObject[]> {
  return await found(keyOf(program), known, context, (runs) => [
    ...runs.byIndex('unfinished', keyOf(program)),
    // Those of the schedules, as many as the history keeps.
    ...runs.byIndex('owner', ownedBy(program)),
    ...Object.keys(context.pipelines).flatMap((pipeline) => newestOf(program, pipeline, runs)),
  ]);
}

/** Of the runs of a pipeline that are over the newest, the newest that says how the program is, and that of the newest slot. */
function newestOf(program: ProgramObject, pipeline: string, runs: Store<RunObject>): readonly RunObject[] {
  const value = runsOf(keyOf(program), { pipeline: pipeline as RunObject['spec']['pipeline'], trigger: 'manual' });
  const isOurs = (run: RunObject) => isOfProgram(run, program);
  return [
    runs.lastByIndex('ended', value).find(isOurs),
    runs.lastByIndex('ended', value).find((run) => isOurs(run) && outcomeOf(run) !== undefined),
    runs.lastByIndex('succeeded', value).find(isOurs),
  ].filter((run) => run !== undefined);
}

/** The same of a run: those of its program that are not over, and the newest that it comes after. */
export async function runsForRun(
  { run, program, original, pipelines }: Pick<RunSnapshot, 'run' | 'program' | 'original' | 'pipelines'>,
  known: Known,
  context: Context,
): Promise<readonly RunObject[]> {
  if (isFinal(run)) return [];
  const slot = withSlot({ run, program, original, pipelines, succeeded: [] }, context.clock.now()).status?.slot;
  const runs = await found(programKeyOf(run), known, context, (all) => [
    ...all.byIndex('unfinished', programKeyOf(run)),
    ...(program === undefined ? [] : newestBefore(run, program, slot, pipelines, all)),
  ]);
  return runs.filter(({ metadata }) => metadata.uid !== run.metadata.uid);
}

/** The newest successes that a run may come after, and that of its own pipeline, which may be what people have been told. */
function newestBefore(
  { spec, status }: RunObject,
  program: ProgramObject,
  slot: string | undefined,
  pipelines: Pipelines,
  runs: Store<RunObject>,
): readonly RunObject[] {
  const { after, reachesPeople } = pipelineOf(spec.pipeline, pipelines) ?? {};
  if (status?.startTime !== undefined) return [];
  const newest = (pipeline: string, trigger: 'manual' | 'backfill', from?: string) => {
    const value = runsOf(keyOf(program), { pipeline: pipeline as RunObject['spec']['pipeline'], trigger });
    return runs.lastByIndex('succeeded', value, from).find((run) => isOfProgram(run, program));
  };
  return [
    reachesPeople ? newest(spec.pipeline, 'manual') : undefined,
    after === undefined ? undefined : newest(after, 'manual', slot),
    after === undefined || spec.trigger !== 'backfill' ? undefined : newest(after, 'backfill', slot),
  ].filter((run) => run !== undefined);
}

/** Those that are chosen from the cache; every run of the program where it may be late and that matters. */
async function found(
  program: ObjectKey,
  known: Known,
  { api, caches, newest }: Context,
  choose: (runs: Store<RunObject>) => readonly RunObject[],
): Promise<readonly RunObject[]> {
  if (known.freshness !== 'all') {
    return withExisting(choose(caches.runs), RESOURCES.retentionRuns, known).map((run) => newest(run));
  }
  const { namespace, name } = splitKey(program);
  const runs: RunObject[] = [];
  for await (const { items } of pages<RunObject>(api, RESOURCES.retentionRuns, { namespace })) {
    // One that is not as a run should be is of no program.
    runs.push(...items.filter(({ spec }) => spec?.programRef?.name === name).map((run) => kept(run)));
  }
  return runs;
}
