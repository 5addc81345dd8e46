import type { KubeObject } from '../../operator/kube/api.ts';

const LEFT_OUT = new Set([
  'uid',
  'resourceVersion',
  'managedFields',
  'controller-uid',
  'batch.kubernetes.io/controller-uid',
]);

const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** In a sentence: slots are at whole hours wherever this is used, and stay. */
const TIMES = /\d{4}-\d\d-\d\dT\d\d:(?!00:00)\d\d:\d\dZ/g;

/** Instants that follow from the schedule; `value` is that of a variable of a pod, such as its slot. */
const KEPT = new Set(['slot', 'lastSlot', 'lastSucceededSlot', 'nextSlot', 'since', 'value']);

/** Variables of a pod whose value is the uid of a run. */
const RUN_UIDS = new Set<unknown>(['HOLDFAST_RUN_UID', 'HOLDFAST_RETRY_OF_UID']);

/** An object without what differs from one history to the next: uids, versions, times, and the name of its namespace. */
export function timeless(object: KubeObject, namespace: string): unknown {
  const text = JSON.stringify(object, (key, value: unknown) => {
    if (LEFT_OUT.has(key)) return undefined;
    if (isRunUid(value)) return null;
    if (typeof value !== 'string') return value;
    if (INSTANT.test(value) && !KEPT.has(key)) return 'some time';
    return timelessText(value, namespace);
  });
  return JSON.parse(text);
}

/** The same of a sentence. */
export function timelessText(text: string, namespace: string): string {
  return text.replaceAll(namespace, 'the namespace').replaceAll(TIMES, 'some time');
}

function isRunUid(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'name' in value && RUN_UIDS.has(value.name);
}
