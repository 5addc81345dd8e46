import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import { type KubeObject, RESOURCES } from '../../operator/kube/api.ts';
import { createClient } from '../../operator/kube/client.ts';
import { systemClock } from '../../operator/kube/clock.ts';
import type { JobObject, ProgramObject, RunObject } from '../../operator/kube/objects.ts';
import { type Operator, operate } from '../../operator/operate.ts';
import { testOnControlPlane } from '../cluster/availability.ts';
import { findBinaries } from '../cluster/binaries.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { pipelineStatusOf, program, programSpec, run, STAGE_SETTINGS } from '../support/program.ts';
import { until } from '../support/until.ts';
import { holdfast } from '../support/workspace.ts';

const ROOT = join(import.meta.dirname, '../..');
const execute = promisify(execFile);

const testOnServer = await testOnControlPlane();
const testWithKubectl = await testOnControlPlane(['kubectl']);

const { retentionPrograms, retentionRuns, jobs, pods } = RESOURCES;

/** At work at once. */
const MOST_RUNS = 3;

let plane: ControlPlane;
let client: ReturnType<typeof createClient>;
let operator: Operator;
let kubelet: AbortController | undefined;
const log: string[] = [];

beforeAll(async () => {
  plane = await startControlPlane();
  client = createClient({ kubeconfig: plane.kubeconfig, clock: systemClock, userAgent: 'holdfast/test' });
  await client.create(
    { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: true },
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop' },
    },
  );
  operator = await operate(client, {
    settings: {
      ...STAGE_SETTINGS,
      watchNamespaces: ['shop'],
      maxRuns: MOST_RUNS,
      namespace: 'default',
      lease: 'holdfast',
      instance: 'test',
      port: 0,
      kubeconfig: plane.kubeconfig,
    },
    clock: systemClock,
    random: Math.random,
    log: (line) => log.push(line),
  });
}, 120_000);

afterEach(() => kubelet?.abort());

afterAll(async () => {
  await operator?.stop();
  client?.close();
  await plane?.stop();
}, 60_000);

/** Looks until it holds; when it does not, the operator's log tells more than the state does. */
async function eventually<State>(
  what: string,
  look: () => Promise<State>,
  holds: (state: State) => boolean,
  seconds = 60,
): Promise<State> {
  return await until(what, look, holds, seconds * 1000).catch((cause: Error) => {
    throw new Error(`${cause.message}\n${log.join('\n')}`, { cause });
  });
}

const runNamed = (name: string) => () => client.get<RunObject>(retentionRuns, `shop/${name}`);

const reconciling = (found: RunObject | undefined) =>
  found?.status?.conditions?.find(({ type }) => type === 'Reconciling');

/** Ends the pod of each Job as the script says, as the kubelet of a node would; nothing here can run one. */
function playKubelet(
  script: (task: string, index: string) => { readonly exitCode: number; readonly message: object } | undefined,
): void {
  kubelet = new AbortController();
  const { signal } = kubelet;
  void (async () => {
    while (!signal.aborted) {
      const { items } = await client.list<KubeObject & { status?: { phase?: string } }>(pods, { namespace: 'shop' });
      for (const pod of items.filter(({ status }) => status?.phase === 'Pending')) {
        const task = pod.metadata.labels?.['holdfast.dev/task'] ?? '';
        const ending = script(task, pod.metadata.labels?.['batch.kubernetes.io/job-completion-index'] ?? '');
        if (ending === undefined) continue;
        const { exitCode, message } = ending;
        const terminated = {
          exitCode,
          reason: exitCode === 0 ? 'Completed' : 'Error',
          message: JSON.stringify(message),
          startedAt: '2026-11-23T02:00:00Z',
          finishedAt: '2026-11-23T02:00:01Z',
        };
        const status = {
          phase: exitCode === 0 ? 'Succeeded' : 'Failed',
          containerStatuses: [
            { name: 'task', image: 'x', imageID: 'x', ready: false, restartCount: 0, state: { terminated } },
          ],
        };
        const path = `/api/v1/namespaces/shop/pods/${pod.metadata.name}/status`;
        await plane.request('PATCH', path, { status }, 'application/merge-patch+json');
      }
      await pause(50);
    }
  })().catch(() => {});
}

