import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RetentionProgramSpec } from '../../crds/index.ts';
import { type KubeObject, RESOURCES } from '../../operator/kube/api.ts';
import { createClient } from '../../operator/kube/client.ts';
import { systemClock } from '../../operator/kube/clock.ts';
import type { Lease } from '../../operator/kube/lease.ts';
import type { JobObject, ProgramObject, RunObject } from '../../operator/kube/objects.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { type OperatorProcess, startOperator } from '../cluster/operator-process.ts';
import { startScriptedKubelet } from '../cluster/scripted-kubelet.ts';
import { program, run } from '../support/program.ts';
import { type Sightings, watchFor } from './sightings.ts';
import { type JobTimes, jobTimes } from './transitions.ts';
import { auditFlags, operatorWrites, type Write } from './writes.ts';

export const NAMESPACE = 'shop';
const LEASE_NAMESPACE = 'default';
const PATH = `/apis/holdfast.dev/v1alpha1/namespaces/${NAMESPACE}`;

/** The newest slot of every program: some time ago, so that the next is far away. To the minute. */
export const NEWEST_SLOT = new Date(Math.floor(Date.now() / 60_000 - 90) * 60_000);

/** A schedule, in UTC, that has a slot at this time of day. */
export function dailyAt(slot: Date): string {
  return `${slot.getUTCMinutes()} ${slot.getUTCHours()} * * *`;
}

/** A real API server, a kubelet that plays every task, and operators that come and go: what the bench measures on. */
export interface Shop extends AsyncDisposable {
  readonly plane: ControlPlane;
  readonly programs: Sightings<ProgramObject>;
  readonly runs: Sightings<RunObject>;
  readonly jobs: Sightings<JobObject>;
  /** Where the operators take turns. */
  readonly leases: Sightings<Lease>;
  readonly times: JobTimes;
  /** What the operators have written so far. */
  writes(): Promise<readonly Write[]>;
  /** Starts an operator that watches this namespace, or others; resolves when it listens. */
  operator(name: string, main: string, ...namespaces: readonly string[]): Promise<OperatorProcess>;
  /** One whose slot comes once a day, and not within hours. */
  makeProgram(name: string, change?: Partial<RetentionProgramSpec>): Promise<ProgramObject>;
  makeRun(program: string, name: string, change?: Partial<RunObject['spec']>, metadata?: object): Promise<void>;
  setStatus(plural: 'retentionprograms' | 'retentionruns', name: string, status: object): Promise<void>;
  /** Resolves once the run says that it has succeeded. */
  succeeded(run: string): Promise<void>;
  /** How long the pods of further Jobs run; 0 at first. */
  runFor(milliseconds: number): void;
  /** Leaves the pod of this Job running until `release`. */
  hold(job: string): void;
  release(job: string): void;
}

export async function openShop(): Promise<Shop> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const plane = opening.use(
    await startControlPlane({
      controllerManager: false,
      parentFolder: folder,
      apiServerFlags: await auditFlags(folder),
    }),
  );
  const held = new Set<string>();
  const ends = new Map<string, number>();
  let taskMs = 0;
  const kubelet = await startScriptedKubelet(plane, {
    namespace: NAMESPACE,
    script({ name }) {
      const now = performance.now();
      const until = ends.get(name) ?? now + taskMs;
      ends.set(name, until);
      if (held.has(name) || now < until) return undefined;
      return { exitCode: 0, message: { rowsIn: 100, rowsOut: 10, counts: { candidates: 10, 'removed.trust': 1 } } };
    },
  });
  opening.defer(() => kubelet.stop());
  const client = createClient({
    kubeconfig: plane.kubeconfig,
    clock: systemClock,
    userAgent: 'holdfast-test/bench',
  });
  opening.defer(() => client.close());
  const times = jobTimes();
  const programs = await watchFor<ProgramObject>(client, RESOURCES.retentionPrograms, NAMESPACE);
  opening.defer(() => programs.stop());
  const runs = await watchFor<RunObject>(client, RESOURCES.retentionRuns, NAMESPACE);
  opening.defer(() => runs.stop());
  const jobs = await watchFor<JobObject>(client, RESOURCES.jobs, NAMESPACE, times.see);
  opening.defer(() => jobs.stop());

  const leases = await watchFor<Lease>(client, RESOURCES.leases, LEASE_NAMESPACE);
  opening.defer(() => leases.stop());

  async function ask(method: string, path: string, body?: object): Promise<KubeObject> {
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : undefined;
    const answer = await plane.request(method, path, body, contentType);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.message}`);
    return answer.body;
  }

  const everything = opening.move();
  return {
    plane,
    programs,
    runs,
    jobs,
    leases,
    times,
    writes: () => operatorWrites(folder),
    async operator(name, main, ...namespaces) {
      const started = await startOperator({
        kubeconfig: plane.kubeconfig,
        folder: plane.folder,
        name,
        namespaces: namespaces.length === 0 ? [NAMESPACE] : namespaces,
        leaseNamespace: LEASE_NAMESPACE,
        main,
      });
      everything.defer(() => started.stop());
      return started;
    },
    async makeProgram(name, change = {}) {
      // A programId of its own, or it would be a twin of the others.
      const made = program({ batchSchedule: dailyAt(NEWEST_SLOT), ...change, programId: name }, name);
      return (await ask('POST', `${PATH}/retentionprograms`, made)) as ProgramObject;
    },
    async makeRun(program, name, change = {}, metadata = {}) {
      const made = run(name, { ...change, programRef: { name: program } });
      await ask('POST', `${PATH}/retentionruns`, { ...made, metadata: { ...made.metadata, ...metadata } });
    },
    async setStatus(plural, name, status) {
      await ask('PATCH', `${PATH}/${plural}/${name}/status`, { status });
    },
    async succeeded(name) {
      const phase = () => runs.get(name)?.status?.phase;
      await runs.until(`the run ${name} is over`, () => ['Succeeded', 'Failed', 'Cancelled'].includes(phase() ?? ''));
      if (phase() !== 'Succeeded') throw new Error(`${name}: ${JSON.stringify(runs.get(name)?.status)}`);
    },
    runFor(milliseconds) {
      taskMs = milliseconds;
    },
    hold: (job) => {
      held.add(job);
    },
    release: (job) => {
      held.delete(job);
    },
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}
