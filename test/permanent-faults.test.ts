import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openPostgres, type TestPostgres } from './support/postgres.ts';
import { NOW, type ProgramChanges, type Workspace, workspace } from './support/workspace.ts';

const PLAIN = 'customer_id,tenure\nC1,2\n';

/**
 * Files of customers in which there is nothing to read, and what is said of them by `init` and by a run: of one without a
 * byte, which may still be written, with the status of what may pass.
 */
const WITHOUT_ROWS: Record<string, { content: string | Buffer; says: RegExp; passes?: true }> = {
  'empty.csv': { content: '', says: /empty\.csv:? (it )?is empty/, passes: true },
  'empty.jsonl': { content: '', says: /empty\.jsonl:? (it )?is empty/, passes: true },
  'empty.parquet': { content: '', says: /empty\.parquet:? (it )?is empty/, passes: true },
  'empty.xlsx': { content: '', says: /empty\.xlsx:? (it )?is empty/, passes: true },
  'empty.csv.gz': { content: '', says: /empty\.csv\.gz:? (it )?is empty/, passes: true },
  'packed.csv.gz': { content: gzipSync(''), says: /packed\.csv\.gz: it has no line with anything in it/ },
  'mark.csv': { content: '\ufeff', says: /mark\.csv: it has no line with anything in it/ },
  'mark.jsonl': { content: '\ufeff', says: /mark\.jsonl: it holds no row/ },
  'blank.csv': { content: '\n  \r\n\n', says: /blank\.csv: it has no line with anything in it/ },
  'separator.csv': { content: 'sep=;\n', says: /separator\.csv: it has no line with anything in it/ },
  'text.parquet': { content: PLAIN, says: /text\.parquet: it is no Parquet file/ },
  'plain.csv.gz': { content: PLAIN, says: /plain\.csv\.gz: it is not compressed as its name says, or damaged/ },
  'plain.csv.zst': { content: PLAIN, says: /plain\.csv\.zst: it is not compressed as its name says, or damaged/ },
};