/** The run once it says that it is over. */
async function finished(name: string): Promise<RunObject> {
  const isOver = (found: RunObject | undefined) => found?.status?.completionTime !== undefined;
  return (await eventually(`the run ${name} is over`, runNamed(name), isOver)) as RunObject;
}

testOnServer(
  'on a real API server a run goes through its Jobs, and its program says how it went',
  async () => {
    playKubelet(() => ({ exitCode: 0, message: { rowsIn: 10, rowsOut: 5, counts: { candidates: 5 } } }));
    await client.create(retentionPrograms, program());
    await client.create(retentionRuns, run('good'));
    const { status } = await finished('good');
    expect(status).toMatchObject({ phase: 'Succeeded', observedGeneration: 1 });
    expect(status?.stages?.map(({ name, phase, rowsOut }) => `${name} ${phase} ${rowsOut}`)).toEqual([
      'extract Succeeded 5',
      'filter Succeeded 5',
      'score Succeeded 5',
      'offer Succeeded 5',
      'store Succeeded 5',
    ]);
    const made = await client.list<JobObject>(jobs, { namespace: 'shop' });
    expect(made.items).toHaveLength(6);
    const keep = await eventually(
      'the program says how its run went',
      () => client.get<ProgramObject>(retentionPrograms, 'shop/keep'),
      (found) => pipelineStatusOf(found)?.lastRun?.phase === 'Succeeded',
    );
    expect(pipelineStatusOf(keep)?.lastRun).toMatchObject({ name: 'good', candidates: 5 });
    expect(keep?.status?.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('True');
    expect(log.filter((line) => !/^(watching|leading)$/.test(line))).toEqual([]);
  },
  90_000,
);

testOnServer(
  'on a real API server exit status 78 fails the Job at once, and the run with the code of its error',
  async () => {
    const error = { code: 'HF_MODEL_MISSING', message: 'the model is not there' };
    playKubelet((task) => (task === 'score' ? { exitCode: 78, message: { error } } : { exitCode: 0, message: {} }));
    await client.create(retentionRuns, run('bad'));
    const { status } = await finished('bad');
    expect(status?.phase).toBe('Failed');
    expect(status?.stages?.find(({ name }) => name === 'score')).toMatchObject({
      errorCode: 'HF_MODEL_MISSING',
      attempt: 1,
    });
    const job = await client.get<JobObject>(jobs, 'shop/bad-score-1');
    expect(job?.status).toMatchObject({ failed: 1 });
  },
  90_000,
);

testOnServer(
  'what a person asks by the command the operator does: a retry goes on where the run failed, a run is triggered, one cancelled',
  async () => {
    const verb = (...args: string[]) =>
      holdfast([...args, '--cluster', '-n', 'shop'], { environment: { KUBECONFIG: plane.kubeconfig } });
    playKubelet((task) => ({ exitCode: 0, message: task === 'migrate' ? { reused: ['extract', 'filter'] } : {} }));
    const retried = await verb('retry', 'bad', '--wait', '-o', 'json');
    expect([retried.status, JSON.parse(retried.stdout)]).toEqual([
      0,
      expect.objectContaining({ phase: 'Succeeded', trigger: 'retry' }),
    ]);
    expect(retried.stderr).toContain('reused from bad');
    const again = await verb('retry', 'bad');
    expect([again.status, again.stderr]).toEqual([78, expect.stringContaining('was retried, and that succeeded')]);
    const triggered = await verb('trigger', 'keep', '--wait');
    expect([triggered.status, triggered.stdout]).toEqual([0, expect.stringContaining('-manual-1 Succeeded: ')]);
    // Nothing ends its pods.
    kubelet?.abort();
    const { run: name } = JSON.parse((await verb('trigger', 'keep', '-o', 'json')).stdout);
    await eventually('it is under way', runNamed(name), (found) => found?.status?.phase === 'Running');
    const cancelled = await verb('cancel', name, '--wait');
    expect([cancelled.status, cancelled.stdout]).toEqual([0, `${name} Cancelled: the run was cancelled\n`]);
  },
  90_000,
);

testOnServer(
  'on a real API server a run that failed is tried again, but for what it had done',
  async () => {
    const bad = (await runNamed('bad')()) as RunObject;
    playKubelet((task) => ({ exitCode: 0, message: task === 'migrate' ? { reused: ['extract', 'filter'] } : {} }));
    const retryOf = { name: 'bad', uid: bad.metadata.uid };
    await client.create(retentionRuns, run('again', { trigger: 'retry', retryOf }));
    const { status } = await finished('again');
    const { slot, revision, revisionDigest } = bad.status ?? {};
    expect(status).toMatchObject({ phase: 'Succeeded', slot, revision, revisionDigest });
    expect(status?.stages?.map(({ name, message }) => [name, message])).toEqual([
      ['extract', 'reused from bad'],
      ['filter', 'reused from bad'],
      ['score', undefined],
      ['offer', undefined],
      ['store', undefined],
    ]);
    const { items } = await client.list<JobObject>(jobs, { namespace: 'shop' });
    const made = items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith('again-'));
    expect(made.toSorted()).toEqual(['again-extract-migrate-1', 'again-offer-1', 'again-score-1', 'again-store-1']);
    await client.create(retentionRuns, run('yet-again', { trigger: 'retry', retryOf: { ...retryOf, uid: 'another' } }));
    const refused = await finished('yet-again');
    expect(refused.status?.conditions?.find(({ type }) => type === 'Failed')).toMatchObject({
      status: 'True',
      reason: 'NothingToRetry',
    });
  },
  90_000,
);

