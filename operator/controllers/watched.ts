import { hasSucceeded, isFinal } from '../decide/run/snapshot.ts';
import { isCounted } from '../decide/run-result.ts';
import { type KubeObject, type ObjectKey, RESOURCES } from '../kube/api.ts';
import {
  controllerOf,
  type JobObject,
  type PodObject,
  type ProgramObject,
  type RunObject,
  type StoredMetadata,
  seniority,
} from '../kube/objects.ts';
import { MANAGED_SELECTOR } from '../objects/labels.ts';
import type { CachesOf, ChangeIn, Sources } from './caches.ts';

/** What the operator watches, by name. */
export interface Watched {
  readonly programs: ProgramObject;
  readonly runs: RunObject;
  readonly jobs: JobObject;
  readonly pods: PodObject;
  /** Metadata alone. */
  readonly revisions: KubeObject & { readonly metadata: StoredMetadata };
}

export type Caches = CachesOf<Watched>;
export type CacheChange = ChangeIn<Watched>;

/**
 * The values of the index `owner` of an object. With the namespace: an owner of another is none, whatever somebody there
 * writes into an object.
 */
export function ownersOf(object: KubeObject): readonly string[] {
  const uid = controllerOf(object);
  return uid === undefined ? [] : [`${object.metadata.namespace}/${uid}`];
}

const byOwner = { values: ownersOf };

/** The value of the index `owner` for what an object owns. */
export function ownedBy({ metadata }: KubeObject): string {
  return `${metadata.namespace}/${metadata.uid}`;
}

/** The value of the index `state` for runs that are not over. */
export const UNFINISHED = 'unfinished';

/** The value of the indexes `ended` and `succeeded` for the runs of a pipeline of a program; backfills are apart. */
export function runsOf(
  program: ObjectKey,
  { pipeline, trigger }: Pick<RunObject['spec'], 'pipeline' | 'trigger'>,
): string {
  return `${program} ${pipeline}${trigger === 'backfill' ? ' backfill' : ''}`;
}

export const WATCHED: Sources<Watched> = {
  programs: {
    resource: RESOURCES.retentionPrograms,
    indexes: { programId: { values: ({ metadata, spec }) => [`${metadata.namespace}/${spec.programId}`] } },
  },
  runs: {
    resource: RESOURCES.retentionRuns,
    indexes: {
      owner: byOwner,
      unfinished: { values: (run) => (isFinal(run) ? [] : [programKeyOf(run)]) },
      // One that is not as a run should be is never at work.
      state: { values: (run) => (isFinal(run) || run.spec?.programRef === undefined ? [] : [UNFINISHED]) },
      ended: {
        values: (run) => (isFinal(run) && isCounted(run) ? [runsOf(programKeyOf(run), run.spec)] : []),
        order: seniority,
      },
      succeeded: {
        values: (run) => (hasSucceeded(run) && !run.spec.dryRun ? [runsOf(programKeyOf(run), run.spec)] : []),
        order: ({ status }) => status?.slot ?? '',
      },
      revision: {
        values: ({ metadata, status }) =>
          status?.revision === undefined ? [] : [`${metadata.namespace}/${status.revision}`],
      },
    },
  },
  jobs: {
    resource: RESOURCES.jobs,
    labelSelector: MANAGED_SELECTOR,
    indexes: { owner: byOwner },
  },
  pods: {
    resource: RESOURCES.pods,
    labelSelector: MANAGED_SELECTOR,
    indexes: { owner: byOwner },
  },
  revisions: {
    resource: RESOURCES.configMaps,
    labelSelector: MANAGED_SELECTOR,
    indexes: { owner: byOwner },
    metadataOnly: true,
  },
};

/** Other programs of the namespace with the same programId. */
export function twinsOf({ metadata, spec }: ProgramObject, { programs }: Pick<Caches, 'programs'>) {
  return programs
    .byIndex('programId', `${metadata.namespace}/${spec.programId}`)
    .filter((other) => other.metadata.uid !== metadata.uid);
}

/** Those of them that have the id by right. */
export function olderTwinsOf(program: ProgramObject, caches: Pick<Caches, 'programs'>): readonly ProgramObject[] {
  return twinsOf(program, caches).filter((twin) => seniority(twin) < seniority(program));
}

/** Key of the program that a run names. */
export function programKeyOf({ metadata, spec }: RunObject): ObjectKey {
  return `${metadata.namespace}/${spec.programRef.name}`;
}

/** Key of the run that a Job belongs to, or the Job of a pod. Not from what people may edit. */
export function runKeyOf({ metadata }: KubeObject, { jobs }: Pick<Caches, 'jobs'>): ObjectKey | undefined {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  switch (owner?.kind) {
    case 'RetentionRun':
      return `${metadata.namespace}/${owner.name}`;
    case 'Job': {
      const job = jobs.get(`${metadata.namespace}/${owner.name}`);
      return job && runKeyOf(job, { jobs });
    }
    default:
      return undefined;
  }
}
