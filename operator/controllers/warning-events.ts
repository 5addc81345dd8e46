import type { JobHistory } from '../decide/run/disruption.ts';
import type { Stuck } from '../decide/run/trouble.ts';
import { withoutRandomEnds } from '../decide/steady.ts';
import { type KubeApi, KubeError, type KubeObject, RESOURCES } from '../kube/api.ts';
import type { JobObject } from '../kube/objects.ts';

/** The part of an events.k8s.io/v1 event that is read. */
interface SeenEvent extends KubeObject {
  readonly type?: string;
  readonly reason?: string;
  readonly note?: string;
  readonly eventTime?: string | null;
  readonly deprecatedLastTimestamp?: string | null;
  readonly deprecatedCount?: number;
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string };
}

const LONGEST = 512;

/** Anybody may write events about anything: so many are looked at, and not however many there are. */
const MOST = 100;

/**
 * The newest warning about any of the objects since its present wait began, such as `FailedCreate: … serviceaccount "x"
 * not found`, in one line; undefined when there is none: what was amiss before that is over. Events are kept for an hour
 * and may be lost: nothing is decided on them, they only explain.
 */
export async function lastWarning(api: KubeApi, waits: readonly Stuck[]): Promise<string | undefined> {
  const warnings: SeenEvent[] = [];
  for (const { object, since } of waits) {
    const told = await eventsOf(api, object, ',type=Warning');
    warnings.push(...told.filter((one) => timeOf(one) >= Date.parse(since)));
  }
  return inOneLine(newestOf(warnings));
}

/** How many pods a Job without one has made, which was the last, and the newest warning since. */
export async function jobHistory(
  api: KubeApi,
  { object, since }: Stuck<JobObject>,
): Promise<JobHistory & { readonly warning?: string }> {
  const events = await eventsOf(api, object, '');
  const created = events.filter(({ reason }) => reason === 'SuccessfulCreate');
  const last = newestOf(created);
  const name = /Created pod: (\S+)/.exec(last?.note ?? '')?.[1];
  const from = Math.max(Date.parse(since), last === undefined ? 0 : timeOf(last) + 1);
  const warning = inOneLine(newestOf(events.filter((one) => one.type === 'Warning' && timeOf(one) >= from)));
  if (warning !== undefined) return { warning };
  // The cache may be of before it was made.
  const there = name !== undefined && (await api.get(RESOURCES.pods, `${object.metadata.namespace}/${name}`));
  if (name === undefined || there) return {};
  return { gone: name, made: created.reduce((sum, one) => sum + countOf(one), 0) };
}

async function eventsOf(api: KubeApi, { metadata }: Stuck['object'], more: string): Promise<readonly SeenEvent[]> {
  try {
    const fieldSelector = `regarding.uid=${metadata.uid}${more}`;
    const { items } = await api.list<SeenEvent>(RESOURCES.events, {
      namespace: metadata.namespace,
      fieldSelector,
      limit: MOST,
    });
    return items;
  } catch (error) {
    // Whoever may not read events still sees that something is stuck.
    if (!(error instanceof KubeError) || error.status !== 403) throw error;
    return [];
  }
}

function newestOf(events: readonly SeenEvent[]): SeenEvent | undefined {
  return events.toSorted((one, other) => timeOf(other) - timeOf(one))[0];
}

function inOneLine(event: SeenEvent | undefined): string | undefined {
  return event && withoutRandomEnds(`${event.reason}: ${event.note}`.replaceAll(/\s+/g, ' ')).slice(0, LONGEST);
}

function timeOf({ series, deprecatedLastTimestamp, eventTime }: SeenEvent): number {
  const time = Date.parse(series?.lastObservedTime ?? deprecatedLastTimestamp ?? eventTime ?? '');
  return Number.isNaN(time) ? 0 : time;
}

function countOf({ series, deprecatedCount }: SeenEvent): number {
  return Math.max(1, series?.count ?? deprecatedCount ?? 1);
}