testOnServer(
  'on a real API server no more runs are at work at once than may be, and all of them get done',
  async () => {
    playKubelet(() => ({ exitCode: 0, message: {} }));
    const names = ['many-1', 'many-2', 'many-3', 'many-4', 'many-5', 'many-6'];
    await Promise.all(names.map((name) => client.create(retentionPrograms, program({ programId: name }, name))));
    await Promise.all(names.map((name) => client.create(retentionRuns, run(name, { programRef: { name } }))));
    let most = 0;
    await eventually(
      'all runs are over',
      async () => {
        const { items } = await client.list<JobObject>(jobs, { namespace: 'shop' });
        const active = items.filter(({ status }) => status?.conditions === undefined);
        most = Math.max(most, new Set(active.map(({ metadata }) => metadata.ownerReferences?.[0]?.name)).size);
        return await Promise.all(names.map((name) => runNamed(name)()));
      },
      (found) => found.every((one) => one?.status?.phase === 'Succeeded'),
    );
    expect(most).toBeLessThanOrEqual(MOST_RUNS);
  },
  120_000,
);

testOnServer(
  'on a real API server a stage in shards is an Indexed Job: one whose shard is tried again and succeeds is gathered',
  async () => {
    const tries = new Map<string, number>();
    const error = { code: 'HF_DISK_FULL', message: 'no room left on the disk' };
    playKubelet((task, index) => {
      const before = tries.get(`${task} ${index}`) ?? 0;
      tries.set(`${task} ${index}`, before + 1);
      if (task !== 'shards') return { exitCode: 0, message: { rowsOut: 5 } };
      return index === '1' && before === 0 ? { exitCode: 1, message: { error } } : { exitCode: 0, message: {} };
    });
    const execution = { ...programSpec().execution, shards: 3 };
    await client.create(retentionPrograms, program({ programId: 'divided', execution }, 'divided'));
    await client.create(retentionRuns, run('divided', { programRef: { name: 'divided' } }));
    const retried = await eventually(
      'the run names the shard that failed',
      runNamed('divided'),
      (found) => reconciling(found)?.reason === 'Retrying',
    );
    expect(reconciling(retried)?.message).toBe(
      'score/shards: it is tried again after HF_DISK_FULL: shard 1: no room left on the disk',
    );
    const { status } = await finished('divided');
    expect(status?.phase).toBe('Succeeded');
    expect(status?.stages?.find(({ name }) => name === 'score')).toMatchObject({ task: 'score', rowsOut: 5 });
    const job = await client.get<any>(jobs, 'shop/divided-score-shards-1');
    expect(job?.spec).toMatchObject({ completionMode: 'Indexed', completions: 3, parallelism: 3 });
    expect(job?.status).toMatchObject({ succeeded: 3, failed: 1, completedIndexes: '0-2' });
    const made = await client.list(pods, { namespace: 'shop' });
    const index = ({ metadata }: KubeObject) => metadata.labels?.['batch.kubernetes.io/job-completion-index'];
    const ofShards = made.items.filter(({ metadata }) => metadata.name.startsWith('divided-score-shards-1-'));
    expect(ofShards.map((pod) => Number(index(pod))).sort((one, other) => one - other)).toEqual([0, 1, 1, 2]);
    const [pod] = ofShards as any[];
    const { env } = pod.spec.containers[0];
    expect(env.find(({ name }: { name: string }) => name === 'JOB_COMPLETION_INDEX')).toBeDefined();
  },
  120_000,
);

