import { run } from '../../operator/start.ts';
import { SHORT_BATCH } from './scenarios/pipelines.ts';

/* The process of an operator that is the real one (operator/main.ts) but for its table, which has further pipelines. */

const log = (line: string) => console.error(`${new Date().toISOString()} ${line}`);
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort(signal));

try {
  await run(process.env, stop.signal, log, SHORT_BATCH);
  process.exit(0);
} catch (error) {
  log(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
