import type { Pipelines } from '../contract/pipelines.ts';
import { createClient } from './kube/client.ts';
import { systemClock } from './kube/clock.ts';
import { operate } from './operate.ts';
import { readSettings } from './settings/settings.ts';

/**
 * The operator, from its environment (see settings.ts) until the signal comes.
 * @param log one line, to be written with its time
 * @param pipelines ways to run a program; default: those of this version
 */
export async function run(
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
  log: (line: string) => void,
  pipelines?: Pipelines,
): Promise<void> {
  const settings = readSettings(environment);
  const client = createClient({ kubeconfig: settings.kubeconfig, clock: systemClock, userAgent: 'holdfast/operator' });
  try {
    const operator = await operate(client, {
      settings,
      clock: systemClock,
      random: Math.random,
      log,
      ...(pipelines && { pipelines }),
    });
    log(`listening on port ${operator.port}`);
    await aborted(signal);
    log(`stopping: ${String(signal.reason)}`);
    await operator.stop();
  } finally {
    client.close();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
