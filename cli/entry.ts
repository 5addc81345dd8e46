import { setImmediate as turn } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { HoldfastError } from '../base/errors.ts';

/*
 * The process of `holdfast`. It hears signals before anything else is loaded: as process 1 of a container it would
 * not notice one that comes earlier.
 */

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => interrupt.abort(new HoldfastError('HF_INTERRUPTED', `stopped by ${name}; run it again`)));
}
// Nobody reads any more: the work goes on to its end, and what it holds is given back. A reader that had enough
// (`| head`) is no failure, a full disk is.
let unwritable = 0;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  if (unwritable === 0)
    process.stderr.write(`HF_DISK_FULL: cannot write the result (${error.code ?? error.message})\n`);
  unwritable = 1;
  process.exitCode ||= unwritable;
});
process.stderr.on('error', () => {});

const { main } = await import('./main.ts');
// A signal that came meanwhile is heard in the next turn.
await turn();
const status = await main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  canAnswer: isatty(0),
  signal: interrupt.signal,
  now: () => new Date(),
  elapsed: () => performance.now(),
});
process.exitCode = status || unwritable;
