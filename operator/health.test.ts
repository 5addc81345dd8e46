import { afterEach, expect, test } from '@jest/globals';
import { type HealthServer, serveHealth } from './health.ts';
import { METRICS, type MetricName } from './metrics.ts';

let server: HealthServer;
let missing: readonly string[];

afterEach(() => server.close());

const VALUES = Object.fromEntries(Object.keys(METRICS).map((name, index) => [name, index])) as Record<
  MetricName,
  number
>;

async function ask(path: string): Promise<{ readonly status: number; readonly body: string }> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
  return { status: response.status, body: await response.text() };
}

test('it is healthy from the start, and ready once its caches are filled', async () => {
  missing = ['jobs', 'pods'];
  server = await serveHealth(0, { missing: () => missing, metrics: () => VALUES });
  expect((await ask('/healthz')).status).toBe(200);
  expect(await ask('/readyz')).toEqual({ status: 503, body: 'waiting for jobs, pods\n' });
  missing = [];
  expect((await ask('/readyz')).status).toBe(200);
  expect((await ask('/secrets')).status).toBe(404);
});

test('every metric has a name as Prometheus wants them, a type, a sentence and a value', async () => {
  server = await serveHealth(0, { missing: () => [], metrics: () => VALUES });
  const { body } = await ask('/metrics?from=somewhere');
  for (const [name, { type, help }] of Object.entries(METRICS)) {
    expect(name).toMatch(/^(holdfast|process)_[a-z_]+$/);
    expect(name.endsWith('_total')).toBe((type as string) === 'counter');
    expect(help).toMatch(/^[A-Z0-9].*\.$/);
    expect(body).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${VALUES[name as MetricName]}\n`);
  }
});
