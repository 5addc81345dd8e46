import { decideProgram, type ProgramDecision, programNotRead } from '../decide/program/program.ts';
import type { ProgramSnapshot } from '../decide/program/snapshot.ts';
import { keyOf, type ObjectKey, RESOURCES } from '../kube/api.ts';
import type { ProgramObject } from '../kube/objects.ts';
import { objectsOf } from './caches.ts';
import type { Kind } from './kind.ts';
import { runsForProgram } from './program-runs.ts';
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
    const revisions = caches.revisions.byIndex('owner', ownedBy(program)).map((revision) => newest(revision));
    const isPinned = (key: ObjectKey) => caches.runs.lastByIndex('revision', key).some(() => true);
    return {
      program,
      runs: await runsForProgram(program, known, context),
      pinned: new Set(revisions.filter((one) => isPinned(keyOf(one))).map(({ metadata }) => metadata.name)),
      revisions,
      twins: olderTwinsOf(program, caches),
      attempts: known,
      settings,
      pipelines,
    };
  },

  decide: decideProgram,
  unreadable: (program, message, now) => programNotRead(program, 'InternalError', message, now),
};
