import { type ChildProcess, spawn } from 'node:child_process';
import { rename } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Workspace, workspace } from '../../support/workspace.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** A small business in its second week: what it sold the week before, and now, and when. */
export interface Shop extends AsyncDisposable {
  readonly folder: string;
  /** The batch that is there when things go wrong, and the one that is to take its place. */
  readonly weeks: Readonly<Record<'old' | 'new', Week>>;
  /** Starts the command itself, in a process of its own. */
  run(week: Week, data: string, database?: string): Run;
}

export interface Week {
  readonly now: string;
  readonly source: string;
}

/** A run of the real command under way. */
export interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<RunEnd>;
}

export interface RunEnd {
  /** Undefined when it was killed, or when it did not end and had to be. */
  readonly status: number | undefined;
  readonly hung: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

const WEEK_MS = 7 * 86_400_000;
/** No run of so few customers takes so long, whatever is going on beside it. */
const PATIENCE_MS = 90_000;

/** 100 of the 400 customers of a workspace pass every filter: so many copies of them make some pieces of a COPY. */
const MANY = `SELECT 'K' || copy || '-' || customer_id AS customer_id, customers.* EXCLUDE (customer_id)
  FROM customers, range(30) AS copies (copy)`;

/** @param now the real time: what is stored must not have expired for a reader of the view */
export async function openShop(now: Date): Promise<Shop> {
  const shop = await workspace();
  const source = async (name: string, select: string) => {
    await shop.customers(select);
    await rename(shop.path('customers.parquet'), shop.path(name));
    return shop.path(name);
  };
  // Who was decided on in the old week is not eligible in the new one: the history matters.
  const weeks = {
    old: {
      now: new Date(now.getTime() - WEEK_MS).toISOString(),
      source: await source('old.parquet', `${MANY} WHERE copy % 3 = 0 OR customer_id < 'C0300'`),
    },
    new: { now: now.toISOString(), source: await source('new.parquet', MANY) },
  };
  const program = await shop.program((spec) => {
    spec['dataConnectors'][0].config.table = 'customers';
    spec['batchSchedule'] = '0 * * * *';
    spec['candidateTTLDays'] = 3650;
  });
  return {
    folder: shop.folder,
    weeks,
    run: ({ now: clock, source: file }, data, database) => start(program, clock, file, data, database),
    [Symbol.asyncDispose]: () => disposeOf(shop),
  };
}

async function disposeOf(shop: Workspace): Promise<void> {
  await shop[Symbol.asyncDispose]();
}

function start(program: string, now: string, source: string, data: string, database: string | undefined): Run {
  const options = ['--now', now, '--data', data, '--source', `shop=${source}`, '--output', 'json'];
  const { DATABASE_URL: _ours, ...environment } = process.env;
  const child = spawn(process.execPath, ['cli/entry.ts', 'run', program, ...options], {
    cwd: ROOT,
    env: database === undefined ? environment : { ...environment, DATABASE_URL: database },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  let hung = false;
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const patience = setTimeout(() => {
    hung = true;
    child.kill('SIGKILL');
  }, PATIENCE_MS);
  const ended = new Promise<RunEnd>((resolve) => {
    child.once('close', (status) => {
      clearTimeout(patience);
      resolve({ status: status ?? undefined, hung, stdout, stderr });
    });
  });
  return { child, ended };
}
