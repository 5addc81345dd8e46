import { decideProgram, type ProgramDecision, programNotRead } from '../decide/program/program.ts';
import type { ProgramSnapshot } from '../decide/program/snapshot.ts';
import { keyOf, RESOURCES } from '../kube/api.ts';
import type { ProgramObject, RunObject } from '../kube/objects.ts';
import { objectsOf } from './caches.ts';
import type { Context } from './context.ts';
import { type Kind, type Known, withExisting } from './kind.ts';
import { liveRunsOf } from './live-runs.ts';
import { olderTwinsOf, ownedBy, programKeyOf, twinsOf } from './watched.ts';

/** A program: its runs are made at the slots of its schedules, and it says how it is. */
export const retentionProgram: Kind<ProgramObject, ProgramSnapshot, ProgramDecision['status']> = {
  name: 'retention-program',
  resource: RESOURCES.retentionPrograms,
  workers: 3,
  objects: ({ programs }) => programs,

  concerned(change, { caches }) {
    switch (change.cache) {
      case 'programs':
        // One that comes or goes takes or leaves its programId.
        return change.before !== undefined && change.after !== undefined
          ? []
          : objectsOf(change).flatMap((program) => twinsOf(program, caches).map(keyOf));
      case 'runs':
        return objectsOf(change).map(programKeyOf);
      default:
        return [];
    }
  },

  async gather(program, known, context) {
    const { caches, settings, pipelines, newest } = context;
    return {
      program,
      runs: await runsOf(program, known, context),
      revisions: caches.revisions.byIndex('owner', ownedBy(program)).map((revision) => newest(revision)),
      twins: olderTwinsOf(program, caches),
      attempts: known,
      settings,
      pipelines,
    };
  },

  decide: decideProgram,
  unreadable: (program, message, now) => programNotRead(program, 'InternalError', message, now),
};

/** Every run that names the program; read past the cache where one that it has not heard of may be pinned to a revision. */
async function runsOf(program: ProgramObject, known: Known, context: Context): Promise<readonly RunObject[]> {
  const { caches, newest } = context;
  if (known.freshness === 'all')
    return await liveRunsOf(program.metadata.namespace, program.metadata.name, context.api);
  const cached = caches.runs.byIndex('program', keyOf(program)).map((run) => newest(run));
  return withExisting(cached, RESOURCES.retentionRuns, known);
}
