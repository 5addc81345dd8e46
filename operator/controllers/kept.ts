import { COMPLETION_INDEX, containerOf } from '../decide/run/report.ts';
import { initialising } from '../decide/run/trouble.ts';
import { type KubeObject, RESOURCES } from '../kube/api.ts';
import type { ContainerStatus, JobObject, PodObject, ProgramObject } from '../kube/objects.ts';
import { ANNOTATIONS } from '../objects/labels.ts';
import { boundProgram } from '../objects/program-bound.ts';

/** Annotations that something is decided on. Of others anybody may write any number. */
const READ: ReadonlySet<string> = new Set([...Object.values(ANNOTATIONS), COMPLETION_INDEX]);

/**
 * What a cache keeps of an object: what the operator reads, whatever else people have written into it. Of a
 * program whose generation is that of before, the spec is that of before: what follows from it need not be found out again.
 */
export function kept<T extends KubeObject>(object: T, before?: T): T;
export function kept(object: KubeObject, before?: KubeObject): KubeObject {
  const metadata = keptMetadata(object);
  switch (object.kind) {
    case RESOURCES.retentionPrograms.kind:
      return { ...boundProgram(object as ProgramObject, before as ProgramObject | undefined), metadata };
    case RESOURCES.jobs.kind:
      return { ...keptJob(object as JobObject), metadata };
    case RESOURCES.pods.kind:
      return { ...keptPod(object as PodObject), metadata };
    default:
      return { ...object, metadata };
  }
}

function keptMetadata({ metadata }: KubeObject): KubeObject['metadata'] {
  const {
    labels: _labels,
    finalizers: _finalizers,
    managedFields: _managed,
    annotations = {},
    ownerReferences = [],
    ...rest
  } = metadata as KubeObject['metadata'] & { readonly managedFields?: unknown };
  const read = Object.entries(annotations).filter(([name]) => READ.has(name));
  const controller = ownerReferences.filter((owner) => owner.controller === true);
  return {
    ...rest,
    ...(read.length === 0 ? {} : { annotations: Object.fromEntries(read) }),
    ...(controller.length === 0 ? {} : { ownerReferences: controller }),
  };
}

function keptJob({ apiVersion, kind, spec, status }: JobObject): Omit<JobObject, 'metadata'> {
  const { suspend, ttlSecondsAfterFinished, completions } = spec ?? {};
  const { conditions, startTime, completionTime, active, failed } = status ?? {};
  return {
    apiVersion,
    kind,
    spec: defined({ suspend, ttlSecondsAfterFinished, completions }),
    status: defined({ conditions, startTime, completionTime, active, failed }),
  };
}

function keptPod(pod: PodObject): Omit<PodObject, 'metadata'> {
  const { apiVersion, kind, status } = pod;
  const { phase, reason, message, conditions } = status ?? {};
  const task = containerOf(pod);
  const others = (status?.containerStatuses ?? []).filter((container) => container !== task).slice(0, MOST_OTHERS);
  const first = initialising(pod);
  const containerStatuses = [...(task === undefined ? [] : [task]), ...others.map(keptOther)];
  return {
    apiVersion,
    kind,
    status: {
      ...defined({ phase, reason, message, conditions }),
      ...(containerStatuses.length === 0 ? {} : { containerStatuses }),
      ...(first === undefined ? {} : { initContainerStatuses: [first] }),
    },
  };
}

/** Of containers that others have put into a pod so many are known, by name and whether they go on or have failed. */
const MOST_OTHERS = 8;

function keptOther({ name, state: { running, terminated } = {} }: ContainerStatus): ContainerStatus {
  if (running !== undefined) return { name, state: { running: {} } };
  return terminated === undefined ? { name } : { name, state: { terminated: { exitCode: terminated.exitCode } } };
}

type Defined<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}
