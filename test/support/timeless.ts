import type { KubeObject } from '../../operator/kube/api.ts';

const LEFT_OUT = new Set([
  'uid',
  'resourceVersion',
  'managedFields',
  'controller-uid',
  'batch.kubernetes.io/controller-uid',
]);

const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** Instants that follow from the schedule; `value` is that of a variable of a pod, such as its slot. */
const KEPT = new Set(['slot', 'lastSlot', 'lastSucceededSlot', 'nextSlot', 'since', 'value']);

/** An object without what differs from one history to the next: uids, versions, times, and the name of its namespace. */
export function timeless(object: KubeObject, namespace: string): unknown {
  const text = JSON.stringify(object, (key, value: unknown) => {
    if (LEFT_OUT.has(key)) return undefined;
    if (isRunUid(value)) return null;
    if (typeof value !== 'string') return value;
    if (INSTANT.test(value) && !KEPT.has(key)) return 'some time';
    return value.replaceAll(namespace, 'the namespace');
  });
  return JSON.parse(text);
}

function isRunUid(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'name' in value && value.name === 'HOLDFAST_RUN_UID';
}
