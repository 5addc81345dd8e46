import { createClient } from './kube/client.ts';
import { systemClock } from './kube/clock.ts';
import { operate } from './operate.ts';
import { readSettings } from './settings.ts';

/** The operator: from its environment (see settings.ts) to what runs. */
const log = (line: string) => console.error(`${new Date().toISOString()} ${line}`);
const settings = readSettings(process.env);
const client = createClient({ kubeconfig: settings.kubeconfig, clock: systemClock, userAgent: 'holdfast/operator' });
const operator = await operate(client, { settings, clock: systemClock, random: Math.random, log });
log(`listening on port ${operator.port}`);

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    log(`stopping: ${signal}`);
    operator.stop().then(
      () => {
        client.close();
        process.exit(0);
      },
      (error: unknown) => {
        log(String(error));
        process.exit(1);
      },
    );
  });
}
