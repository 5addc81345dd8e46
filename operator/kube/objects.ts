import type {
  RetentionProgramSpec,
  RetentionProgramStatus,
  RetentionRunSpec,
  RetentionRunStatus,
} from '../../crds/index.ts';
import type { KubeMetadata, KubeObject } from './api.ts';

/** Metadata of an object that the API server holds. */
export interface StoredMetadata extends KubeMetadata {
  readonly namespace: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
}

export interface ProgramObject extends KubeObject {
  readonly metadata: StoredMetadata;
  readonly spec: RetentionProgramSpec;
  /** Why the spec is not looked at, which is for its size: `spec` then holds its programId and `enabled` alone. */
  readonly unread?: string;
  readonly status?: RetentionProgramStatus;
}

export interface RunObject extends KubeObject {
  readonly metadata: StoredMetadata;
  readonly spec: RetentionRunSpec;
  readonly status?: RetentionRunStatus;
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

/** The part of a batch/v1 Job that is read. */
export interface JobObject extends KubeObject {
  readonly metadata: StoredMetadata;
  readonly spec?: {
    readonly suspend?: boolean;
    readonly ttlSecondsAfterFinished?: number;
    readonly completions?: number;
    readonly backoffLimit?: number;
  };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly startTime?: string;
    readonly completionTime?: string;
    readonly active?: number;
    readonly failed?: number;
  };
}

interface ContainerState {
  readonly running?: object;
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly terminated?: {
    readonly exitCode: number;
    readonly reason?: string;
    readonly message?: string;
    readonly finishedAt?: string;
  };
}

export interface ContainerStatus {
  readonly name: string;
  readonly image?: string;
  /** Of a native sidecar: whether the containers after it may begin. */
  readonly started?: boolean;
  readonly state?: ContainerState;
}

/** The part of a v1 Pod that is read. */
export interface PodObject extends KubeObject {
  readonly metadata: StoredMetadata;
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
    /** Of what others put before the containers, such as a mesh. */
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

export interface ConfigMapObject extends KubeObject {
  readonly metadata: KubeMetadata;
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
}

/** Whether the object was made by, and goes with, the one that has this uid. */
export function isOwnedBy(object: KubeObject, uid: string | undefined): boolean {
  return (
    uid !== undefined &&
    object.metadata.ownerReferences?.some((owner) => owner.uid === uid && owner.controller === true) === true
  );
}

/** Uid of what made the object and goes with it. */
export function controllerOf(object: KubeObject): string | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true)?.uid;
}

/**
 * Whether a run that names the program is of this very object: made by it, or by people and not begun before it was made.
 * What an earlier program of the name was, and under which programId it kept its rows, nobody knows any more.
 */
export function isOfProgram(run: RunObject, { metadata }: ProgramObject): boolean {
  const controller = controllerOf(run);
  if (controller !== undefined) return controller === metadata.uid;
  const { startTime, completionTime } = run.status ?? {};
  const began = startTime ?? completionTime;
  const isSince = (instant: string) => Date.parse(instant) >= Date.parse(metadata.creationTimestamp);
  return began === undefined || isSince(run.metadata.creationTimestamp) || isSince(began);
}

/** Sorts objects by when they were made, and those of one second by their names: everybody agrees on the order. */
export function seniority({ metadata }: KubeObject): string {
  return `${metadata.creationTimestamp} ${metadata.name}`;
}
