import { execFile, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { connect } from '../../database/client/connect.ts';
import { startEmbeddedPostgres } from '../../database/embedded/embedded.ts';
import { migrate } from '../../database/migrations/migrate.ts';
import { BENCH_PROGRAM, customerId, makeCandidates } from './api-data.ts';
import type { Load, LoadOrder } from './load.ts';
import { median } from './percentiles.ts';

const HELP = `Usage: npm run bench:api [-- --quick] [-- --candidates N]

Measures the API, as "holdfast serve" runs it, against a bare application of Express and pg that makes the same queries,
over one real Postgres with a million candidates: one candidate, and a page of 50 by risk level. Each of the two and the
generator of requests is a process of its own; short rounds alternate and medians count, the ratio being that of a round
and its neighbour. Prints one JSON line for each: {"what","rps","p50","p99","bareRps","ratio"}, times in milliseconds, and
what a request costs the processor in each of the two servers, in microseconds, which other work on the machine changes
least. Ends with status 1 when a ratio is under 0.80.

  --quick          100,000 candidates, three short rounds
  --candidates N   another number of candidates
  --help           this
`;

const TOKEN = 'the-token-of-the-bench-0123456789';
const CONNECTIONS = 32;
const LEAST_RATIO = 0.8;

/** A round of one of the two. */
interface Round extends Load {
  /** Microseconds of the processor that a request took in the server. */
  readonly cpuUs: number;
}

interface Size {
  readonly candidates: number;
  readonly rounds: number;
  readonly seconds: number;
}
const FULL: Size = { candidates: 1_000_000, rounds: 15, seconds: 2 };
const QUICK: Size = { candidates: 100_000, rounds: 5, seconds: 1 };

/** Something that is asked of both. */
interface Question {
  readonly what: string;
  readonly ours: readonly string[];
  readonly bare: readonly string[];
  /** How many candidates an answer must have. */
  readonly rows: number;
}

function questions(candidates: number): readonly Question[] {
  const { namespace, program } = BENCH_PROGRAM;
  const ids = Array.from({ length: 1500 }, (_, index) => customerId(1 + ((index * 48_271) % candidates)));
  const levels = ['critical', 'high', 'medium'];
  const api = `/v1/namespaces/${namespace}/programs/${program}/candidates`;
  const bare = `/${namespace}/${program}/candidates`;
  return [
    { what: 'point', ours: ids.map((id) => `${api}/${id}?arm=all`), bare: ids.map((id) => `${bare}/${id}`), rows: 1 },
    {
      what: 'list-50',
      ours: levels.map((level) => `${api}?riskLevel=${level}&limit=50&arm=all`),
      bare: levels.map((level) => `${bare}?riskLevel=${level}`),
      rows: 50,
    },
  ];
}

interface BenchServer {
  readonly url: string;
  /** Milliseconds of the processor that it has used. */
  readonly processorMs: () => number;
}

/** Starts a server that prints its address; it ends with the bench. */
async function server(
  name: string,
  args: readonly string[],
  url: string,
  folder: string,
  everything: AsyncDisposableStack,
): Promise<BenchServer> {
  const log = openSync(join(folder, `${name}.log`), 'a');
  const environment = {
    PATH: process.env['PATH'],
    DATABASE_URL: url,
    HOLDFAST_API_TOKEN: TOKEN,
    NODE_ENV: 'production',
  };
  const child = spawn(process.execPath, args, { env: environment, stdio: ['ignore', 'pipe', log] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  everything.defer(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  let printed = '';
  for await (const chunk of child.stdout ?? []) {
    printed += String(chunk);
    const url = /http:\/\/[\d.]+:\d+/.exec(printed)?.[0];
    if (url !== undefined) return { url, processorMs: () => processorMs(child.pid) };
  }
  throw new Error(`${name} ended before it listened: ${printed}`);
}

/** From proc(5): user and system time, in ticks of 10 ms. */
function processorMs(pid: number | undefined): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const run = promisify(execFile);

async function load(order: LoadOrder): Promise<Load> {
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, 'load.ts'), JSON.stringify(order)], {
    maxBuffer: 64 * 1024 * 1024,
  });
  const result = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Load;
  if (result.failed > 0) throw new Error(`${result.failed} requests to ${order.url} failed`);
  return result;
}

/** Both must answer with the candidates, or their speed means nothing. */
async function check(url: string, path: string, rows: number): Promise<void> {
  const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
  const text = await response.text();
  const found = text.split('"treatment"').length + text.split('"holdout"').length - 2;
  if (response.status !== 200 || found !== rows) throw new Error(`${path} answered ${response.status}: ${text}`);
}

async function measure({ candidates, rounds, seconds }: Size, everything: AsyncDisposableStack): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-api-'));
  everything.defer(() => rm(folder, { recursive: true, force: true }));
  const postgres = await startEmbeddedPostgres({ folder: join(folder, 'postgres') });
  everything.defer(() => postgres.stop());
  say(`making ${candidates} candidates`);
  const database = await connect(postgres.url, { applicationName: 'bench' });
  try {
    await migrate(database);
    await makeCandidates(database, candidates);
  } finally {
    await database.close();
  }
  const root = join(import.meta.dirname, '../..');
  const serve = [join(root, 'cli/entry.ts'), 'serve', '--port', '0'];
  const servers = {
    ours: await server('holdfast', serve, postgres.url, folder, everything),
    bare: await server('bare', [join(import.meta.dirname, 'bare-api.ts')], postgres.url, folder, everything),
  };
  let kept = true;
  for (const question of questions(candidates)) kept = (await compare(question, servers, { rounds, seconds })) && kept;
  return kept;
}

