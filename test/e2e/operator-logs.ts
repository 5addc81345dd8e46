import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { findBinaries } from '../cluster/binaries.ts';
import type { Cluster } from '../cluster/one-node.ts';

/** What operators said, those that are gone included, whose logs the node forgets with their pods. */
export interface OperatorLogs {
  /** Every line so far, by pod. */
  lines(): ReadonlyMap<string, readonly string[]>;
  stop(): Promise<void>;
}

/** Follows the log of each operator's pod in a namespace from its start. */
export function keepLogs(cluster: Cluster, namespace: string): OperatorLogs {
  const texts = new Map<string, string>();
  const following = new Map<string, ChildProcess>();
  const stopped = new AbortController();

  async function look(): Promise<void> {
    const { kubectl } = await findBinaries(['kubectl']);
    const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=app.kubernetes.io/component=operator`;
    while (!stopped.signal.aborted) {
      const { body } = await cluster.plane.request('GET', encodeURI(path)).catch(() => ({ body: undefined }));
      for (const pod of body?.items ?? []) {
        const { name } = pod.metadata;
        const runs = pod.status?.containerStatuses?.[0]?.started === true;
        if (runs && !following.has(name)) following.set(name, follow(kubectl, name));
      }
      await pause(500, undefined, { signal: stopped.signal }).catch(() => {});
    }
  }

  function follow(kubectl: string, pod: string): ChildProcess {
    const child = spawn(kubectl, ['logs', '--follow', '--namespace', namespace, pod], {
      env: { ...process.env, KUBECONFIG: cluster.plane.kubeconfig },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    texts.set(pod, '');
    child.stdout.on('data', (more) => texts.set(pod, `${texts.get(pod)}${more}`));
    child.once('error', () => {});
    return child;
  }

  const looking = look();
  return {
    lines: () => new Map([...texts].map(([pod, text]) => [pod, text.split('\n').filter((line) => line !== '')])),
    async stop() {
      stopped.abort();
      await looking;
      for (const child of following.values()) child.kill();
    },
  };
}
