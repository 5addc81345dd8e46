import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { connect } from '../database/client/connect.ts';
import { startEmbeddedPostgres } from '../database/embedded/embedded.ts';
import { type InferenceServer, inferenceServer, type ServerOptions } from './support/inference-server.ts';
import { linearModel } from './support/onnx.ts';
import { type ProgramSpec, type Workspace, workspace } from './support/workspace.ts';

interface Report {
  readonly phase: string;
  readonly stages: readonly { readonly name: string; readonly counts: Record<string, Record<string, number>> }[];
  readonly error?: { readonly code: string };
}

const NOW = '2026-11-23T09:00:00Z';

let shop: Workspace;
let server: InferenceServer;
beforeAll(async () => {
  shop = await workspace();
});
afterAll(() => shop[Symbol.asyncDispose]() as Promise<void>);
afterEach(() => server?.[Symbol.asyncDispose]() as Promise<void>);

const serve = (change: Partial<ServerOptions> = {}) =>
  inferenceServer({ model: linearModel([-4, 1], 3), width: 2, outputs: 1, binary: true, ...change });

/** Whoever was offered something may be offered something again, so that a second run scores the same customers. */
const offeredAgain = (spec: ProgramSpec) => spec['filterChain'].pop();

/** The program with its first model behind the server. */
async function remoteProgram(change: (spec: ProgramSpec) => void = () => {}): Promise<string> {
  const local = JSON.parse(await readFile(shop.path('risk.json'), 'utf8')) as object;
  const manifest = JSON.stringify(local);
  await writeFile(shop.path('remote.json'), manifest);
  return shop.program((spec) => {
    const [risk] = spec['scoringModels'];
    Object.assign(risk, {
      endpoint: server.url,
      manifest: 'remote.json',
      sha256: createHash('sha256').update(manifest).digest('hex'),
      manifestSha256: undefined,
      batchSize: 7,
    });
    offeredAgain(spec);
    change(spec);
  }, 'remote.yaml');
}

async function run(program: string, now: string, ...args: string[]): Promise<Report & { stderr: string }> {
  const { stdout, stderr } = await shop.holdfast(['run', program, '--now', now, '--output', 'json', ...args]);
  return { ...(JSON.parse(stdout) as Report), stderr };
}

const scoreOf = ({ stages }: Report) => stages.find(({ name }) => name === 'score')?.counts ?? {};

/** Everything that the cache holds. */
async function cached(): Promise<number> {
  const postgres = await startEmbeddedPostgres({ folder: `${shop.data}/postgres` });
  const database = await connect(postgres.url, { applicationName: 'test' });
  try {
    return (await database.pool.query('SELECT FROM holdfast.score_cache')).rowCount ?? 0;
  } finally {
    await database.close();
    await postgres.stop();
  }
}

test('`models check` says of a model elsewhere what a run would', async () => {
  server = await serve();
  const check = async (change?: (spec: ProgramSpec) => void) => {
    const program = await remoteProgram(change);
    const { status, stderr } = await shop.holdfast(['models', 'check', '--program', program]);
    return { status, stderr };
  };
  expect(await check()).toEqual({ status: 0, stderr: '' });
  expect(await check((spec) => (spec['scoringModels'][0].sha256 = 'b'.repeat(64)))).toEqual({
    status: 78,
    stderr: expect.stringContaining('HF_MODEL_DIGEST_MISMATCH'),
  });
});

