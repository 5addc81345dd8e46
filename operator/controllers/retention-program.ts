import { type Attempts, makesSomething, NO_ATTEMPTS } from '../decide/action.ts';
import { decideProgram, type ProgramDecision, programNotRead } from '../decide/program/program.ts';
import type { ProgramSnapshot } from '../decide/program/snapshot.ts';
import { keyOf, RESOURCES } from '../kube/api.ts';
import type { ProgramObject, RunObject } from '../kube/objects.ts';
import { pages } from '../kube/pages.ts';
import { boundProgram } from '../objects/program-bound.ts';
import { apply } from './apply.ts';
import { objectsOf, olderTwinsOf, ownedBy, programKeyOf, twinsOf } from './caches.ts';
import type { Controller, ControllerContext } from './controller.ts';
import { kept } from './kept.ts';
import { lookAgain } from './resync.ts';
import { writeStatus } from './write-status.ts';

/** Each round, one more object turns out to be in the way. */
const MOST_ROUNDS = 5;

/** Makes a program's runs at the slots of its schedule, and says how it is. */
export const retentionProgramController: Controller = {
  name: 'retention-program',
  objects: 'programs',
  workers: 3,

  concerned(change, caches) {
    switch (change.cache) {
      case 'programs':
        // One that comes or goes takes or leaves its programId.
        return change.before !== undefined && change.after !== undefined
          ? []
          : objectsOf(change).flatMap((program) => twinsOf(program, caches).map(keyOf));
      case 'runs':
        return objectsOf(change).map(programKeyOf);
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
        const live = await api.get<ProgramObject>(RESOURCES.retentionPrograms, key);
        isLive = true;
        if (live?.metadata.resourceVersion !== cached.metadata.resourceVersion) {
          program = live && boundProgram(live, cached);
          continue;
        }
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

  async complain(key, message, { api, caches, clock, newest }) {
    const known = caches.programs.get(key);
    if (known === undefined) return;
    const program = newest(known);
    const status = programNotRead(program, 'InternalError', message, clock.now());
    await writeStatus(api, RESOURCES.retentionPrograms, program, status);
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
  const runs: RunObject[] = [];
  for await (const { items } of pages<RunObject>(api, RESOURCES.retentionRuns, { namespace: metadata.namespace })) {
    // One that is not as a run should be is of no program.
    runs.push(...items.filter(({ spec }) => spec?.programRef?.name === metadata.name).map((run) => kept(run)));
  }
  return runs;
}
