import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';
import { until } from '../../support/until.ts';
import { type Proxy, startProxy } from './proxy.ts';
import { currentBatch, inconsistencies, NOTHING, watch } from './seen.ts';
import { type KillableServer, startServer, urlOf } from './server.ts';
import type { Shop, Week } from './shop.ts';
import { type Expected, wronglyEnded, wronglyRepeated, wronglySeen } from './verdict.ts';

/** What is done to the server, or to Holdfast, at the moment that was chosen. */
export const MANNERS = [
  'kill the postmaster',
  'shut down at once',
  'shut down fast',
  'kill a backend',
  'end every session',
  'cut the connection',
  'kill holdfast',
] as const;

export type Manner = (typeof MANNERS)[number];

/** What is there before the run: nothing at all, or the batch of the week before. */
export const BEGINNINGS = ['empty', 'weekly'] as const;

export type Beginning = (typeof BEGINNINGS)[number];

export interface ServerPoint {
  readonly beginning: Beginning;
  readonly index: number;
  /** What should come by then, in words. */
  readonly event: string;
  readonly side: 'before' | 'after';
  readonly manner: Manner;
}

/** What runs that nobody disturbs do and leave behind. */
export type Calm = Readonly<Record<Beginning, { readonly events: readonly string[]; readonly expected: Expected }>>;

/** A server, and a run at a time on it. */
export interface ServerLane extends AsyncDisposable {
  /** Runs without a disturbance, and prepares what the points begin with. */
  calm(): Promise<Calm>;
  /** Plays a point; resolves to a line for each thing that was wrong. */
  play(point: ServerPoint, calm: Calm): Promise<string[]>;
}

const POINT = 'point';
const GONE_MS = 20_000;

export async function openServerLane(shop: Shop, folder: string): Promise<ServerLane> {
  await mkdir(folder);
  const server = await startServer(folder);
  const front = join(folder, 'p');
  await mkdir(front, { mode: 0o700 });
  const url = urlOf(front, POINT);
  const lane = { shop, folder, server, front, url };
  await withClient(server, 'postgres', (client) => client.query('CREATE DATABASE empty'));
  return {
    calm: () => calm(lane),
    play: (point, reference) => play(lane, point, reference),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Lane {
  readonly shop: Shop;
  readonly folder: string;
  readonly server: KillableServer;
  readonly front: string;
  readonly url: string;
}

async function calm(lane: Lane): Promise<Calm> {
  const { shop, server } = lane;
  await makeDatabase(server, 'empty');
  const old = await undisturbed(lane, shop.weeks.old);
  await withClient(server, 'postgres', (client) => client.query(`ALTER DATABASE ${POINT} RENAME TO weekly`));
  await makeDatabase(server, 'weekly');
  const weekly = await undisturbed(lane, shop.weeks.new);
  await makeDatabase(server, 'empty');
  const first = await undisturbed(lane, shop.weeks.new);
  return {
    weekly: { events: weekly.events, expected: { old: old.batch, new: weekly.batch } },
    empty: { events: first.events, expected: { old: NOTHING, new: first.batch } },
  };
}

async function undisturbed({ shop, folder, server, front, url }: Lane, week: Week) {
  await using proxy = await startProxy(front, server.socketFolder);
  const { status, stderr } = await shop.run(week, await mkdtemp(join(folder, 'calm-')), url).ended;
  if (status !== 0) throw new Error(`a run that nobody disturbed failed:\n${stderr}`);
  return await withClient(server, POINT, async (client) => {
    const wrong = await inconsistencies(client);
    if (wrong.length > 0) throw new Error(`a run that nobody disturbed left ${wrong.join(', ')}`);
    return { events: [...proxy.events], batch: await currentBatch(client) };
  });
}

async function play(lane: Lane, point: ServerPoint, reference: Calm): Promise<string[]> {
  const { shop, folder, server, front, url } = lane;
  const { expected } = reference[point.beginning];
  await makeDatabase(server, point.beginning);
  const data = await mkdtemp(join(folder, 'data-'));
  const watching = watch(() => server.connect(POINT));
  try {
    let end;
    {
      let run: ReturnType<Shop['run']> | undefined;
      await using proxy = await startProxy(front, server.socketFolder, {
        index: point.index,
        side: point.side,
        hit: (connection) => strike(point.manner, server, connection.cut, () => run?.child.kill('SIGKILL')),
      });
      run = shop.run(shop.weeks.new, data, url);
      end = await run.ended;
      if (!proxy.struck) return [`the moment did not come: ${proxy.events.length} statements came by`];
    }
    await server.revive();
    await untilSessionsAreGone(server);
    const between = await withClient(server, POINT, currentBatch);
    const again = await repeat(lane, data);
    const { seen, looks } = await watching.stop();
    const after = await withClient(server, POINT, currentBatch);
    return [
      ...(looks === 0 ? ['no reader got to look'] : []),
      ...wronglySeen([...seen, between], expected),
      ...wronglyEnded(end, point.manner === 'kill holdfast', between, expected),
      ...wronglyRepeated(again, after, expected),
      ...(await withClient(server, POINT, inconsistencies)),
    ];
  } finally {
    await watching.stop();
    await server.revive();
    await rm(data, { recursive: true, force: true });
  }
}

async function repeat({ shop, server, front, url }: Lane, data: string) {
  await using _proxy: Proxy = await startProxy(front, server.socketFolder);
  return await shop.run(shop.weeks.new, data, url).ended;
}

async function strike(
  manner: Manner,
  server: KillableServer,
  cut: () => void,
  killHoldfast: () => void,
): Promise<void> {
  switch (manner) {
    case 'kill the postmaster':
      return server.signal('SIGKILL');
    case 'shut down at once':
      return server.signal('SIGQUIT');
    case 'shut down fast':
      return server.signal('SIGINT');
    case 'kill a backend':
      // The postmaster then ends all others too, and recovers.
      return withClient(server, 'postgres', async (client) => {
        const { rows } = await client.query<{ pid: number }>(
          `SELECT pid FROM pg_stat_activity WHERE datname = '${POINT}' AND application_name = 'holdfast' LIMIT 1`,
        );
        process.kill(rows[0]?.pid ?? server.pid, 'SIGKILL');
      });
    case 'end every session':
      return withClient(server, 'postgres', async (client) => {
        await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${POINT}'`);
      });
    case 'cut the connection':
      return cut();
    case 'kill holdfast':
      return killHoldfast();
  }
}

/** A database of its own for a run, as it was at the beginning. */
async function makeDatabase(server: KillableServer, beginning: Beginning): Promise<void> {
  await withClient(server, 'postgres', async (client) => {
    await client.query(`DROP DATABASE IF EXISTS ${POINT} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${POINT} TEMPLATE ${beginning}`);
  });
}

/** What a process left behind that was killed is gone as soon as the server has noticed: a person is not faster. */
async function untilSessionsAreGone(server: KillableServer): Promise<void> {
  await withClient(server, 'postgres', (client) =>
    until(
      'the sessions of the disturbed run are gone',
      async () => {
        const { rows } = await client.query<{ count: number }>(
          `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = '${POINT}' AND application_name = 'holdfast'`,
        );
        return rows[0]?.count;
      },
      (count) => count === 0,
      GONE_MS,
    ),
  );
}

async function withClient<Result>(
  server: KillableServer,
  database: string,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = await server.connect(database);
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
