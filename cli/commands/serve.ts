import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type Access, accessTo, type Grant } from '../../api/http/access.ts';
import { jsonLog, type Log } from '../../api/http/log.ts';
import { serveApi } from '../../api/server.ts';
import { HoldfastError } from '../../base/errors.ts';
import { connect } from '../../database/client/connect.ts';
import type { Database } from '../../database/client/database.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../database/embedded/embedded.ts';
import { migrate } from '../../database/migrations/migrate.ts';
import { VERSION } from '../../providers/artifacts/producer.ts';
import type { Io } from '../io.ts';
import { createDataFolder, type DataFolder, dataFolder } from '../local/data-folder.ts';
import { externalUrl } from '../local/state.ts';

/** Options as the command line gives them. */
export interface ServeOptions {
  readonly port: string;
  readonly host: string;
  readonly drain: string;
  readonly data: string;
  readonly namespace: string;
  readonly tokens?: string;
}

/** Connections at most: requests beyond wait for one. */
const CONNECTIONS = 10;
/** Who waits for an answer waits seconds. */
const LIMITS = { connectMs: 3000, statementMs: 5000, useMs: 8000 };

/**
 * Serves the API and the first page until it is told to stop; then what is under way is still answered.
 * @throws HF_USAGE, HF_ADDRESS_UNAVAILABLE, HF_DATABASE_UNREACHABLE, HF_MIGRATION_FAILED, HF_DATA_FOLDER, HF_DISK_FULL
 */
export async function serve(options: ServeOptions, io: Io): Promise<number> {
  const port = numberOf('--port', options.port, 65_535);
  const drainSeconds = numberOf('--drain', options.drain, 3600);
  const { access, made } = accessOf(options, port, io);
  const log = jsonLog((text) => io.stderr.write(text), io.now);
  await using source = await openSource(options, log, io);
  const { database } = source;
  const { namespace } = options;
  const { now, elapsed } = io;
  const listening = await serveApi(
    { database, access, log, version: VERSION, namespace, now, elapsed },
    { host: options.host, port, drainSeconds },
  );
  try {
    io.stdout.write(announcement(listening.url, access, made));
    log.event('listening', { url: listening.url });
    await told(io.signal);
    log.event('stopping');
  } finally {
    await listening.stop();
    log.flush();
  }
  return 0;
}

function numberOf(option: string, text: string, most: number): number {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= most) return value;
  throw new HoldfastError('HF_USAGE', `${option} ${text}: give a whole number from 0 to ${most}`);
}

/** A token of one's own has to be one that nobody guesses. */
const SHORTEST_TOKEN = 16;

/** 192 bits, in letters that an address takes as they are. */
const secret = () => randomBytes(24).toString('base64url');

function accessOf(options: ServeOptions, port: number, { environment, now }: Io) {
  const own = environment['HOLDFAST_API_TOKEN'] ?? '';
  const listed = options.tokens === undefined ? [] : readTokens(options.tokens);
  const named = (environment['HOLDFAST_API_HOSTS'] ?? '').split(',');
  const scope = new Set([options.namespace]);
  if (own !== '') requireToken(own, 'HOLDFAST_API_TOKEN');
  // Who lists tokens has given out those, and no other.
  const made = own === '' && listed.length === 0 ? { token: secret(), scope } : undefined;
  const grants = [...listed, ...(own === '' ? [] : [{ token: own, scope }]), ...(made === undefined ? [] : [made])];
  const access = accessTo({
    grants,
    hosts: [options.host, ...named].map((name) => name.trim().toLowerCase()).filter((name) => name !== ''),
    // Browsers keep cookies by host, whatever the port: two servers on one machine do not share one.
    cookie: `holdfast_session_${port}`,
    now,
    secret,
  });
  return { access, made };
}

function requireToken(token: string, where: string): void {
  if (token.length >= SHORTEST_TOKEN && /^[\x21-\x7e]+$/.test(token)) return;
  const sentence = `${where} must have at least ${SHORTEST_TOKEN} characters, none of them a space or beyond ASCII`;
  throw new HoldfastError('HF_USAGE', sentence);
}

const MOST_TOKENS = 1000;

