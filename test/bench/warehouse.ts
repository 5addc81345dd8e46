import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { to as copyTo } from 'pg-copy-streams';
import { literal, openEngine } from '../../base/duckdb/engine.ts';
import { writeParquet } from '../../base/duckdb/parquet.ts';
import { connect } from '../../database/client/connect.ts';
import type { Database } from '../../database/client/database.ts';
import { transaction } from '../../database/client/transaction.ts';
import { openWarehouse } from '../../providers/warehouses/index.ts';
import { openPostgres } from '../support/postgres.ts';

const HELP = `Usage: npm run bench:warehouse [-- --rows N[,N…]] [--url postgres://…]

Reads a table of 20 columns from Postgres into a Parquet file, as the stage extract does: through a cursor of the server, in
batches. The same rows by COPY to a CSV file that DuckDB reads are measured beside it. Prints one line of JSON per size:
seconds, rows per second, seconds of this process's processor, and its most memory while rows came in: the heap must not
grow with the rows.

  --rows    sizes (100000,1000000)
  --url     another Postgres than an embedded one, in which a table may be made
  --help    this
`;

const TABLE = 'public.holdfast_bench_customers';
const RESOURCES = { threads: 2, memoryMb: 512 };
const MEGABYTE = 1024 * 1024;

const rowsOf = (rows: number) => `
  CREATE UNLOGGED TABLE ${TABLE} AS
  SELECT 'C' || lpad(n::text, 8, '0') AS customer_id, 'US' AS marketplace, 'USD' AS currency, 'Europe/Berlin' AS timezone,
    'active' AS account_status, n % 7 <> 0 AS verified, 'active' AS subscription_status, 'premium' AS subscription_tier,
    (n % 60)::float8 AS subscription_tenure, (n % 1000) / 1000.0::float8 AS engagement_score,
    'declining' AS engagement_trend, (n % 100) / 100.0::float8 - 0.5 AS engagement_change,
    (n % 90) / 10.0::float8 AS login_frequency, 4.25::float8 AS historical_avg, (n % 90)::int AS days_since_last_login,
    (n % 120)::int AS days_since_last_purchase, (n % 3)::int AS support_tickets,
    (n % 100000)::numeric(12, 2) AS lifetime_value, n % 11 = 0 AS opted_out,
    timestamptz '2026-01-01 00:00:00+00' + n * interval '1 second' AS changed_at
  FROM generate_series(1, ${rows}) AS numbers (n)`;

interface Figure {
  readonly rows: number;
  readonly seconds: number;
  readonly rowsPerSecond: number;
  /** Of this process, which says more than seconds where others work, too. */
  readonly cpuSeconds: number;
}

/** Through the warehouse, as a run does. */
async function byCursor(url: string, folder: string): Promise<Figure & { maxHeapMb: number; maxResidentMb: number }> {
  const { signal } = new AbortController();
  const warehouse = await openWarehouse(
    { connectorId: 'bench', type: 'postgres', config: { query: `SELECT * FROM ${TABLE}` } },
    {
      baseFolder: folder,
      source: url,
      sampleFolder: folder,
      asOf: new Date(0),
      scratchFolder: folder,
      resources: RESOURCES,
      signal,
    },
  );
  let heap = 0;
  let resident = 0;
  const progress = () => {
    const { heapUsed, rss } = process.memoryUsage();
    heap = Math.max(heap, heapUsed);
    resident = Math.max(resident, rss);
  };
  try {
    const figure = await timed(() =>
      warehouse.extract({ query: `SELECT * FROM ${TABLE}` }, join(folder, 'cursor.parquet'), { signal, progress }),
    );
    return { ...figure, maxHeapMb: Math.round(heap / MEGABYTE), maxResidentMb: Math.round(resident / MEGABYTE) };
  } finally {
    await warehouse.close();
  }
}

/** By COPY to a file, with the types of the file that the cursor made. */
async function byCopy(database: Database, folder: string): Promise<Figure> {
  await using engine = await openEngine({ ...RESOURCES, scratchFolder: folder });
  const described = await engine.rows<{ column_name: string; column_type: string }>(
    `DESCRIBE SELECT * FROM read_parquet(${literal(join(folder, 'cursor.parquet'))})`,
  );
  const columns = described.map(({ column_name, column_type }) => `${literal(column_name)}: ${literal(column_type)}`);
  const file = join(folder, 'copy.csv');
  return await timed(async () => {
    await transaction(database, { doing: 'copy', unlimited: true }, async (client) => {
      await pipeline(
        client.query(copyTo(`COPY (SELECT * FROM ${TABLE}) TO STDOUT (FORMAT csv)`)),
        createWriteStream(file),
      );
    });
    const scan = `read_csv(${literal(file)}, auto_detect = false, header = false, columns = {${columns.join(', ')}})`;
    return writeParquet(engine, `SELECT * FROM ${scan}`, join(folder, 'copy.parquet'));
  });
}

async function timed(work: () => Promise<number>): Promise<Figure> {
  const started = performance.now();
  const before = process.cpuUsage();
  const rows = await work();
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - started) / 1000;
  return {
    rows,
    seconds: Number(seconds.toFixed(2)),
    rowsPerSecond: Math.round(rows / seconds),
    cpuSeconds: Number(((user + system) / 1_000_000).toFixed(2)),
  };
}

async function measure(url: string, sizes: readonly number[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  const database = await connect(url, { applicationName: 'holdfast bench' });
  try {
    for (const size of sizes) {
      const load = Number((loadavg()[0] ?? 0).toFixed(1));
      await transaction(database, { doing: 'make the table', unlimited: true }, async (client) => {
        await client.query(`DROP TABLE IF EXISTS ${TABLE}`);
        await client.query(rowsOf(size));
      });
      const cursor = await byCursor(url, folder);
      const copy = await byCopy(database, folder);
      process.stdout.write(`${JSON.stringify({ processors: availableParallelism(), load, cursor, copy })}\n`);
    }
  } finally {
    await database.pool.query(`DROP TABLE IF EXISTS ${TABLE}`);
    await database.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const { values } = parseArgs({
  options: { rows: { type: 'string' }, url: { type: 'string' }, help: { type: 'boolean' } },
});
const sizes = (values.rows ?? '100000,1000000').split(',').map(Number);
if (values.help === true) {
  process.stdout.write(HELP);
} else if (sizes.some((size) => !Number.isInteger(size) || size < 1)) {
  process.stderr.write(`--rows ${values.rows}: give whole numbers, as in 100000,1000000\n`);
  process.exitCode = 1;
} else if (values.url === undefined) {
  await using postgres = await openPostgres();
  const url = new URL(postgres.url);
  url.searchParams.set('privileged_role', 'allow');
  await measure(url.href, sizes);
} else {
  await measure(values.url, sizes);
}