testOnServer(
  'on a real API server a shard that cannot be done fails the run with its own error, not with that of those it ended',
  async () => {
    const error = { code: 'HF_MODEL_MISSING', message: 'the model is not there' };
    playKubelet((task, index) => {
      if (task !== 'shards') return { exitCode: 0, message: {} };
      // The others go on until the Job ends them.
      return index === '2' ? { exitCode: 78, message: { error } } : undefined;
    });
    await client.create(retentionRuns, run('undone', { programRef: { name: 'divided' } }));
    const { status } = await finished('undone');
    expect(status?.stages?.find(({ name }) => name === 'score')).toMatchObject({
      phase: 'Failed',
      errorCode: 'HF_MODEL_MISSING',
      message: 'shard 2: the model is not there',
    });
  },
  90_000,
);

testOnServer(
  'on a real API server a shard that fails too often ends the others, and the run says which it was',
  async () => {
    const error = { code: 'HF_DISK_FULL', message: 'no room left on the disk' };
    playKubelet((task, index) => {
      if (task !== 'shards') return { exitCode: 0, message: {} };
      return index === '0' ? { exitCode: 1, message: { error } } : undefined;
    });
    const execution = { ...programSpec().execution, shards: 2, retries: 0 };
    await client.create(retentionPrograms, program({ programId: 'frail', execution }, 'frail'));
    await client.create(retentionRuns, run('frail', { programRef: { name: 'frail' } }));
    const { status } = await finished('frail');
    expect(status?.stages?.find(({ name }) => name === 'score')).toMatchObject({
      phase: 'Failed',
      errorCode: 'HF_DISK_FULL',
      message: 'shard 0: no room left on the disk',
    });
  },
  90_000,
);

testWithKubectl(
  'a program that has run is still what was applied: kubectl diff finds nothing, and what kubectl get shows is to the second',
  async () => {
    playKubelet(() => ({ exitCode: 0, message: { rowsIn: 10, rowsOut: 0, counts: { candidates: 0 } } }));
    const { kubectl } = await findBinaries(['kubectl']);
    const ask = async (...args: string[]) => {
      const environment = { ...process.env, KUBECONFIG: plane.kubeconfig };
      return (await execute(kubectl, ['--namespace', 'shop', ...args], { cwd: ROOT, env: environment })).stdout;
    };
    const file = 'examples/churn-prevention.yaml';
    await ask('apply', '-f', file);
    await client.create(retentionRuns, run('by-hand', { programRef: { name: 'churn-prevention' } }));
    await finished('by-hand');
    await eventually(
      'the program says how its run went',
      () => client.get<ProgramObject>(retentionPrograms, 'shop/churn-prevention'),
      (found) => pipelineStatusOf(found)?.lastRun?.phase === 'Succeeded',
    );
    // It ends with 1 where anything differs.
    expect(await ask('diff', '-f', file)).toBe('');
    // Defaults within lists make kubectl send them again; nothing changes by it.
    await ask('apply', '-f', file);
    expect(await ask('get', 'rp', 'churn-prevention', '--output=jsonpath={.metadata.generation}')).toBe('1');
    // From then on as Flux does.
    await ask('apply', '--server-side', '--force-conflicts', '-f', file);
    expect(await ask('diff', '--server-side', '-f', file)).toBe('');
    const shown = await ask('get', 'rp', 'churn-prevention', '--output=wide');
    expect(shown).toMatch(
      / Succeeded +0 +NoCandidates +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ .* by-hand: every task is done, and nobody/,
    );
    expect(await ask('get', 'rr', 'by-hand')).toMatch(/ \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ /);
    const statuses = await ask('get', 'rp,rr', '--output=json');
    expect(statuses).not.toMatch(/T\d\d:\d\d:\d\d\.\d+Z/);
    expect(await ask('events', '--for=retentionrun/by-hand')).toMatch(/Warning +NoCandidates/);
  },
  90_000,
);

