import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { openPostgres } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';
import { openTlsFront, writeCertificate } from '../tls-front.ts';
import { type Case, ends, first, type Trial, unless } from '../trial.ts';

const PGBOUNCER = '/usr/sbin/pgbouncer';
const POOLER_PORT = 16432;

/** Postgres, a pooler before it, TLS, and our own API. */
export const SERVERS: readonly Case[] = [
  {
    input: '18',
    right: 'an odd timestamp that rides along ends no batch in silence',
    async check(trial) {
      await using shop = await openShop(trial, 'c.sql');
      const environment = { HOLDFAST_CONNECTION_SHOP: shop.reader };
      const run = await trial.holdfast(['run', 'c.yaml', '--data', 'd'], { environment });
      return run.status === 0 ? ends(run, 0, /valid_till|rejected [12]/) : ends(run, [1, 78], /valid_till/);
    },
  },
  {
    input: '19',
    right: 'a self-signed certificate is one sentence with both ways out, and --output json stays clean',
    async check(trial) {
      await using shop = await openShop(trial, 'c.sql');
      await writeCertificate(trial.folder, 'front');
      await using front = await openTlsFront(trial.folder, shop.socket);
      const url = (database: string) => `postgres://reader@localhost:${front.port}/${database}?sslmode=require`;
      const environment = { HOLDFAST_CONNECTION_SHOP: url(shop.database) };
      const json = await trial.holdfast(['run', 'program.yaml', '--output', 'json', '--data', 'd'], { environment });
      const own = await trial.holdfast(['run', 'program.yaml'], {
        environment: { ...environment, DATABASE_URL: url(shop.database) },
      });
      return first(
        ends(json, [1, 78], /self-signed/, /sslrootcert/, /no-verify/),
        ends(own, [1, 78], /self-signed/, /sslrootcert/, /no-verify/),
        unless(!/SECURITY WARNING/.test(json.said + own.said), 'nine lines of warning of a library'),
      );
    },
  },
  {
    input: '19',
    right: 'an address with a blank before it is trimmed, or the blank is named; unknown modes are refused',
    async check(trial) {
      await using shop = await openShop(trial, 'c.sql');
      const blank = await trial.holdfast(['run', 'program.yaml', '--data', 'd'], {
        environment: { HOLDFAST_CONNECTION_SHOP: ` ${shop.reader}` },
      });
      const bogus = await trial.holdfast(['run', 'program.yaml', '--data', 'e'], {
        environment: { HOLDFAST_CONNECTION_SHOP: 'postgres://reader@localhost:1/shop?sslmode=bogus' },
      });
      return first(blank.status === 0 ? undefined : ends(blank, 78, /blank/), ends(bogus, [1, 78], /sslmode/));
    },
  },
  {
    input: '20',
    right: 'works behind PgBouncer in transaction mode',
    ...(existsSync(PGBOUNCER) ? {} : { skip: 'PgBouncer is not installed here' }),
    async check(trial) {
      await using shop = await openShop(trial, 'c.sql');
      await using _pooler = await openPooler(trial, shop.folder);
      const environment = {
        HOLDFAST_CONNECTION_SHOP: shop.reader,
        DATABASE_URL: `postgres://u:pw-made-up@127.0.0.1:${POOLER_PORT}/${shop.database}`,
      };
      const commands = [
        ['run', 'program.yaml'],
        ['prune', 'q-c'],
        ['explain', 'q-c', 'C1'],
      ];
      for (const command of commands) {
        const end = await trial.holdfast(command, { environment });
        if (end.status !== 0) return `${command.join(' ')}: ${end.status}: ${end.stderr.slice(0, 300)}`;
      }
      return undefined;
    },
  },
  {
    input: '25',
    right: 'a + that became a blank is read as +, or its remedy is named',
    async check(trial) {
      await using server = await openServe(trial);
      const path = '/v1/namespaces/default/programs/P/candidates?offerKind=discount&since=2026-11-01T00:00:00+01:00';
      const answer = await fetch(new URL(path, server.url), { headers: { Authorization: `Bearer ${server.token}` } });
      const text = await answer.text();
      return answer.status === 400
        ? unless(text.includes('%2B'), `400 without the remedy: ${text.slice(0, 300)}`)
        : unless([200, 404].includes(answer.status), `${answer.status}: ${text.slice(0, 300)}`);
    },
  },
];

async function openShop(trial: Trial, sql: string) {
  const postgres = await openPostgres();
  const { pool } = postgres.database;
  try {
    const [found] = (
      await pool.query<{ name: string; folder: string }>(
        `SELECT current_database() AS name, current_setting('unix_socket_directories') AS folder`,
      )
    ).rows;
    if (found === undefined) throw new Error('Postgres gave no row');
    // A schema of our name comes before `public` for our user.
    await pool.query(`SET search_path = public; ${await readFile(trial.path(sql), 'utf8')}; RESET search_path`);
    for (const role of ['reader', 'u']) await pool.query(`CREATE ROLE ${role} LOGIN`);
    await pool.query('GRANT pg_read_all_data TO reader; GRANT holdfast TO u');
    return {
      database: found.name,
      folder: found.folder,
      socket: `${found.folder}/.s.PGSQL.5432`,
      reader: postgres.url.replace('holdfast@', 'reader@'),
      [Symbol.asyncDispose]: () => postgres[Symbol.asyncDispose](),
    };
  } catch (error) {
    await postgres[Symbol.asyncDispose]();
    throw error;
  }
}

/** The input's own configuration, before the Postgres that listens on a socket of this folder. */
async function openPooler(trial: Trial, folder: string): Promise<AsyncDisposable> {
  const text = (await readFile(trial.path('pgb.ini'), 'utf8'))
    .replace('host=127.0.0.1 port=55432', `host=${folder} user=holdfast`)
    .replace('listen_port = 6432', `listen_port = ${POOLER_PORT}`)
    .replace('auth_type = trust', 'auth_type = any');
  await writeFile(trial.path('here.ini'), text);
  const asOther = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  // PgBouncer runs as another user, who must be able to reach the socket.
  await chmod(folder, 0o755);
  const child = spawn(PGBOUNCER, [...asOther, '-q', trial.path('here.ini')], { cwd: '/tmp', stdio: 'ignore' });
  const server = running(child);
  try {
    await until(
      'PgBouncer listens',
      () => answers(POOLER_PORT),
      (listens) => listens,
      20_000,
    );
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

/** Past this, a server is stuck, and is killed. */
const STOP_MS = 20_000;

/** A server that ends with the trial. */
function running(child: ChildProcess): AsyncDisposable {
  const ended = new Promise((resolve) => child.once('error', resolve).once('close', resolve));
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(late);
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function openServe(trial: Trial) {
  const token = 'a-token-of-this-trial-that-nobody-guesses';
  const child = spawn(
    `${import.meta.dirname}/../../../bin/holdfast`,
    ['serve', '--port', '0', '--drain', '0', '--data', trial.path('d')],
    { env: { ...process.env, HOLDFAST_API_TOKEN: token }, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const server = running(child);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const address = () => /http:\/\/[\w.[\]:]+/.exec(said)?.[0];
  try {
    await until(
      'serve listens',
      async () => address() !== undefined || child.exitCode !== null,
      (over) => over,
      60_000,
    );
    return { ...server, url: address() ?? 'http://127.0.0.1:1', token };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}
