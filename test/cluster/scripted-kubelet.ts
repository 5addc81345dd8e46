import https from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { type KubeObject, RESOURCES } from '../../operator/kube/api.ts';
import { createClient } from '../../operator/kube/client.ts';
import { systemClock } from '../../operator/kube/clock.ts';
import type { JobObject, PodObject } from '../../operator/kube/objects.ts';
import { ANNOTATIONS } from '../../operator/objects/labels.ts';
import { type ApiAnswer, apiRequest } from './api-request.ts';
import type { ControlPlane } from './control-plane.ts';
import { condition, containers, type Ending, endingOf, now, verdict } from './scripted-status.ts';

/** The task that a Job is for. */
export interface ScriptedJob {
  readonly name: string;
  /** Name of its run. */
  readonly run: string;
  readonly stage: string;
  readonly task: string;
  readonly attempt: number;
}

/** Decides what becomes of a Job's pod; undefined leaves it running, and the script is asked again soon. */
export type Script = (job: ScriptedJob) => Ending | undefined;

/** What every task of a good run says. */
const GOOD: Script = () => ({ exitCode: 0, message: { rowsIn: 100, rowsOut: 10, counts: { candidates: 10 } } });

export interface ScriptedKubelet {
  /**
   * Resolves once nothing is written any more.
   * @throws Error when the API server refused something that a real kubelet or Job controller would have been allowed
   */
  stop(): Promise<void>;
}

export interface ScriptedKubeletOptions {
  /** Made when it is not there, and so is its service account, which no controller makes here. */
  readonly namespace: string;
  /** Default: every task ends well. */
  readonly script?: Script;
  /** How long a pod runs before the script is asked; default 0. */
  readonly delayMs?: number;
}

/** The API server is away for a while when it is started again. */
const AGAIN_MS = 100;

/** While a script leaves a Job running. */
const ASK_AGAIN_MS = 50;

/** The Job or its pod is not there any more: there is nothing left to play. */
class Gone extends Error {}

/**
 * Plays the Job controller, the kubelet and, for pods, the garbage collector, against a real API server that has no
 * controller manager. Each Job gets one pod: a status other than 0 fails the Job as if its retries were used up.
 */
