import { setImmediate as turn } from 'node:timers/promises';
import { HoldfastError } from '../base/errors.ts';

/*
 * The process of one task of a run (task-command.ts). It hears signals before anything else is loaded: as process 1 of
 * its container it would not notice one that comes earlier.
 */

const stop = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.once(name, () => stop.abort(new HoldfastError('HF_INTERRUPTED', `interrupted by ${name}`)));
}

const { main } = await import('./task-command.ts');
// A signal that came meanwhile is heard in the next turn.
await turn();
// Not waiting for what a driver may still hold open: everything that counts has been written.
process.exit(
  await main(process.argv.slice(2), {
    environment: process.env,
    stderr: process.stderr,
    signal: stop.signal,
    now: () => new Date(),
    elapsed: () => performance.now(),
  }),
);