let postgres: TestPostgres;
let shop: Workspace;
beforeAll(async () => {
  postgres = await openPostgres();
  shop = await workspace();
  const { pool } = postgres.database;
  await pool.query("CREATE ROLE stranger LOGIN PASSWORD 'reads'");
  await pool.query('CREATE TABLE public.people AS SELECT 1 AS customer_id');
  await mkdir(shop.path('folder.csv'));
  await symlink('loop.jsonl', shop.path('loop.jsonl'));
  execFileSync('mkfifo', [shop.path('pipe.csv')], { timeout: 60_000 });
  await writeFile(shop.path('plain.csv'), PLAIN);
  for (const [name, { content }] of Object.entries(WITHOUT_ROWS)) await writeFile(shop.path(name), content);
});
afterAll(async () => {
  await shop[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

const server =
  (query: string): ProgramChanges =>
  (spec) => {
    spec['dataConnectors'] = [{ connectorId: 'shop', type: 'postgres', config: { query } }];
  };
const stranger = () => postgres.url.replace('holdfast@', 'stranger:reads@');

interface Case {
  readonly args: (program: string) => readonly string[];
  readonly changes?: ProgramChanges;
  readonly environment?: () => Record<string, string>;
  readonly status: number;
  readonly says: RegExp;
}

const run = (program: string) => ['run', program, '--now', NOW];
/** A run whose system of record is this one. */
const recordedIn = (url: () => string, says: RegExp, status = 78): Case => ({
  args: run,
  environment: () => ({ DATABASE_URL: url() }),
  status,
  says,
});
/** A run whose connector reads from this server. */
const readingFrom = (url: () => string, says: RegExp, query = 'TABLE people', status = 78): Case => ({
  args: run,
  changes: server(query),
  environment: () => ({ HOLDFAST_CONNECTION_SHOP: url() }),
  status,
  says,
});
const withParameter = (parameter: string) => () => `${stranger()}&${parameter}`;
const elsewhere = (url: string) => url.replace('/postgres?', '/nowhere?');
const nobody = () => postgres.url.replace('holdfast@', 'nobody:reads@');
const DOWN = 'postgres://reader@127.0.0.1:1/shop';

const EMPTY_ADDRESS = /^HF_USAGE: DATABASE_URL is set but empty: give .*, or unset it/m;
/** A command that would otherwise use, or make, an embedded Postgres that nobody asked for. */
const unaddressed = (...args: readonly string[]): Case => ({
  args: () => args,
  environment: () => ({ DATABASE_URL: '' }),
  status: 78,
  says: EMPTY_ADDRESS,
});

const CASES: Record<string, Case> = {
  'a record with a malformed URL': recordedIn(() => 'postgres//db/shop', /^HF_DATABASE_REFUSED: .*not of the form/m),
  'a record with an address that is empty': recordedIn(() => '', EMPTY_ADDRESS),
  'a record with an address of blanks': recordedIn(() => ' \n', EMPTY_ADDRESS),
  'a list from an address that is empty': unaddressed('candidates', 'kept', '--csv'),
  'runs of an address that is empty': unaddressed('runs'),
  'a discard at an address that is empty': unaddressed('discard', 'kept-1', '--reason', 'a trial'),
  'the current batch of an address that is empty': unaddressed('current', 'kept'),
  'a prune of an address that is empty': unaddressed('prune', 'kept', '--deleted', '--dry-run'),
  'a server on an address that is empty': unaddressed('serve', '--port', '0'),
  'a record with an unknown sslmode': recordedIn(withParameter('sslmode=mostly'), /unknown sslmode mostly/),
  'a record in a database that is not there': recordedIn(() => elsewhere(stranger()), /no such database/),
  'a record whose user is refused': recordedIn(nobody, /^HF_DATABASE_REFUSED: .*the user or the password is refused/m),
  'a record whose role may not make its tables': recordedIn(stranger, /^HF_DATABASE_REFUSED: .*permission denied/m),
  'a record whose server is down': recordedIn(() => DOWN, /^HF_DATABASE_UNREACHABLE/m, 1),
  'a warehouse with a malformed URL': readingFrom(() => 'postgres//db/shop', /not of the form/),
  'a warehouse with an unknown sslmode': readingFrom(withParameter('sslmode=mostly'), /unknown sslmode mostly/),
  'a warehouse in a database that is not there': readingFrom(() => elsewhere(stranger()), /no such database/),
  'a warehouse whose user is refused': readingFrom(nobody, /the user or the password is refused/),
  'a warehouse whose role could do more than read': readingFrom(() => postgres.url, /is a superuser/),
  'a warehouse that is down': readingFrom(() => DOWN, /^HF_WAREHOUSE_UNREACHABLE/m, 'TABLE people', 1),
  'a table that is not there': readingFrom(stranger, /relation "peple" does not exist/, 'TABLE peple'),
  'a table that may not be read': readingFrom(stranger, /permission denied for table people/),
  'a column that is not there': readingFrom(stranger, /^HF_COLUMN_MISSING: .* column id/m, 'SELECT id FROM people'),
  'a column that the query does not give': {
    args: run,
    changes: (spec) => (spec['dataConnectors'][0].config.query = 'SELECT * EXCLUDE (support_tickets) FROM customers'),
    status: 78,
    says: /support_tickets/,
  },
  'a table of a file that is not there': {
    args: run,
    changes: (spec) => (spec['dataConnectors'][0].config.query = 'SELECT * FROM custmers'),
    status: 78,
    says: /custmers/,
  },
  'a file of customers that is not there': {
    args: (program) => [...run(program), '--source', `shop=${shop.path('gone.parquet')}`],
    status: 78,
    says: /gone\.parquet: it does not exist/,
  },
  'a file of customers that is a folder': {
    args: (program) => [...run(program), '--source', `shop=${shop.path('folder.csv')}`],
    status: 78,
    says: /folder\.csv/,
  },
  'a file of customers that is a pipe': {
    args: (program) => [...run(program), '--source', `shop=${shop.path('pipe.csv')}`],
    status: 78,
    says: /pipe\.csv: it is not a file: give one file/,
  },
  'a file of customers that is a link to itself': {
    args: (program) => [...run(program), '--source', `shop=${shop.path('loop.jsonl')}`],
    status: 78,
    says: /loop\.jsonl: it is a link that leads back to itself/,
  },
  'a file of customers of too long a name': {
    args: (program) => [...run(program), '--source', `shop=${shop.path(`${'a'.repeat(300)}.csv`)}`],
    status: 78,
    says: /a\.csv: it has a name that is too long/,
  },
  'a database below a file': {
    args: (program) => [...run(program), '--source', `shop=${shop.path('plain.csv/shop.duckdb')}`],
    status: 78,
    says: /shop\.duckdb: it lies in what is no folder/,
  },
  'customers by a name that no file has': {
    args: (program) => [...run(program), '--source', `shop=${shop.path('nobody-*.csv')}`],
    status: 78,
    says: /nobody-\*\.csv: it does not exist/,
  },
  'a file for init that is a link to itself': {
    args: () => ['init', shop.path('loop.jsonl'), '-o', shop.path('looped.yaml')],
    status: 78,
    says: /loop\.jsonl is a link that leads back to itself/,
  },
  'a model that is a link to itself': {
    args: () => ['models', 'check', shop.path('loop.jsonl')],
    status: 78,
    says: /loop\.jsonl is a link that leads back to itself/,
  },
  'a manifest that is a link to itself': {
    args: () => ['validate', shop.path('loop.jsonl')],
    status: 78,
    says: /cannot be read: it is a link that leads back to itself/,
  },
  'a manifest that is not there': { args: () => run(shop.path('gone.yaml')), status: 78, says: /no such file/ },
  'a connection that nobody gave': {
    args: run,
    changes: server('TABLE people'),
    status: 78,
    says: /set HOLDFAST_CONN/,
  },
  'an option that there is not': { args: (program) => [...run(program), '--fast'], status: 78, says: /--fast/ },
  'a command that there is not': { args: () => ['rnu'], status: 78, says: /rnu/ },
  'a program that never ran, explained': { args: () => ['explain', 'kept', 'C1'], status: 78, says: /^HF_NOT_FOUND/m },
  'a program that never ran, pruned': { args: () => ['prune', 'kept'], status: 78, says: /^HF_NOT_FOUND/m },
  'a program that never ran, and its current batch': {
    args: () => ['current', 'kept'],
    status: 78,
    says: /^HF_NOT_FOUND/m,
  },
  'a file for init that is not there': { args: () => ['init', shop.path('gone.csv')], status: 78, says: /gone\.csv/ },
  'a table for init that is not there': {
    args: () => ['init', '--connector', 'shop', '--table', 'peple'],
    environment: () => ({ HOLDFAST_CONNECTION_SHOP: stranger() }),
    status: 78,
    says: /no table peple/,
  },
  'a model that is not there': { args: () => ['models', 'check', shop.path('gone.onnx')], status: 78, says: /gone/ },
  'labels that are not there': {
    args: () => ['models', 'check', shop.path('risk.onnx'), '--data', shop.path('gone.csv')],
    status: 78,
    says: /gone\.csv/,
  },
  'a folder of state that is a file': {
    args: (program) => [...run(program), '--data', shop.path('plain.csv')],
    status: 78,
    says: /^HF_DATA_FOLDER/m,
  },
  'a file of tokens that is not there': {
    args: () => ['serve', '--port', '0', '--data', shop.path('state'), '--tokens', shop.path('gone')],
    status: 78,
    says: /gone/,
  },
};

const ofRows: ProgramChanges = (spec) => {
  spec['dataConnectors'][0].config = { path: 'plain.csv', table: 'customers', query: 'SELECT * FROM customers' };
};

test.each(Object.entries(WITHOUT_ROWS))('a file of customers without rows, %s', async (name, { says, passes }) => {
  const made = await shop.holdfast(['init', shop.path(name), '-o', shop.path(`${name}.yaml`)]);
  const ran = await shop.holdfast([...run(await shop.program(ofRows)), '--source', `shop=${shop.path(name)}`]);
  for (const { stdout, stderr } of [made, ran]) expect(stderr + stdout).toMatch(says);
  expect([made.status, ran.status]).toEqual([78, passes === true ? 1 : 78]);
});

test.each(Object.entries(CASES))('%s', async (_name, { args, changes, environment, status, says }) => {
  const program = await shop.program(changes);
  const result = await shop.holdfast(args(program), { environment: environment?.() ?? {} });
  expect(result.stderr + result.stdout).toMatch(says);
  expect(result.status).toBe(status);
});