async function compare(
  { what, rows, ...paths }: Question,
  servers: Readonly<Record<'ours' | 'bare', BenchServer>>,
  { rounds, seconds }: Pick<Size, 'rounds' | 'seconds'>,
): Promise<boolean> {
  const results: Record<'ours' | 'bare', Round[]> = { ours: [], bare: [] };
  const ask = async (who: 'ours' | 'bare', time: number): Promise<Round> => {
    const { url, processorMs } = servers[who];
    const before = processorMs();
    const result = await load({ url, paths: paths[who], token: TOKEN, connections: CONNECTIONS, seconds: time });
    return { ...result, cpuUs: ((processorMs() - before) / (result.rps * time)) * 1000 };
  };
  for (const who of ['ours', 'bare'] as const) {
    await check(servers[who].url, paths[who][0] ?? '', rows);
    // Once for the caches and the compiler.
    await ask(who, 3);
  }
  for (let round = 0; round < rounds; round++) {
    for (const who of round % 2 === 0 ? (['ours', 'bare'] as const) : (['bare', 'ours'] as const)) {
      const result = await ask(who, seconds);
      results[who].push(result);
      say(`${what} ${who}: ${Math.round(result.rps)} a second, p50 ${result.p50} ms, p99 ${result.p99} ms`);
    }
  }
  const middle = (who: 'ours' | 'bare', figure: keyof Round) => median(results[who].map((one) => one[figure]));
  const ratios = results.ours.map(({ rps }, round) => rps / (results.bare[round]?.rps ?? 0));
  const ratio = Math.round(median(ratios) * 100) / 100;
  const line = {
    what,
    rps: Math.round(middle('ours', 'rps')),
    p50: middle('ours', 'p50'),
    p99: middle('ours', 'p99'),
    bareRps: Math.round(middle('bare', 'rps')),
    ratio,
    cpuUs: Math.round(middle('ours', 'cpuUs')),
    bareCpuUs: Math.round(middle('bare', 'cpuUs')),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  return ratio >= LEAST_RATIO;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Rejects when somebody wants this to end. */
function interruption(): Promise<never> {
  return new Promise((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => reject(new Error(`ended by ${signal}`)));
    }
  });
}

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, candidates: { type: 'string' }, help: { type: 'boolean' } },
});
if (values.help === true) {
  process.stdout.write(HELP);
} else {
  const size = values.quick === true ? QUICK : FULL;
  const candidates = values.candidates === undefined ? size.candidates : Number(values.candidates);
  if (!Number.isInteger(candidates) || candidates < 1000) throw new Error('--candidates: give a number from 1000');
  await using everything = new AsyncDisposableStack();
  const kept = await Promise.race([measure({ ...size, candidates }, everything), interruption()]);
  process.exitCode = kept ? 0 : 1;
}
