import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '../../operator/kube/client.ts';
import { systemClock } from '../../operator/kube/clock.ts';
import { type Operator, operate } from '../../operator/operate.ts';
import { STAGE_SETTINGS } from '../support/program.ts';
import { metricsAt, openSeat, type Replica, type ReplicaOptions } from './replica.ts';

/** What takes minutes and half hours, in seconds: the same code, told to wait less. */
const WATCH_TIMING = { watchSeconds: [20, 30], idleMs: 2_000, relistMs: 4_000 } as const;

/**
 * An operator within this process that takes a silent watch for dead after seconds and lists anew every few. It can be
 * started and stopped, not killed.
 */
export async function openImpatient(options: ReplicaOptions): Promise<Replica> {
  const { name, namespace, folder, pipelines, maxRuns = STAGE_SETTINGS.maxRuns } = options;
  const seat = await openSeat(options);
  const logFile = join(folder, `${name}.log`);
  let current: Operator | undefined;
  let client: ReturnType<typeof createClient> | undefined;

  async function stop(): Promise<void> {
    await current?.stop();
    current = undefined;
    client?.close();
  }
  return {
    name,
    proxy: seat.proxy,
    async start() {
      client = createClient({ kubeconfig: seat.kubeconfig, clock: systemClock, userAgent: 'holdfast/operator' });
      current = await operate(client, {
        settings: {
          ...STAGE_SETTINGS,
          maxRuns,
          watchNamespaces: [namespace],
          namespace,
          lease: 'holdfast',
          instance: name,
          port: 0,
          kubeconfig: seat.kubeconfig,
        },
        pipelines,
        clock: systemClock,
        random: Math.random,
        log: (line) => void appendFile(logFile, `${new Date().toISOString()} ${line}\n`).catch(() => {}),
        watchTiming: WATCH_TIMING,
      });
    },
    kill: () => Promise.reject(new Error('It lives in this process.')),
    signal: () => {
      throw new Error('It lives in this process.');
    },
    stop,
    get alive() {
      return current !== undefined;
    },
    metrics: async () => (current === undefined ? undefined : await metricsAt(current.port)),
    async close() {
      await stop();
      await seat.proxy.stop();
    },
  };
}
