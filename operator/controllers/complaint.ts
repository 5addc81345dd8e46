import { type KubeApi, KubeError, type KubeObject, RESOURCES } from '../kube/api.ts';
import type { StoredMetadata } from '../objects.ts';

/** The part of an events.k8s.io/v1 event that is read. */
interface Complaint extends KubeObject {
  readonly type?: string;
  readonly reason?: string;
  readonly note?: string;
  readonly eventTime?: string | null;
  readonly deprecatedLastTimestamp?: string | null;
  readonly series?: { readonly lastObservedTime?: string };
}

const LONGEST = 512;

/** Anybody may write events about anything: so many are looked at, and not however many there are. */
const MOST = 100;

/**
 * The newest warning about any of the objects, such as `FailedCreate: … serviceaccount "x" not found`, in one line;
 * undefined when there is none. Events are kept for an hour and may be lost: nothing is decided on them, they only explain.
 */
export async function lastComplaint(
  api: KubeApi,
  objects: readonly (KubeObject & { readonly metadata: StoredMetadata })[],
): Promise<string | undefined> {
  const warnings: Complaint[] = [];
  for (const { metadata } of objects) {
    const fieldSelector = `regarding.uid=${metadata.uid},type=Warning`;
    try {
      const scope = { namespace: metadata.namespace, fieldSelector, limit: MOST };
      const { items } = await api.list<Complaint>(RESOURCES.events, scope);
      warnings.push(...items);
    } catch (error) {
      // Whoever may not read events still sees that something is stuck.
      if (!(error instanceof KubeError) || error.status !== 403) throw error;
    }
  }
  const newest = warnings.toSorted((one, other) => (timeOf(one) < timeOf(other) ? 1 : -1))[0];
  return newest && `${newest.reason}: ${newest.note}`.replaceAll(/\s+/g, ' ').slice(0, LONGEST);
}

function timeOf({ series, deprecatedLastTimestamp, eventTime }: Complaint): string {
  return series?.lastObservedTime ?? deprecatedLastTimestamp ?? eventTime ?? '';
}
