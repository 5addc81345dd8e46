import { apply } from '../apply.ts';
import { type Attempts, makesSomething, NO_ATTEMPTS } from '../decide/action.ts';
import { decideProgram, type ProgramDecision, type ProgramSnapshot } from '../decide/program.ts';
import { keyOf, RESOURCES } from '../kube/api.ts';
import type { ProgramObject, RunObject } from '../objects.ts';
import { olderTwinsOf, ownedBy, programKeyOf, twinsOf } from './caches.ts';
import type { Controller, ControllerContext } from './controller.ts';
import { lookAgain } from './resync.ts';
import { writeStatus } from './write-status.ts';

/** Each round, one more object turns out to be in the way. */
const MOST_ROUNDS = 5;

/** Makes a program's runs at the slots of its schedule, and says how it is. */
export const retentionProgramController: Controller = {
  name: 'retention-program',
  objects: 'programs',
  workers: 2,

  concerned(cache, changed, caches) {
    switch (cache) {
      case 'programs':
        return [keyOf(changed), ...twinsOf(changed as ProgramObject, caches).map(keyOf)];
      case 'runs':
        return [programKeyOf(changed as RunObject)];
      case 'jobs':
      case 'pods':
      case 'revisions':
        return [];
    }
  },

  async reconcile(key, context) {
    const { api, caches, recorder, clock, newest } = context;
    const known = caches.programs.get(key);
    let program = known && newest(known);
    let attempts: Attempts = NO_ATTEMPTS;
    let isLive = false;
    let liveRuns: readonly RunObject[] | undefined;
    for (let round = 0; program !== undefined && round < MOST_ROUNDS; round += 1) {
      const decision = decideProgram(gather(program, liveRuns, attempts, context), clock.now());
      if (makesSomething(decision) && !isLive) {
        // The cache may be of before a slot was dealt with, and its run be forgotten since.
        const cached: ProgramObject = program;
        program = await api.get<ProgramObject>(RESOURCES.retentionPrograms, key);
        isLive = true;
        if (program?.metadata.resourceVersion !== cached.metadata.resourceVersion) continue;
        program = cached;
      }
      if (forgetsRevision(decision) && liveRuns === undefined) {
        // A run that the cache has not heard of may be pinned to what nobody seems to need.
        liveRuns = await runsOf(program, context);
        continue;
      }
      const applied = await apply(decision.actions, api, recorder);
      if (applied.taken.size === 0 && applied.refused.size === 0) {
        await writeStatus(api, RESOURCES.retentionPrograms, program, decision.status);
        return lookAgain(decision.requeueAt, clock.now());
      }
      attempts = applied;
    }
    if (program !== undefined) throw new Error(`not settled in ${MOST_ROUNDS} rounds`);
    return undefined;
  },
};

function gather(
  program: ProgramObject,
  liveRuns: readonly RunObject[] | undefined,
  attempts: Attempts,
  { caches, settings, newest }: ControllerContext,
): ProgramSnapshot {
  return {
    program,
    runs: liveRuns ?? caches.runs.byIndex('program', keyOf(program)).map((run) => newest(run)),
    revisions: caches.revisions.byIndex('owner', ownedBy(program)).map((revision) => newest(revision)),
    twins: olderTwinsOf(program, caches),
    attempts,
    settings,
  };
}

function forgetsRevision({ actions }: ProgramDecision): boolean {
  return actions.some((action) => action.do === 'delete' && action.resource === RESOURCES.configMaps);
}

/** The runs of a program, read past the cache. */
async function runsOf({ metadata }: ProgramObject, { api }: ControllerContext): Promise<readonly RunObject[]> {
  const { items } = await api.list<RunObject>(RESOURCES.retentionRuns, { namespace: metadata.namespace });
  return items.filter((run) => run.spec.programRef.name === metadata.name);
}
