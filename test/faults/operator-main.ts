import { run } from '../../operator/start.ts';
import { TABLES } from './scenarios/pipelines.ts';

/* The process of an operator that is the real one (operator/main.ts) but for its table, which it is given the name of. */

const log = (line: string) => console.error(`${new Date().toISOString()} ${line}`);
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort(signal));

try {
  await run(process.env, stop.signal, log, TABLES.get(process.argv[2] ?? ''));
  process.exit(0);
} catch (error) {
  log(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
