import { expect } from '@jest/globals';
import type { Action, Decision } from '../../operator/decide/action.ts';
import type { Conditions } from '../../operator/decide/conditions.ts';
import { decideProgram } from '../../operator/decide/program/program.ts';
import type { ProgramSnapshot } from '../../operator/decide/program/snapshot.ts';
import { decideRun } from '../../operator/decide/run/run.ts';
import type { RunSnapshot } from '../../operator/decide/run/snapshot.ts';
import type { KubeObject } from '../../operator/kube/api.ts';
import type { ConfigMapObject, JobObject, RunObject } from '../../operator/kube/objects.ts';

/** A while later, with nothing due by then. */
function later(now: Date, { requeueAt }: Decision<Told>): Date {
  const due = requeueAt === undefined || requeueAt <= now ? Number.POSITIVE_INFINITY : requeueAt.getTime() - 1;
  return new Date(Math.min(now.getTime() + 1000, due));
}

/** Expects of a state of a run that it settles: once done what is decided, nothing more is, and the status stays. */
export function expectRunSettles(given: RunSnapshot, now: Date): void {
  const first = decideRun(given, now);
  const then = later(now, first);
  const after = runAfterwards(given, first);
  const again = decideRun(after, then);
  // How long a Job stays is written once the status says how it ended.
  const isHousekeeping = again.actions.length > 0 && again.actions.every(isOptional);
  expectSettled(given.run, first, isHousekeeping ? decideRun(runAfterwards(after, again), then) : again);
}

/** The same of a program. */
export function expectProgramSettles(given: ProgramSnapshot, now: Date): void {
  const first = decideProgram(given, now);
  const again = decideProgram(programAfterwards(given, first), later(now, first));
  expectSettled(given.program, first, again);
}

const isOptional = (action: Action) => action.do === 'patch' && action.optional === true;

interface Told {
  readonly observedGeneration?: number | undefined;
  readonly conditions?: Conditions | undefined;
}

function expectSettled({ metadata, status }: KubeObject, first: Decision<Told>, again: Decision<Told>): void {
  expect({ actions: again.actions, status: again.status }).toEqual({ actions: [], status: first.status });
  if (metadata.deletionTimestamp !== undefined) return;
  const { observedGeneration, conditions = [] } = first.status;
  expect(observedGeneration).toBe(metadata.generation);
  const before = (status as Told | undefined)?.conditions;
  for (const { type, status: holds, lastTransitionTime } of before ?? []) {
    const since = conditions.find((one) => one.type === type && one.status === holds);
    if (since !== undefined)
      expect({ type, since: since.lastTransitionTime }).toEqual({ type, since: lastTransitionTime });
  }
}

/** What is known of a run once the actions are done. A Job that was made has no pod yet. */
function runAfterwards(given: RunSnapshot, { actions, status }: ReturnType<typeof decideRun>): RunSnapshot {
  const after: RunSnapshot = { ...given, run: { ...given.run, status } };
  const jobs = allAfterwards([...given.jobs.values()], actions, 'Job') as readonly JobObject[];
  const hasMade = createdIn(actions, 'Job').length > 0;
  const [revision = given.revision] = createdIn(actions, 'ConfigMap') as readonly ConfigMapObject[];
  const { history: _history, ...rest } = after;
  return {
    ...(hasMade ? { ...rest, pods: [], lastWarning: undefined } : after),
    revision,
    jobs: new Map(jobs.map((job) => [job.metadata.name, job])),
  };
}

function programAfterwards(
  given: ProgramSnapshot,
  { actions, status }: ReturnType<typeof decideProgram>,
): ProgramSnapshot {
  return {
    ...given,
    program: { ...given.program, status },
    runs: allAfterwards(given.runs, actions, 'RetentionRun') as readonly RunObject[],
    revisions: allAfterwards(given.revisions, actions, 'ConfigMap') as ProgramSnapshot['revisions'],
  };
}

/** The objects of a kind once the actions are done, as the API server would have them. */
function allAfterwards(
  objects: readonly KubeObject[],
  actions: readonly Action[],
  kind: string,
): readonly KubeObject[] {
  return [...objects, ...createdIn(actions, kind)].flatMap((object) => {
    const changes = actions.filter((action) => action.do !== 'event' && action.object === object);
    if (changes.some((action) => action.do === 'delete')) return [];
    return [changes.reduce((one, action) => (action.do === 'patch' ? merged(one, action.patch) : one), object)];
  });
}

function createdIn(actions: readonly Action[], kind: string): readonly KubeObject[] {
  return actions.flatMap((action) => {
    if (action.do !== 'create' || action.object.kind !== kind) return [];
    const { object } = action;
    const stored = {
      uid: `uid of ${object.metadata.name}`,
      resourceVersion: '1',
      creationTimestamp: '2026-11-23T02:10:00Z',
    };
    return [{ ...object, metadata: { ...object.metadata, ...stored } }];
  });
}

/** A merge patch (RFC 7396). */
function merged<Value extends object>(value: Value, patch: object): Value {
  const after: Record<string, unknown> = { ...(value as Record<string, unknown>) };
  for (const [key, change] of Object.entries(patch)) {
    if (change === null) delete after[key];
    else after[key] = typeof change === 'object' ? merged(after[key] ?? {}, change) : change;
  }
  return after as Value;
}