export async function startScriptedKubelet(
  plane: ControlPlane,
  { namespace, script = GOOD, delayMs = 0 }: ScriptedKubeletOptions,
): Promise<ScriptedKubelet> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const agent = new https.Agent({ keepAlive: true });
  const request = apiRequest({ url: plane.url, token: plane.token, caFile: plane.caFile, agent });
  const client = createClient({
    kubeconfig: plane.kubeconfig,
    clock: systemClock,
    userAgent: 'holdfast-test/scripted-kubelet',
  });
  const jobs = new Map<string, JobObject>();
  const playing = new Map<string, Promise<void>>();
  const faults: unknown[] = [];

  /** Asks until there is an answer: the API server may be away. */
  async function ask(method: string, path: string, body?: object): Promise<ApiAnswer> {
    for (;;) {
      signal.throwIfAborted();
      const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const answer = await request(method, path, body, contentType).catch(() => undefined);
      const status = answer?.status ?? 0;
      if (answer === undefined || status === 429 || status >= 500 || (status === 409 && method === 'PATCH')) {
        await pause(AGAIN_MS, undefined, { signal });
        continue;
      }
      if (status < 300 || (status === 409 && method === 'POST')) return answer;
      const { message } = answer.body as { message?: string };
      if (status === 404 || (status === 403 && /being terminated/.test(message ?? ''))) throw new Gone();
      throw new Error(`${method} ${path}: ${status} ${message}`);
    }
  }

  const podsPath = `/api/v1/namespaces/${namespace}/pods`;
  const jobsPath = `/apis/batch/v1/namespaces/${namespace}/jobs`;

  const isWanted = (uid: string) => jobs.has(uid) && jobs.get(uid)?.spec?.suspend !== true;

  async function play(uid: string): Promise<void> {
    const job = jobs.get(uid);
    if (job === undefined) return await removePods(uid);
    if (isFinished(job)) return;
    if (job.spec?.suspend === true) return await suspend(job);
    const { name } = job.metadata;
    const jobStatus = (status: object) => ask('PATCH', `${jobsPath}/${name}/status`, { metadata: { uid }, status });

    const pod = await podFor(job);
    const podStatus = (status: object) => ask('PATCH', `${podsPath}/${pod.metadata.name}/status`, { status });
    const startTime = job.status?.startTime ?? now();
    let ending = endingOf(pod);
    if (ending === undefined) {
      await podStatus({ phase: 'Running', startTime: now(), containerStatuses: containers(pod, { startedAt: now() }) });
      const resumed = (job.status?.conditions ?? []).map((condition) =>
        condition.type === 'Suspended' ? { ...condition, status: 'False', reason: 'JobResumed' } : condition,
      );
      await jobStatus({ startTime, active: 1, ready: 1, terminating: 0, conditions: resumed });
      await pause(delayMs, undefined, { signal });
      ending = script(scripted(job));
      while (ending === undefined && isWanted(uid)) {
        await pause(ASK_AGAIN_MS, undefined, { signal });
        ending = script(scripted(job));
      }
      if (ending === undefined || !isWanted(uid)) return;
      await podStatus({
        phase: ending.exitCode === 0 ? 'Succeeded' : 'Failed',
        containerStatuses: containers(pod, { startedAt: startTime, ending }),
      });
    }
    // As the real one: first what will come of it, then, once every pod is counted, that it has.
    const good = ending.exitCode === 0;
    const counted = good ? 'succeeded' : 'failed';
    const [target, final] = verdict(ending);
    await jobStatus({
      startTime,
      active: 0,
      ready: 0,
      uncountedTerminatedPods: { [counted]: [pod.metadata.uid] },
      conditions: [target],
    });
    await jobStatus({
      [counted]: 1,
      uncountedTerminatedPods: { [counted]: null },
      ...(good ? { completionTime: now() } : {}),
      conditions: [target, final],
    });
  }

  async function podFor(job: JobObject): Promise<PodObject> {
    const { name, uid } = job.metadata;
    const { template } = job.spec as unknown as { template: { metadata: KubeObject['metadata']; spec: object } };
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        labels: template.metadata.labels,
        annotations: template.metadata.annotations,
        // Another for each start, so that a Job that is resumed gets a new one; the same when we ask twice.
        name: `${name}-${uid.slice(0, 5)}${job.status?.conditions?.some(({ type }) => type === 'Suspended') ? `-${job.metadata.generation}` : ''}`,
        ownerReferences: [
          { apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true, blockOwnerDeletion: true },
        ],
      },
      spec: template.spec,
    };
    const { status, body } = await ask('POST', podsPath, pod);
    return status === 409 ? (await ask('GET', `${podsPath}/${pod.metadata.name}`)).body : body;
  }

  /** A suspended Job has no pods. */
  async function suspend(job: JobObject): Promise<void> {
    const { name, uid } = job.metadata;
    await removePods(uid);
    if (job.status?.conditions?.some(({ type, status }) => type === 'Suspended' && status === 'True')) return;
    await ask('PATCH', `${jobsPath}/${name}/status`, {
      metadata: { uid },
      status: { active: 0, ready: 0, startTime: null, conditions: [condition('Suspended', 'JobSuspended')] },
    });
  }

  async function removePods(uid: string): Promise<void> {
    const { body } = await ask('GET', `${podsPath}?labelSelector=batch.kubernetes.io/controller-uid=${uid}`);
    for (const pod of body.items) {
      await ask('DELETE', `${podsPath}/${pod.metadata.name}?gracePeriodSeconds=0`).catch(unlessGone);
    }
  }

  /** One step at a time for each Job; a change in between is looked at afterwards. */
  function wake(uid: string): void {
    const before = playing.get(uid) ?? Promise.resolve();
    const step = before
      .then(() => play(uid))
      .catch(unlessGone)
      .catch((error: unknown) => {
        if (signal.aborted) return;
        process.stderr.write(`scripted kubelet: ${String(error)}\n`);
        faults.push(error);
      })
      .finally(() => {
        if (playing.get(uid) === step) playing.delete(uid);
      });
    playing.set(uid, step);
  }

  function learn(job: JobObject): void {
    const { uid } = job.metadata;
    const known = jobs.get(uid);
    jobs.set(uid, job);
    // Its own status writes come back too.
    if (known === undefined || known.spec?.suspend !== job.spec?.suspend) wake(uid);
  }

  function forget(uid: string): void {
    jobs.delete(uid);
    wake(uid);
  }

  async function follow(): Promise<void> {
    const { items, resourceVersion } = await client.list<JobObject>(RESOURCES.jobs, { namespace }, signal);
    const there = new Set(items.map(({ metadata }) => metadata.uid));
    for (const uid of jobs.keys()) if (!there.has(uid)) forget(uid);
    for (const job of items) learn(job);
    const scope = { namespace, resourceVersion, timeoutSeconds: 600 };
    for await (const event of client.watch<JobObject>(RESOURCES.jobs, scope, signal)) {
      if (event.type === 'BOOKMARK') continue;
      if (event.type === 'DELETED') forget(event.object.metadata.uid);
      else learn(event.object);
    }
  }

  await ask('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
  await ask('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'default' } });
  const following = (async () => {
    while (!signal.aborted) {
      await follow().catch(() => pause(AGAIN_MS, undefined, { signal }).catch(() => {}));
    }
  })();

  return {
    async stop() {
      stopping.abort();
      await following;
      await Promise.all(playing.values());
      client.close();
      agent.destroy();
      if (faults.length > 0) throw faults[0];
    },
  };
}

function unlessGone(error: unknown): void {
  if (!(error instanceof Gone)) throw error;
}

function isFinished(job: JobObject): boolean {
  return (
    job.status?.conditions?.some(({ type, status }) => ['Complete', 'Failed'].includes(type) && status === 'True') ===
    true
  );
}

function scripted({ metadata: { name, labels = {}, annotations = {} } }: JobObject): ScriptedJob {
  return {
    name,
    run: annotations[ANNOTATIONS.run] ?? '',
    stage: labels['holdfast.dev/stage'] ?? '',
    task: labels['holdfast.dev/task'] ?? '',
    attempt: Number(labels['holdfast.dev/attempt'] ?? 1),
  };
}
