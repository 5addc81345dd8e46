import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { startEmbeddedPostgres } from '../../../database/embedded/embedded.ts';
import { findPostmaster } from '../../../database/embedded/postmaster.ts';
import { currentBatch, inconsistencies, NOTHING } from './seen.ts';
import type { Run, RunEnd, Shop, Week } from './shop.ts';
import { type Expected, wronglyEnded, wronglyRepeated, wronglySeen } from './verdict.ts';

/** What is killed on a laptop, where Postgres is Holdfast's own and outlives it. */
export const VICTIMS = ['holdfast', 'its Postgres', 'both'] as const;

export type Victim = (typeof VICTIMS)[number];

export interface LaptopPoint {
  readonly beginning: 'empty' | 'weekly';
  /** Share of the time that a run takes when nobody disturbs it. */
  readonly moment: number;
  readonly victim: Victim;
  /** Whether somebody looks at the batch before the next run, and so meets the Postgres that was left behind. */
  readonly looks: boolean;
}

export interface LaptopCalm {
  readonly milliseconds: Readonly<Record<LaptopPoint['beginning'], number>>;
  readonly expected: Readonly<Record<LaptopPoint['beginning'], Expected>>;
}

/** A data folder with an embedded Postgres, made anew for each point. */
export interface LaptopLane extends AsyncDisposable {
  calm(): Promise<LaptopCalm>;
  play(point: LaptopPoint, calm: LaptopCalm): Promise<string[]>;
}

const POLL_MS = 10;

export async function openLaptopLane(shop: Shop, folder: string): Promise<LaptopLane> {
  await mkdir(folder);
  const weekly = join(folder, 'weekly');
  return {
    async calm() {
      const old = await undisturbed(shop, shop.weeks.old, weekly);
      const data = join(folder, 'calm');
      await copyFolder(weekly, data);
      const after = await undisturbed(shop, shop.weeks.new, data);
      await rm(data, { recursive: true });
      const first = await undisturbed(shop, shop.weeks.new, data);
      await rm(data, { recursive: true });
      return {
        milliseconds: { weekly: after.milliseconds, empty: first.milliseconds },
        expected: {
          weekly: { old: old.batch, new: after.batch },
          empty: { old: NOTHING, new: first.batch },
        },
      };
    },
    async play(point, calm) {
      const data = join(folder, 'point');
      try {
        if (point.beginning === 'weekly') await copyFolder(weekly, data);
        return await play(shop, data, point, calm);
      } finally {
        await rm(data, { recursive: true, force: true });
      }
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** With its owners, which Node's own copy does not keep: where we are root, Postgres is somebody else. */
async function copyFolder(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', from, to]);
}

async function undisturbed(shop: Shop, week: Week, data: string) {
  const begun = performance.now();
  const { status, stderr } = await shop.run(week, data).ended;
  const milliseconds = performance.now() - begun;
  if (status !== 0) throw new Error(`a run that nobody disturbed failed:\n${stderr}`);
  return { milliseconds, batch: await look(data, currentBatch) };
}

async function play(shop: Shop, data: string, point: LaptopPoint, calm: LaptopCalm): Promise<string[]> {
  const expected = calm.expected[point.beginning];
  const run = shop.run(shop.weeks.new, data);
  const end = await strike(run, data, point, calm.milliseconds[point.beginning]);
  const between =
    point.looks && existsSync(join(data, 'postgres', 'data')) ? await look(data, currentBatch) : undefined;
  const again = await shop.run(shop.weeks.new, data).ended;
  const left = existsSync(join(data, 'postgres', 'data', 'postmaster.pid')) ? ['a Postgres was left behind'] : [];
  const after = await look(data, currentBatch);
  // A victim that had done its work by then is none.
  const killed = point.victim !== 'its Postgres' && end.status === undefined;
  return [
    ...(between === undefined ? [] : wronglySeen([between], expected)),
    ...wronglyEnded(end, killed, between ?? expected.new, expected),
    ...wronglyRepeated(again, after, expected),
    ...left,
    ...(await look(data, inconsistencies)),
  ];
}

/** Waits for the moment, and for the Postgres that it is about; what ends before is left alone. */
async function strike(run: Run, data: string, { moment, victim }: LaptopPoint, milliseconds: number): Promise<RunEnd> {
  const begun = performance.now();
  const { child, ended } = run;
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  while (!isOver() && performance.now() - begun < moment * milliseconds) await pause(POLL_MS);
  if (victim !== 'its Postgres') child.kill('SIGKILL');
  if (victim === 'holdfast') return ended;
  let server = await serverOf(data);
  while (server === undefined && !isOver()) {
    await pause(POLL_MS);
    server = await serverOf(data);
  }
  if (server !== undefined) kill(server);
  return ended;
}

async function serverOf(data: string): Promise<number | undefined> {
  return (await findPostmaster(join(data, 'postgres', 'data')))?.pid;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It stopped by itself in between.
  }
}

/** Looks into a data folder as any other process would: it joins the server that runs, or starts one. */
async function look<Found>(data: string, at: (client: Client) => Promise<Found>): Promise<Found> {
  const server = await startEmbeddedPostgres({ folder: join(data, 'postgres') });
  const client = new Client({ connectionString: server.url });
  try {
    await client.connect();
    return await at(client);
  } finally {
    await client.end();
    await server.stop();
  }
}
