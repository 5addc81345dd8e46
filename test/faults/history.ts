import { setTimeout as pause } from 'node:timers/promises';
import type { Pipelines } from '../../contract/pipelines.ts';
import { type KubeApi, type KubeObject, RESOURCES } from '../../operator/kube/api.ts';
import type { JobObject, RunObject } from '../../operator/kube/objects.ts';
import { createJobOrder, type Rules } from './job-order.ts';

/**
 * What was ever made in a namespace. An end state does not show a Job that was made twice, with the first deleted in
 * between, nor two runs that went on at once; who has watched all the time knows.
 */
export interface History {
  /** Names of everything made so far, sorted, such as `Job keep-filter-1`; twice when it was made twice. */
  made(): Promise<readonly string[]>;
  /** Where a rule was broken on the way, a line each. */
  broken(rules: Rules, pipelines: Pipelines): readonly string[];
  stop(): Promise<void>;
}

const KINDS = [RESOURCES.retentionRuns, RESOURCES.jobs];

const AGAIN_MS = 100;

/** Watches past every proxy, through every fault of the API server. */
export async function startHistory(api: KubeApi, namespace: string): Promise<History> {
  const names = new Map<string, string>();
  const pipelineOf = new Map<string, string>();
  const order = createJobOrder();
  const stopping = new AbortController();
  const { signal } = stopping;

  function see(object: KubeObject): void {
    const { kind, metadata } = object;
    names.set(metadata.uid ?? '', `${kind} ${metadata.name}`);
    if (kind === 'RetentionRun') pipelineOf.set(metadata.name, (object as RunObject).spec.pipeline);
  }

  async function list(resource: (typeof KINDS)[number]): Promise<string> {
    const { items, resourceVersion } = await api.list(resource, { namespace });
    for (const item of items) see(item);
    if (resource === RESOURCES.jobs) order.seeAll(items as readonly JobObject[]);
    return resourceVersion;
  }

  async function follow(resource: (typeof KINDS)[number], from: string): Promise<void> {
    for (let version = from; !signal.aborted; ) {
      try {
        const scope = { namespace, resourceVersion: version, timeoutSeconds: 600 };
        for await (const event of api.watch(resource, scope, signal)) {
          if (event.type === 'BOOKMARK') continue;
          see(event.object);
          if (resource === RESOURCES.jobs) order.see(event.object as JobObject, event.type === 'DELETED');
          version = event.object.metadata.resourceVersion ?? version;
        }
      } catch {
        await pause(AGAIN_MS, undefined, { signal }).catch(() => {});
        // Where it was may be forgotten by now: what came and went in between was not seen.
        if (!signal.aborted) version = await list(resource).catch(() => version);
      }
    }
  }

  const following = await Promise.all(KINDS.map(async (resource) => ({ resource, from: await list(resource) })));
  const loops = following.map(({ resource, from }) => follow(resource, from));
  return {
    async made() {
      await Promise.all(KINDS.map(list));
      return [...names.values()].toSorted();
    },
    broken: (rules, pipelines) => order.broken(rules, (run) => pipelineOf.get(run), pipelines),
    async stop() {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}
