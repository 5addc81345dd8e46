/** A kind of object as the API server addresses it. Everything that the operator touches lives in a namespace. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface KubeMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
}

/** What every object has. A kind's own interface extends it and says what `spec` and `status` hold. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: KubeMetadata;
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** `namespace/name`: how stores and queues name an object, `/name` where it is in none. Neither part can hold a slash. */
export type ObjectKey = string;

export interface ListOptions {
  /** Absent: every namespace. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Of each object its metadata alone: the rest may be large, and is not always wanted. */
  readonly metadataOnly?: boolean;
  readonly limit?: number;
  readonly continue?: string;
  /** The answer is at least this new. Absent: as new as the moment of asking. */
  readonly resourceVersion?: string;
}

export interface List<T extends KubeObject = KubeObject> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** There is another page. */
  readonly continue?: string;
  /** Length of the answer. */
  readonly bytes?: number;
}

export interface WatchOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** As of a list. */
  readonly metadataOnly?: boolean;
  readonly resourceVersion: string;
  /** The API server ends the watch after this long. */
  readonly timeoutSeconds: number;
}

/** One change after the watch's resource version; a bookmark carries nothing but a newer version to resume from. */
export type WatchEvent<T extends KubeObject = KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

export interface DeleteOptions {
  /** The object is deleted only if it is this very one, not one of the same name made since. */
  readonly uid: string;
  /** And only if it has not changed since. */
  readonly resourceVersion?: string | undefined;
  readonly propagationPolicy: 'Background' | 'Foreground' | 'Orphan';
}

/**
 * Everything the operator asks of an API server. Each call is one request: none is repeated behind the caller's back
 * unless the server cannot have acted on it. All reject with a KubeError.
 */
export interface KubeApi {
  list<T extends KubeObject = KubeObject>(
    resource: Resource,
    options: ListOptions,
    signal?: AbortSignal,
  ): Promise<List<T>>;
  /** Ends when the server ends the watch; throws a KubeError with status 410 when the version is too old. */
  watch<T extends KubeObject = KubeObject>(
    resource: Resource,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>>;
  /** A read past every cache; undefined when there is no such object. */
  get<T extends KubeObject = KubeObject>(
    resource: Resource,
    key: ObjectKey,
    signal?: AbortSignal,
  ): Promise<T | undefined>;
  /** POST: rejects with reason AlreadyExists when the name is taken. */
  create<T extends KubeObject = KubeObject>(resource: Resource, object: T, signal?: AbortSignal): Promise<T>;
  /**
   * Server-side apply of the status alone, as field manager `holdfast`, forced: the status is ours. `object` is as it was
   * read, with its resourceVersion: rejects with reason Conflict when it has changed since. (The uid would not do: the
   * API server does not compare it here.)
   */
  applyStatus<T extends KubeObject = KubeObject>(resource: Resource, object: T, signal?: AbortSignal): Promise<T>;
  /** JSON merge patch; with a resourceVersion, rejects with reason Conflict when the object has changed since. */
  patch<T extends KubeObject = KubeObject>(
    resource: Resource,
    key: ObjectKey,
    mergePatch: object,
    options?: { readonly resourceVersion?: string },
    signal?: AbortSignal,
  ): Promise<T>;
  /** PUT of the whole object, which carries its resourceVersion. */
  replace<T extends KubeObject = KubeObject>(resource: Resource, object: T, signal?: AbortSignal): Promise<T>;
  /** Succeeds when there is no such object; rejects with reason Conflict when another uid has the name, or it has changed. */
  delete(resource: Resource, key: ObjectKey, options: DeleteOptions, signal?: AbortSignal): Promise<void>;
}

/** Reasons that callers tell apart. The API server has more; see metav1.StatusReason. */
export type KubeReason =
  | 'AlreadyExists'
  | 'Conflict'
  | 'NotFound'
  | 'Invalid'
  | 'BadRequest'
  | 'Forbidden'
  /** Nothing new may be made in a namespace that is being deleted; the status is 403. */
  | 'NamespaceTerminating'
  | 'Unauthorized'
  | 'Expired'
  | 'Gone'
  | 'TooManyRequests'
  | 'Timeout'
  | 'ServiceUnavailable'
  | 'InternalError'
  /** No answer: the request may or may not have been acted on. Ours, with status 0. */
  | 'Unreachable'
  /** What is to prove who we are cannot be had: nothing was sent. Ours, with status 0. */
  | 'NoCredentials'
  /** The answer is longer than any that is read. Ours, with status 0. */
  | 'TooLarge'
  /** The caller's signal was aborted. Ours, with status 0. */
  | 'Aborted'
  /** This process does not lead, so nothing was sent. Ours, with status 0. */
  | 'NotLeading'
  | (string & {});

/** metav1.Status: how the API server says no, as the body of an answer or as the last event of a watch. */
export interface Status {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly reason?: string; readonly field?: string; readonly message?: string }[];
  };
}

/** The API server refused, or could not be asked. */
export class KubeError extends Error {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly reason: KubeReason;
  /** How long the server asks us to wait. */
  readonly retryAfterSeconds: number | undefined;
  /** What it said. */
  readonly said: Status | undefined;

  constructor(
    status: number,
    reason: KubeReason,
    message: string,
    options: {
      readonly retryAfterSeconds?: number | undefined;
      readonly said?: Status | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'KubeError';
    this.status = status;
    this.reason = reason;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.said = options.said;
  }
}

function resource(group: string, version: string, plural: string, kind: string): Resource {
  return { group, version, plural, kind, namespaced: true };
}

/** What the operator reads and writes. Secrets are not among them: it never reads one. */
export const RESOURCES = {
  retentionPrograms: resource('holdfast.dev', 'v1alpha1', 'retentionprograms', 'RetentionProgram'),
  retentionRuns: resource('holdfast.dev', 'v1alpha1', 'retentionruns', 'RetentionRun'),
  jobs: resource('batch', 'v1', 'jobs', 'Job'),
  pods: resource('', 'v1', 'pods', 'Pod'),
  configMaps: resource('', 'v1', 'configmaps', 'ConfigMap'),
  events: resource('events.k8s.io', 'v1', 'events', 'Event'),
  leases: resource('coordination.k8s.io', 'v1', 'leases', 'Lease'),
  deployments: resource('apps', 'v1', 'deployments', 'Deployment'),
  /** Which a person may have misspelled; the operator asks for none. */
  namespaces: { ...resource('', 'v1', 'namespaces', 'Namespace'), namespaced: false },
} as const;

export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

export function keyOf(object: {
  readonly metadata: { readonly name: string; readonly namespace?: string };
}): ObjectKey {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

export function splitKey(key: ObjectKey): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
