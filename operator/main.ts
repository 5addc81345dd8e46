import { setImmediate as turn } from 'node:timers/promises';

/*
 * The process of the operator (start.ts). It hears signals before anything is loaded: as process 1 of its container it
 * would not notice one that comes earlier.
 */

const log = (line: string) => console.error(`${new Date().toISOString()} ${line}`);
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort(signal));

try {
  const { run } = await import('./start.ts');
  // A signal that came meanwhile is heard in the next turn.
  await turn();
  if (!stop.signal.aborted) await run(process.env, stop.signal, log);
  process.exit(0);
} catch (error) {
  log(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