/** Lines of a namespace, or several by commas, or `*` for every one, and the token for them; `#` begins a comment. */
function readTokens(file: string): Grant[] {
  const lines = tokenLines(file);
  const grants = new Map<string, Grant>();
  for (const [index, line] of lines.entries()) {
    const words = line.trim().split(/\s+/);
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    const where = `--tokens ${file}, line ${index + 1}`;
    const [names = '', token = ''] = words;
    if (words.length !== 2 || !/^(?:\*|[a-z0-9-]+(?:,[a-z0-9-]+)*)$/.test(names)) {
      throw new HoldfastError('HF_USAGE', `${where}: write a namespace, or * for every one, a blank, and its token`);
    }
    requireToken(token, `${where}: the token`);
    if (grants.has(token)) throw new HoldfastError('HF_USAGE', `${where}: the token is listed twice`);
    grants.set(token, { token, scope: names === '*' ? 'every' : new Set(names.split(',')) });
  }
  if (grants.size === 0) throw new HoldfastError('HF_USAGE', `--tokens ${file} lists no token`);
  return [...grants.values()];
}

function tokenLines(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new HoldfastError('HF_USAGE', `--tokens: cannot read ${file} (${why})`, { cause });
  }
  const lines = text.split(/\r?\n/, MOST_TOKENS + 1);
  if (lines.length <= MOST_TOKENS) return lines;
  throw new HoldfastError('HF_USAGE', `--tokens ${file} has more than ${MOST_TOKENS} lines`);
}

/** What a person needs to know, once. A token of their own they know already, and it is not for the screen. */
function announcement(url: string, { sessions }: Access, made: Grant | undefined): string {
  if (made === undefined) return `Holdfast is at ${url}/ and asks for a token; Ctrl-C stops it.\n`;
  return (
    `Holdfast is at ${url}/?key=${sessions.oneTimeKey(made.scope)}\n` +
    `The address lets in one browser, once; programs send "Authorization: Bearer ${made.token}". Ctrl-C stops it.\n`
  );
}

function told(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

interface SourceOfAnswers extends AsyncDisposable {
  /** Nothing can be changed through it. */
  readonly database: Database;
}

async function openSource({ data }: ServeOptions, log: Log, io: Io): Promise<SourceOfAnswers> {
  const options = { applicationName: 'holdfast serve', maximum: CONNECTIONS, readOnly: true, limits: LIMITS };
  const external = externalUrl(io);
  if (external !== undefined) {
    const database = await connect(external, options);
    return { database, [Symbol.asyncDispose]: () => database.close() };
  }
  const folder = dataFolder(data);
  // Not locked: a run, which is what there is to see, takes the lock.
  createDataFolder(folder);
  const server = await keepEmbedded(folder, log, io);
  try {
    await withDatabase(server.url, migrate);
    const database = await connect(server.url, options);
    return {
      database,
      async [Symbol.asyncDispose]() {
        await database.close();
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function withDatabase(url: string, work: (database: Database) => Promise<unknown>): Promise<void> {
  const database = await connect(url, { applicationName: 'holdfast serve' });
  try {
    await work(database);
  } finally {
    await database.close();
  }
}

const START_AGAIN_MS = 5_000;

/** The embedded Postgres, started again whenever it is gone, until this stops. Its address stays the same. */
async function keepEmbedded(folder: DataFolder, log: Log, io: Io): Promise<Pick<EmbeddedPostgres, 'url' | 'stop'>> {
  const start = () => startEmbeddedPostgres({ folder: folder.postgres, signal: io.signal });
  let server = await start();
  const { url } = server;
  const stop = new AbortController();
  const stopped = AbortSignal.any([io.signal, stop.signal]);
  /** A disk that is full now may have room in a minute. */
  const startAgain = async () => {
    while (!stopped.aborted) {
      try {
        server = await start();
        // It may have come up while this was being stopped: then nobody else leaves it.
        if (stopped.aborted) await server.stop();
        return;
      } catch (error) {
        if (stopped.aborted) return;
        log.event('the embedded Postgres cannot be started again yet', { error: String(error) });
        await pause(START_AGAIN_MS, undefined, { signal: stopped }).catch(() => {});
      }
    }
  };
  const keeping = (async () => {
    for (;;) {
      await server.ended;
      if (stopped.aborted) return;
      log.event('the embedded Postgres is gone and is started again');
      await startAgain();
    }
  })();
  return {
    url,
    async stop() {
      stop.abort();
      await server.stop();
      await keeping;
    },
  };
}