test('a model elsewhere makes the batch that it makes here, is asked about no row twice, and what expired is asked for again', async () => {
  server = await serve();
  const here = await run(await shop.program(offeredAgain), NOW, '--data', shop.path('here'));
  const program = await remoteProgram();

  const dry = await run(program, NOW, '--dry-run');
  expect(dry.phase).toBe('Succeeded');

  const first = await run(program, NOW);
  const listed = await shop.holdfast(['candidates', 'keep', '--json', '--limit', '1']);
  expect(listed.stderr).toMatch(
    /warning: The list has no reasons of the model: HF_PROVIDER_UNAVAILABLE: no model with/,
  );
  expect(JSON.parse(listed.stdout)['risk_reasons']).toBeNull();
  const { cache, ...outcome } = scoreOf(first);
  expect(outcome).toEqual(scoreOf(here));
  const distinct = Number(cache?.['sent']);
  // Ten engagement scores and three numbers of tickets: at most thirty different rows.
  expect(distinct).toBeLessThanOrEqual(30);
  expect(cache).toMatchObject({ rows: 100, hits: expect.any(Number), failures: 0 });
  expect(first.stages).not.toHaveLength(0);
  expect(await cached()).toBe(distinct);

  const asked = server.rows();
  const second = await run(program, NOW);
  expect(scoreOf(second)).toEqual({
    ...outcome,
    cache: {
      ...cache,
      hits: 100 - Number(scoreOf(second)['cache']?.['repeated']),
      repeated: expect.any(Number),
      sent: 0,
    },
  });
  expect(server.rows()).toBe(asked);

  const again = await run(await remoteProgram((spec) => (spec['scoringModels'][0].cacheTTLHours = 0)), NOW);
  expect(scoreOf(again)).toEqual(outcome);
  expect(server.rows()).toBe(asked + 100);
}, 60_000);

test('of rows of which half are known only the other half is sent', async () => {
  server = await serve();
  const program = await remoteProgram((spec) => (spec['scoringModels'][0].batchSize = 100));
  const data = shop.path('half');
  const distinct = `SELECT * REPLACE (n / 500.0 AS engagement_score) FROM (SELECT *, row_number() OVER (ORDER BY customer_id) AS n FROM customers)`;
  await shop.customers(distinct);
  const first = await run(program, NOW, '--data', data);
  expect(scoreOf(first)['cache']).toEqual({ rows: 100, hits: 0, repeated: 0, sent: 100, failures: 0 });
  await shop.customers(
    `SELECT * REPLACE (CASE WHEN n % 2 = 0 THEN engagement_score + 1e-4 ELSE engagement_score END AS engagement_score) FROM (${distinct})`,
  );
  const second = await run(program, NOW, '--data', data);
  expect(scoreOf(second)['cache']).toEqual({ rows: 100, hits: 50, repeated: 0, sent: 50, failures: 0 });
  expect(server.rows()).toBe(150);
  await shop.customers();
}, 60_000);

test('the funnel says how much was known', async () => {
  server = await serve();
  const { stdout } = await shop.holdfast(['run', await remoteProgram(), '--now', NOW, '--data', shop.path('told')]);
  expect(stdout).toMatch(/\d+ % of 100 scores known: cached \d+ {3}repeated \d+ {3}asked for \d+/);
}, 60_000);

test('a dry run asks the model and keeps nothing', async () => {
  server = await serve();
  const program = await remoteProgram();
  const data = shop.path('dry');
  // So that there is a database to leave alone.
  await run(await shop.program(), NOW, '--data', data);
  const before = server.rows();
  const dry = await run(program, NOW, '--data', data, '--dry-run');
  expect(scoreOf(dry)['cache']).toMatchObject({ rows: 100, failures: 0 });
  expect(server.rows()).toBeGreaterThan(before);
  const again = await run(program, NOW, '--data', data, '--dry-run');
  expect(scoreOf(again)['cache']).toEqual(scoreOf(dry)['cache']);
}, 60_000);

test('shards on one machine do without the cache, and say so where there is one', async () => {
  server = await serve();
  const data = shop.path('shards');
  const divided = await run(await remoteProgram(), NOW, '--data', data, '--shards', '2');
  expect(scoreOf(divided)['cache']).toBeUndefined();
  expect(divided.stderr).toContain('Shards on one machine do without the score cache');
  // Nobody wants one.
  const uncached = await remoteProgram((spec) => (spec['scoringModels'][0].cacheTTLHours = 0));
  expect((await run(uncached, NOW, '--data', data, '--shards', '2')).stderr).not.toContain('score cache');
}, 60_000);

test('a server that refuses the token ends the run before anything is read, without a word of the token', async () => {
  server = await serve({
    instead: (_, response) => {
      response.writeHead(401).end();
      return true;
    },
  });
  const { status, stderr } = await shop.holdfast(['run', await remoteProgram(), '--now', NOW]);
  expect(status).toBe(78);
  expect(stderr).toContain('HF_MODEL_REFUSED: Model risk: ');
  expect(stderr).not.toMatch(/^extract/m);
}, 60_000);