testOnServer(
  'an evicted pod is told as that, with the end of the wait, and not as the quota that was in the way of it before',
  async () => {
    const namespace = '/api/v1/namespaces/shop';
    const podOf = async () => {
      const { items } = await client.list(pods, { namespace: 'shop', labelSelector: 'holdfast.dev/run=evicted' });
      return items.find(({ metadata }) => metadata.deletionTimestamp === undefined)?.metadata.name;
    };
    const events = () => plane.request('GET', `${namespace}/events?fieldSelector=reason%3DFailedCreate`);
    const quota = { metadata: { name: 'none' }, spec: { hard: { pods: '0' } } };
    await plane.request('POST', `${namespace}/resourcequotas`, quota);
    await client.create(retentionPrograms, program({ programId: 'evicted' }, 'evicted'));
    await client.create(retentionRuns, run('evicted', { programRef: { name: 'evicted' } }));
    await eventually('the quota is in the way', events, (found) => JSON.stringify(found).includes('exceeded quota'));
    await plane.request('DELETE', `${namespace}/resourcequotas/none`);
    const name = await eventually('a pod is made', podOf, (found) => found !== undefined);
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'shop' } };
    await plane.request('POST', `${namespace}/pods/${name}/eviction`, eviction);
    const told = await eventually('the run says what became of its pod', runNamed('evicted'), (found) =>
      / makes another by /.test(reconciling(found)?.message ?? ''),
    );
    expect(reconciling(told)).toMatchObject({
      reason: 'PodDisrupted',
      message: expect.stringMatching(
        new RegExp(`^extract/migrate: its pod ${name} was evicted .*; the Job makes another by \\d{4}-.*Z$`),
      ),
    });
    const until = Date.parse(told?.status?.stages?.[0]?.nextTryTime ?? '');
    const next = await eventually('another is made', podOf, (found) => found !== undefined && found !== name);
    const { metadata } = (await client.get(pods, `shop/${next}`)) as JobObject;
    // Kubernetes' times are whole seconds.
    expect(Date.parse(metadata.creationTimestamp)).toBeLessThanOrEqual(until + 2000);
    playKubelet(() => ({ exitCode: 0, message: {} }));
    const over = await finished('evicted');
    expect(over.status?.stages?.map(({ message, nextTryTime }) => [message, nextTryTime])).toEqual(
      Array.from({ length: 5 }, () => [undefined, undefined]),
    );
  },
  180_000,
);

testOnServer(
  'a service account that is missing is named, and the run goes on when it appears',
  async () => {
    playKubelet(() => ({ exitCode: 0, message: {} }));
    const execution = { ...programSpec().execution, serviceAccountName: 'tasks' };
    await client.create(retentionPrograms, program({ programId: 'other', execution }, 'other'));
    await client.create(retentionRuns, run('waits', { programRef: { name: 'other' } }));
    const stuck = await eventually(
      'the run says that it has no pod',
      runNamed('waits'),
      (found) => reconciling(found)?.reason === 'NoPod',
      90,
    );
    expect(reconciling(stuck)?.message).toMatch(/FailedCreate: .*serviceaccount "tasks" not found/);
    await plane.request('POST', '/api/v1/namespaces/shop/serviceaccounts', { metadata: { name: 'tasks' } });
    const over = await eventually(
      'the run goes on',
      runNamed('waits'),
      (found) => found?.status?.phase === 'Succeeded',
      150,
    );
    expect(over?.status?.stages?.map(({ message }) => message)).toEqual(Array.from({ length: 5 }));
  },
  300_000,
);

testOnServer(
  'a namespace that is deleted in the middle of a run is gone soon, and the operator has nothing to complain of',
  async () => {
    await client.create(retentionRuns, run('doomed'));
    await eventually('the run is under way', runNamed('doomed'), (found) => found?.status?.phase === 'Running');
    log.length = 0;
    await plane.request('DELETE', '/api/v1/namespaces/shop');
    await eventually(
      'the namespace is gone',
      async () => (await plane.request('GET', '/api/v1/namespaces/shop')).status,
      (status) => status === 404,
      90,
    );
    expect(log).toEqual([]);
  },
  150_000,
);
