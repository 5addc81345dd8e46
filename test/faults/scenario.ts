import { instantInName } from '../../contract/name.ts';
import type { Pipelines } from '../../contract/pipelines.ts';
import type { RetentionProgramSpec } from '../../crds/index.ts';
import { calendarsOf, scheduleText } from '../../operator/decide/program/slots.ts';
import { type KubeObject, RESOURCES } from '../../operator/kube/api.ts';
import type { JobObject, ProgramObject, RunObject } from '../../operator/kube/objects.ts';
import { buildRun } from '../../operator/objects/run.ts';
import type { Script } from '../cluster/scripted-kubelet.ts';
import { program, run } from '../support/program.ts';
import type { Rules } from './job-order.ts';
import type { World } from './world.ts';

/** What happens in a namespace when nothing goes wrong with the operator. */
export interface Scenario {
  readonly name: string;
  readonly programs: readonly string[];
  /** How long each task takes, in milliseconds. */
  readonly taskMs: number;
  /** What becomes of each task; anew for each world, as it may depend on what came before. */
  readonly script: () => Script;
  /** What the programs say besides. */
  readonly spec?: Partial<RetentionProgramSpec>;
  /** What else is there before the operator comes to life. */
  readonly before?: (world: World, program: ProgramObject) => Promise<void>;
  /** What people do meanwhile. */
  readonly meanwhile?: (world: World) => Promise<void>;
  /** How many runs may be at work at once. */
  readonly maxRuns?: number;
  /** How each run ends that is there at the end: its phase and why. */
  readonly ends: Readonly<Record<string, string>>;
  readonly rules?: Rules;
  /** Events that are written once or not at all, depending on the moment. */
  readonly maySay?: RegExp;
  /** Ways to run a program. Default: those of the release. */
  readonly pipelines?: Pipelines;
}

/** Every task ends well. */
export const GOOD: Script = () => ({ exitCode: 0, message: { rowsIn: 100, rowsOut: 10, counts: { candidates: 10 } } });

export const DAY_MS = 24 * 3600_000;

/** The slot that is due: the whole hour before the last one, so that the next is most of a day away. */
function dueSlot(now: Date): Date {
  return new Date(Math.floor(now.getTime() / 3600_000 - 1) * 3600_000);
}

/** The same for every namespace of this process, however long it takes. */
export const SLOT = dueSlot(new Date());

export const SLOT_BEFORE = new Date(SLOT.getTime() - DAY_MS);

/** Daily, at the hour of the slot that is due. */
export const DAILY = `0 ${SLOT.getUTCHours()} * * *`;

/** The run that is made at a slot. */
export function slotRun(program: string, slot: Date, pipeline = 'batch'): string {
  return [program, instantInName(slot), ...(pipeline === 'batch' ? [] : [pipeline])].join('-');
}

/** That of the slot which is due. */
export function dueRun(program: string, pipeline?: string): string {
  return slotRun(program, SLOT, pipeline);
}

/** A name without what is another each day in it: instants, and the digests of specs that name an hour. */
export function nameOfAnyDay(name: string): string {
  return name
    .replaceAll(instantInName(SLOT), 'due')
    .replaceAll(instantInName(SLOT_BEFORE), 'before')
    .replace(/-[0-9a-f]{20}$/, '-revision');
}

/** Makes the programs as they are at the moment at which the operator comes to life: one slot is due. */
export async function prepare(world: World, { programs, spec, before }: Scenario): Promise<void> {
  const { client, namespace, pipelines } = world;
  for (const name of programs) {
    const change: Partial<RetentionProgramSpec> = {
      programId: name,
      batchSchedule: DAILY,
      startingDeadlineSeconds: 12 * 3600,
      runHistory: { successful: 1, failed: 1 },
      ...spec,
    };
    const wanted = program(change, name);
    const made = await client.create<ProgramObject>(RESOURCES.retentionPrograms, {
      ...wanted,
      metadata: { name, namespace },
    } as ProgramObject);
    await client.applyStatus(RESOURCES.retentionPrograms, {
      ...made,
      status: {
        observedGeneration: 1,
        pipelines: calendarsOf(made.spec, pipelines).map((calendar) => ({
          name: calendar.pipeline,
          schedule: scheduleText(calendar),
          since: new Date(SLOT.getTime() - 3 * DAY_MS).toISOString(),
          lastSlot: SLOT_BEFORE.toISOString(),
        })),
      },
    });
    await before?.(world, made);
  }
}

/** A run of the day before and its revision: they go once there is a newer run. */
export async function olderRun({ client }: World, program: ProgramObject): Promise<void> {
  const older = buildRun(program, SLOT_BEFORE);
  const { labels, ownerReferences, namespace } = older.metadata;
  const revision = `${program.metadata.name}-before`;
  await client.create(RESOURCES.configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: revision, namespace, labels, ownerReferences } as KubeObject['metadata'],
    immutable: true,
    data: {},
  } as KubeObject);
  const made = await client.create<RunObject>(RESOURCES.retentionRuns, older as RunObject);
  const at = SLOT_BEFORE.toISOString();
  const condition = (type: string, status: 'True' | 'False') => ({
    type,
    status,
    reason: 'Succeeded',
    message: 'every task is done',
    lastTransitionTime: at,
  });
  await client.applyStatus(RESOURCES.retentionRuns, {
    ...made,
    status: {
      observedGeneration: 1,
      phase: 'Succeeded',
      revision,
      slot: at,
      startTime: at,
      completionTime: at,
      conditions: [condition('Complete', 'True'), condition('Failed', 'False')],
    },
  });
}

/** Somebody makes a run of `keep`. */
export async function makeRun(
  { client, namespace }: World,
  name: string,
  spec: Partial<RunObject['spec']> = {},
): Promise<void> {
  const wanted = run(name, spec);
  await client.create(RESOURCES.retentionRuns, { ...wanted, metadata: { name, namespace } });
}

/** The Job of a task once it runs and its run says so; of that run, or of any. */
export async function underWay({ client, namespace, until }: World, task: string, run?: string): Promise<JobObject> {
  return await until(`${task} is under way`, async () => {
    const { items } = await client.list<RunObject>(RESOURCES.retentionRuns, { namespace });
    const stages = items
      .filter(({ metadata }) => run === undefined || metadata.name === run)
      .flatMap(({ status }) => status?.stages ?? []);
    const job = stages.find((stage) => stage.task === task && stage.phase === 'Running')?.job;
    const found = job === undefined ? undefined : await client.get<JobObject>(RESOURCES.jobs, `${namespace}/${job}`);
    return found?.status?.active === 1 ? found : undefined;
  });
}
