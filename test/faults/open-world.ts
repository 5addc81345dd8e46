import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { PIPELINES } from '../../contract/pipelines.ts';
import { RESOURCES } from '../../operator/kube/api.ts';
import { createClient } from '../../operator/kube/client.ts';
import { systemClock } from '../../operator/kube/clock.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { type ScriptedKubelet, startScriptedKubelet } from '../cluster/scripted-kubelet.ts';
import { startHistory } from './history.ts';
import { patient } from './patient-client.ts';
import type { Reference } from './picture.ts';
import { seeded } from './random.ts';
import { openReplica, type Replica } from './replica.ts';
import { prepare, type Scenario } from './scenario.ts';
import type { World } from './world.ts';

export interface WorldOptions {
  readonly plane: ControlPlane;
  readonly namespace: string;
  readonly seed: number;
  readonly scenario: Scenario;
  readonly reference?: Reference;
}

/** Longer than a lease and a time limit of the operator's own requests take together. */
const PATIENCE_MS = 60_000;
const ASK_MS = 50;

export async function openWorld({ plane, namespace, seed, scenario, reference }: WorldOptions): Promise<World> {
  const folder = join(plane.folder, namespace);
  await mkdir(folder);
  const direct = createClient({ kubeconfig: plane.kubeconfig, clock: systemClock, userAgent: 'holdfast-test/faults' });
  const client = patient(direct);
  const ending = new AbortController();
  const replicas: Replica[] = [];
  const { script, taskMs, maxRuns, rules = {}, maySay, pipelines = PIPELINES } = scenario;
  const kubelet: ScriptedKubelet = await startScriptedKubelet(plane, {
    namespace,
    script: script(),
    delayMs: taskMs,
  });
  let meanwhile: Promise<void> = Promise.resolve();
  const history = await startHistory(client, namespace).catch(async (error: unknown) => {
    direct.close();
    await kubelet.stop();
    throw error;
  });

  const world: World = {
    plane,
    namespace,
    client,
    random: seeded(seed),
    history,
    replicas,
    signal: ending.signal,
    reference,
    rules,
    maySay,
    pipelines,
    async replica(name, open = openReplica) {
      const replica = await open({ plane, namespace, folder, name, maxRuns, pipelines });
      replicas.push(replica);
      return replica;
    },
    async freeLease() {
      const lease = await client.get(RESOURCES.leases, `${namespace}/holdfast`);
      const uid = lease?.metadata.uid;
      if (uid === undefined) return;
      await client.delete(RESOURCES.leases, `${namespace}/holdfast`, { uid, propagationPolicy: 'Background' });
    },
    async until(what, ask, timeoutMs = PATIENCE_MS) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const answer = await ask();
        if (answer !== undefined) return answer;
        ending.signal.throwIfAborted();
        if (performance.now() > deadline) throw new Error(`not within ${timeoutMs / 1000} s: ${what}`);
        await pause(ASK_MS);
      }
    },
    async close() {
      ending.abort();
      await meanwhile;
      await Promise.all(replicas.map((replica) => replica.close()));
      await history.stop();
      direct.close();
      await kubelet.stop();
    },
  };
  try {
    await prepare(world, scenario);
  } catch (error) {
    await world.close().catch(() => {});
    throw error;
  }
  meanwhile = (scenario.meanwhile?.(world) ?? Promise.resolve()).catch(() => {});
  return world;
}
