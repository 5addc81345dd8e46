import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { PoolClient } from 'pg';
import type { Database } from '../../database/client/database.ts';
import type { RunFolders } from '../../providers/artifacts/run-folders.ts';
import { seeded } from '../../test/faults/random.ts';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import { type MadeRun, type PruneWorld, pruneWorld, type Remains } from '../../test/support/pruning.ts';
import { until } from '../../test/support/until.ts';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await openPostgres();
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
});

/** Runs as a busy year leaves them; the newest published one is current. */
function madeUp(seed: number): readonly MadeRun[] {
  const { next, pick } = seeded(seed);
  const chance = (of: number) => next() < of;
  const runs: MadeRun[] = [];
  const count = 4 + Math.floor(next() * 6);
  for (let n = 0; n < count; n += 1) {
    const phase = pick(['Succeeded', 'Succeeded', 'Succeeded', 'Failed', 'Interrupted', 'Running'] as const);
    const pipeline = chance(0.2) ? 'prune' : 'batch';
    const stored = phase === 'Succeeded' && pipeline === 'batch';
    const trigger = chance(0.2) ? 'backfill' : 'schedule';
    const rows = stored ? 1 + Math.floor(next() * 4) : 0;
    runs.push({
      run: `run-${n}`,
      age: 400 - n * 40 + Math.floor(next() * 20),
      phase,
      pipeline,
      trigger,
      candidates: rows,
      decisions: rows,
      published: stored && trigger !== 'backfill',
      expiresIn: chance(0.6) ? -30 : 30,
      folder: chance(0.8),
      ...(stored && chance(0.8) ? { extractRows: 100 } : {}),
    });
  }
  const current = runs.findLastIndex(({ published }) => published === true);
  return runs.map((run, index) => (index === current ? { ...run, current: true } : run));
}

async function build(seed: number): Promise<PruneWorld> {
  const world = await pruneWorld(postgres.database);
  for (const run of madeUp(seed)) await world.make(run);
  await world.makeFolder('stray-old', 30);
  await world.makeFolder('stray-young', 0.1);
  await world.makeFolder('stray-foreign', 30, 'another/1');
  return world;
}

/** Whatever a prune is stopped at, this is there. */
function expectPinned(seed: number, before: Remains, after: Remains): void {
  const stays = madeUp(seed).filter(
    ({ phase, current, candidates = 0, expiresIn = 0 }) =>
      phase === 'Running' || current === true || (candidates > 0 && expiresIn > 0),
  );
  const newest = madeUp(seed).findLast(({ phase, pipeline }) => phase === 'Succeeded' && pipeline === 'batch');
  for (const { run, candidates, folder, expiresIn = 0 } of [...stays, ...(newest ? [newest] : [])]) {
    expect(after.runs).toContain(run);
    if (folder === true) expect(after.folders).toContain(run);
    if (expiresIn > 0) expect(after.candidates[run]).toBe(candidates === 0 ? undefined : candidates);
  }
  for (const { run, published, decisions } of madeUp(seed)) {
    if (published === true) expect(after.decisions[run]).toBe(decisions);
  }
  expect(after.folders).toEqual(expect.arrayContaining(['stray-young', 'stray-foreign']));
  expect(before.runs).toEqual(expect.arrayContaining([...after.runs]));
}

const SEEDS = Array.from({ length: 25 }, (_, seed) => seed);

test.each(SEEDS)('whatever is pinned stays, and a second prune finds nothing more (seed %d)', async (seed) => {
  await using world = await build(seed);
  const before = await world.remains();
  await world.prune();
  const after = await world.remains();
  expectPinned(seed, before, after);
  expect(await world.prune()).toMatchObject({ candidates: 0, decisions: 0, runs: 0, records: 0, orphans: 0, bytes: 0 });
  expect(await world.remains()).toEqual(after);
});

/** Calls `strike` right before, or right after, its nth contact with the database or the folders. */
function counted(world: PruneWorld, strikeAt: number, strike: () => void) {
  let moments = 0;
  const moment = () => {
    if (moments++ === strikeAt) strike();
  };
  const around = async <Result>(work: () => Promise<Result>) => {
    moment();
    const result = await work();
    moment();
    return result;
  };
  const { pool } = postgres.database;
  const watched = (client: PoolClient) =>
    new Proxy(client, {
      get(target, name) {
        if (name === 'query') return (...args: unknown[]) => around(() => (target.query as any)(...args));
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  const database: Database = {
    ...postgres.database,
    pool: new Proxy(pool, {
      get(target, name) {
        if (name === 'connect') return async () => watched(await target.connect());
        if (name === 'query') return (...args: unknown[]) => around(() => (target.query as any)(...args));
        return Reflect.get(target, name, target);
      },
    }),
  };
  const folders = Object.fromEntries(
    Object.entries(world.folders).map(([name, work]) => [name, (...args: unknown[]) => around(() => work(...args))]),
  ) as unknown as RunFolders;
  return { database, folders, moments: () => moments };
}

const KILLS: [string, (controller: AbortController) => void][] = [
  ['by a signal', (controller) => controller.abort()],
  [
    'by a crash',
    () => {
      throw new Error('crash');
    },
  ],
];

test.each(KILLS)(
  'stopped %s at every moment it leaves what is pinned, and the next does the rest',
  async (_how, kill) => {
    const seed = 7;
    await using whole = await build(seed);
    const { moments, ...untouched } = counted(whole, Number.POSITIVE_INFINITY, () => {});
    await whole.prune(untouched);
    const finished = await whole.remains();
    expect(moments()).toBeGreaterThan(30);
    let stopped = 0;
    for (let at = 0; at < moments(); at += 1) {
      await using world = await build(seed);
      const before = await world.remains();
      const controller = new AbortController();
      const { moments: _, ...struck } = counted(world, at, () => kill(controller));
      stopped += await world.prune({ ...struck, signal: controller.signal }).then(
        () => 0,
        () => 1,
      );
      expectPinned(seed, before, await world.remains());
      // The server may hold the rows of a lost connection a little longer: they are for the time after next.
      const rest = async () => {
        await world.prune();
        return await world.remains();
      };
      await until('the rest to go', rest, (left) => isDeepStrictEqual(left, finished), 10_000);
    }
    expect(stopped).toBeGreaterThan(20);
  },
);
