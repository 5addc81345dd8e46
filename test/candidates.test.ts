import { mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { literal, openEngine } from '../base/duckdb/engine.ts';
import { HoldfastError } from '../base/errors.ts';
import { storeBatch, weeks } from './support/api.ts';
import { openPostgres, type TestPostgres } from './support/postgres.ts';
import { type CommandOptions, type CommandResult, type Workspace, workspace } from './support/workspace.ts';

let shop: Workspace;
let postgres: TestPostgres;
beforeAll(async () => {
  shop = await workspace();
  postgres = await openPostgres();
  const { database } = postgres;
  await storeBatch(database, { run: 'churn-1', slot: weeks(-1), sequence: 1, customers: 40 });
  // More than two pages, so that pages meet.
  await storeBatch(database, { run: 'churn-2', sequence: 2, customers: 2500 });
  await storeBatch(database, { program: 'over', run: 'over-1', customers: 20, expiresAt: weeks(-2) });
  await storeBatch(database, { namespace: 'bank', program: 'notice', run: 'notice-1', customers: 5 });
  await storeBatch(database, { program: 'unpublished', run: 'unpublished-1', current: false, phase: 'Failed' });
  await storeBatch(database, { program: 'hostile', run: 'hostile-1', customers: 8, risk: '0.99 - n / 100.0' });
  await database.pool.query(
    `UPDATE holdfast.candidates SET customer_id = hostile.id, locale = '=2+2', subscription_tier = $2, lifetime_value = -12.5
     FROM unnest($1::text[]) WITH ORDINALITY AS hostile (id, n)
     WHERE program = 'hostile' AND customer_id = 'C' || lpad(hostile.n::text, 5, '0')`,
    [HOSTILE, 'a,"b"\r\n;=c'],
  );
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await shop[Symbol.asyncDispose]();
});

const HOSTILE = ['=1+1', '@SUM(A1)', '-12', '00123', '+4917', '-1+1', '＝1', 'Zoë'];

const list = (args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> =>
  shop.holdfast(['candidates', ...args, ...(args.includes('-n') ? [] : ['-n', 'shop'])], {
    ...options,
    environment: { DATABASE_URL: postgres.url },
  });
const lines = ({ stdout }: CommandResult) =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

async function duckdb<Row extends object>(sql: string): Promise<Row[]> {
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: shop.folder });
  return await engine.rows<Row>(sql);
}

/** Whom to contact, highest risk first, as Postgres has it. */
const wanted = async (where: string) =>
  (
    await postgres.database.pool.query(
      `SELECT customer_id FROM holdfast.candidates WHERE ${where} ORDER BY risk_score DESC, customer_id`,
    )
  ).rows.map(({ customer_id }) => customer_id);

test('CSV, JSON lines and Parquet have the treated customers of the current batch, each once, highest risk first', async () => {
  const treated = await wanted(`run = 'churn-2' AND arm = 'treatment'`);
  expect(treated).toHaveLength(2250);
  for (const [format, file, read] of [
    ['--csv', 'list.csv', 'read_csv'],
    ['--json', 'list.jsonl', 'read_json'],
    ['--parquet', 'list.parquet', 'read_parquet'],
  ] as const) {
    const path = shop.path(file);
    expect(await list(['churn', format, '--out', path])).toEqual({ status: 0, stdout: '', stderr: '' });
    const found = await duckdb<Record<string, string>>(`SELECT * FROM ${read}(${literal(path)})`);
    expect(found.map(({ customer_id }) => customer_id)).toEqual(treated);
    expect(JSON.stringify(found)).not.toMatch(/holdout|treatment|"arm"|"epoch"/);
  }
  const piped = await list(['churn', '--csv']);
  expect(piped).toEqual({ status: 0, stdout: await readFile(shop.path('list.csv'), 'utf8'), stderr: '' });
});

test('a customer is there with risk, reasons and offer in words, what a message needs, and the batch', async () => {
  const [first] = lines(await list(['churn', '--json', '--limit', '1']));
  expect(first).toEqual({
    customer_id: expect.any(String),
    risk_level: 'critical',
    risk_score: expect.any(Number),
    reasons: 'no login for long; subscription tenure below typical; streaming tv yes',
    offer: 'premium',
    offer_tier: 'premium',
    offer_kind: expect.stringMatching(/^(upgrade|discount)$/),
    discount: null,
    duration_months: null,
    include_upgrade: null,
    include_personal_call: null,
    expires_at: weeks(4).toISOString(),
    locale: null,
    timezone: null,
    marketplace: null,
    currency: null,
    lifetime_value: null,
    subscription_tier: null,
    segment: null,
    churn_signals: ['inactivity'],
    risk_reasons: ['subscription_tenure below typical', 'streaming_tv_yes'],
    program: 'churn',
    run: 'churn-2',
    slot: weeks(0).toISOString(),
  });
});

test('Parquet has every column in its own type', async () => {
  await list(['churn', '--parquet', '--out', shop.path('types.parquet')]);
  const described = await duckdb<{ column_name: string; column_type: string }>(
    `DESCRIBE SELECT * FROM read_parquet(${literal(shop.path('types.parquet'))})`,
  );
  expect(Object.fromEntries(described.map((one) => [one.column_name, one.column_type]))).toMatchObject({
    customer_id: 'VARCHAR',
    risk_score: 'DOUBLE',
    discount: 'DOUBLE',
    duration_months: 'INTEGER',
    include_upgrade: 'BOOLEAN',
    expires_at: 'TIMESTAMP WITH TIME ZONE',
    slot: 'TIMESTAMP WITH TIME ZONE',
    churn_signals: 'VARCHAR[]',
  });
  const [row] = await duckdb(
    `SELECT any_value(slot)::VARCHAR AS slot, sum(risk_score) AS risk FROM read_parquet(${literal(shop.path('types.parquet'))})`,
  );
  const { rows } = await postgres.database.pool.query(
    `SELECT sum(risk_score) AS risk FROM holdfast.candidates WHERE run = 'churn-2' AND arm = 'treatment'`,
  );
  expect(row).toEqual({ slot: '2026-11-23 02:00:00+00', risk: expect.closeTo(rows[0].risk, 9) });
});

test('in CSV texts are harmless for spreadsheets and numbers stay numbers; the other formats have them as they are', async () => {
  const { stdout } = await list(['hostile', '--csv']);
  const [head, ...records] = stdout.split(/\r\n(?="|$)/).filter((line) => line !== '');
  expect(head).toMatch(/^"customer_id","risk_level","risk_score",/);
  expect(records.map((record) => record.split(',')[0])).toEqual([
    `"'=1+1"`,
    `"'@SUM(A1)"`,
    '"-12"',
    '"00123"',
    '"+4917"',
    `"'-1+1"`,
    `"'＝1"`,
    '"Zoë"',
  ]);
  for (const record of records) {
    expect(record).toContain(`,"'=2+2",`);
    expect(record).toContain(`,-12.5,"a,""b""\r\n;'=c",`);
  }
  expect(lines(await list(['hostile', '--json'])).map(({ customer_id, locale }) => [customer_id, locale])).toEqual(
    HOSTILE.map((id) => [id, '=2+2']),
  );
});

test('Excel is told of UTF-8 where somebody asks for it', async () => {
  const plain = await list(['hostile', '--csv']);
  const marked = await list(['hostile', '--csv', '--excel']);
  expect(plain.stdout.startsWith('"customer_id"')).toBe(true);
  expect(marked.stdout).toBe(`\ufeff${plain.stdout}`);
});

test.each([
  ['a risk level', ['--risk', 'critical'], `arm = 'treatment' AND risk_level = 'critical'`],
  ['another batch that is kept', ['--run', 'churn-1'], `arm = 'treatment'`, 'churn-1'],
  ['an arm', ['--arm', 'holdout'], `arm = 'holdout'`],
  ['both arms', ['--arm', 'all'], 'true'],
])('a list can be of %s', async (_name, args, where, run = 'churn-2') => {
  const ids = lines(await list(['churn', '--json', ...args])).map(({ customer_id }) => customer_id);
  expect(ids).toEqual(await wanted(`run = '${run}' AND ${where}`));
});

test('who asks for an arm gets it in a column of its own, and a warning', async () => {
  const { stdout, stderr } = await list(['churn', '--arm', 'all', '--csv', '--limit', '3']);
  expect(stdout).toMatch(/^[^\r]*,"arm","epoch"\r\n/);
  expect(stderr).toMatch(/^warning: .* held out: never contact them/);
});

test('the id has the name that it has in the table it came from', async () => {
  const { stdout } = await list(['churn', '--csv', '--limit', '1', '--id-column', 'CustomerID']);
  expect(stdout).toMatch(/^"CustomerID","risk_level"/);
  const clash = await list(['churn', '--csv', '--id-column', 'Locale']);
  expect(clash).toMatchObject({
    status: 78,
    stdout: '',
    stderr: expect.stringContaining('HF_USAGE: --id-column Locale'),
  });
});

test('without a format the first are shown, with how many there are', async () => {
  const { stdout } = await list(['churn', '--limit', '2']);
  const [place, figures, , head, first, second, more] = stdout.split('\n');
  expect(place).toBe('churn   as of 2026-11-23T02:00:00Z   churn-2');
  expect(figures).toMatch(/^to contact 2,250 {3}critical \d+ {3}high \d+ {3}medium [\d,]+$/);
  expect(head).toMatch(/^customer_id +level +risk +offer +recommended +reasons$/);
  expect(first).toMatch(
    /^C\d{5} +critical +0\.\d{3} +premium +(upgrade|discount) +no login for long; subscription tenure below typical; streaming tv yes$/,
  );
  expect(second).toMatch(/^C\d{5} /);
  expect(more).toMatch(/^and 2,248 more: /);
});

test('a batch that was discarded is listed with a word', async () => {
  const { database } = postgres;
  await storeBatch(database, { program: 'sent-never', run: 'sent-never-1', customers: 5, current: false });
  await database.pool.query(`UPDATE holdfast.runs SET discarded_at = now() WHERE program = 'sent-never'`);
  const { status, stderr } = await list(['sent-never', '--csv', '--run', 'sent-never-1']);
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: 'warning: the batch of sent-never-1 was discarded: what it decided counts as no offer\n',
  });
});

test('a batch past its time has nobody to contact, and that is said', async () => {
  const { status, stdout, stderr } = await list(['over', '--csv']);
  expect({ status, records: stdout.split('\r\n').length }).toEqual({ status: 0, records: 2 });
  expect(stderr).toMatch(/^warning: over-1 has nobody to contact/);
});

test.each([
  [
    'a program that has not run',
    ['chrun', '--csv'],
    /chrun has not run in .*; the programs that have are churn, .* \(did you mean churn\?\)/,
  ],
  [
    'a program of another namespace',
    ['notice', '--csv'],
    /notice has not run in .*it has in the namespace bank: give --namespace/,
  ],
  ['a program of which nothing is published', ['unpublished', '--csv'], /no batch of unpublished has been published/],
  ['a run that is not there', ['churn', '--csv', '--run', 'churn-9'], /churn has no batch churn-9/],
  ['two formats', ['churn', '--csv', '--json'], /HF_USAGE: --csv and --json ask for different files/],
  ['Parquet without a file', ['churn', '--parquet'], /HF_USAGE: --parquet needs a file/],
  ['a file without a format', ['churn', '--out', 'list'], /HF_USAGE: --out needs a format/],
  ['a limit that is none', ['churn', '--csv', '--limit', '0'], /HF_USAGE: --limit 0 is not a whole number/],
  ['a mark for another format', ['churn', '--json', '--excel'], /HF_USAGE: --excel goes with --csv/],
  [
    'a folder that is not there',
    ['churn', '--csv', '--out', '/nowhere/list.csv'],
    /HF_USAGE: cannot write \/nowhere\/list.csv: there is no such folder/,
  ],
  ['a folder for a file', ['churn', '--csv', '--out', '/tmp'], /HF_USAGE: cannot write \/tmp: it is a folder/],
])('%s is refused in a sentence', async (_name, args, sentence) => {
  const { status, stdout, stderr } = await list(args);
  expect(stderr).toMatch(sentence);
  expect({ status: status > 0, stdout }).toEqual({ status: true, stdout: '' });
});

test.each(['csv', 'json', 'parquet'])(
  'when %s fails on its way the old file stays, and nothing half',
  async (format) => {
    const folder = shop.path(`fails-${format}`);
    await mkdir(folder);
    await writeFile(`${folder}/list`, 'the old list');
    const stopped = await list(['churn', '--arm', 'all', `--${format}`, '--out', `${folder}/list`], {
      // The warning comes before the first page.
      watch: (_text, abort) => abort.abort(new HoldfastError('HF_INTERRUPTED', 'stopped')),
    });
    expect(stopped).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('HF_INTERRUPTED: stopped'),
    });
    expect(await readdir(folder)).toEqual(['list']);
    expect(await readFile(`${folder}/list`, 'utf8')).toBe('the old list');
  },
);

test('a link keeps leading where it does', async () => {
  await writeFile(shop.path('target.csv'), 'old');
  await symlink('target.csv', shop.path('link.csv'));
  await list(['churn', '--out', shop.path('link.csv'), '--limit', '1']);
  expect(await readFile(shop.path('target.csv'), 'utf8')).toMatch(/^"customer_id"/);
});

test('a link to nothing is refused and stays', async () => {
  await symlink('nothing.csv', shop.path('dangling.csv'));
  const { status, stderr } = await list(['churn', '--out', shop.path('dangling.csv'), '--limit', '1']);
  expect({ status, stderr }).toEqual({
    status: 78,
    stderr: expect.stringMatching(/^HF_USAGE: .*is a link to nothing/),
  });
  expect(await readlink(shop.path('dangling.csv'))).toBe('nothing.csv');
});

test('what a terminal acts on is shown by its code on a terminal, and is in a file as it is', async () => {
  await storeBatch(postgres.database, { program: 'escape', run: 'escape-1', customers: 2 });
  await postgres.database.pool.query(
    `UPDATE holdfast.candidates SET locale = E'\\x1b[31mred' WHERE program = 'escape'`,
  );
  const shown = await list(['escape', '--csv', '--limit', '1'], { stdoutIsTerminal: true });
  expect(shown.stdout).toContain('\\u001b[31mred');
  expect(shown.stdout).not.toMatch(/[\u001b\r]/);
  expect(shown.stdout.split('\n')).toHaveLength(3);
  expect((await list(['escape', '--csv', '--limit', '1'])).stdout).toContain('\u001b[31mred');
});

test('a run on this machine is listed from its own Postgres', async () => {
  const program = await shop.program();
  const ran = await shop.holdfast(['run', program, '--output', 'json']);
  expect(ran.status).toBe(0);
  const { stages } = JSON.parse(ran.stdout);
  const listed = await shop.holdfast(['candidates', 'keep', '--json']);
  expect(listed).toMatchObject({ status: 0, stderr: '' });
  const { arms } = stages.at(-1).counts;
  expect(lines(listed)).toHaveLength(arms.treatment);
  expect(lines(listed)[0]).toMatchObject({ reasons: expect.stringContaining('engagement fell'), program: 'keep' });
});

test.each([
  ['candidates', ['candidates', 'kepp', '--csv']],
  ['explain', ['explain', 'kepp', 'C0001']],
  ['explain of a group', ['explain', 'kepp', '--candidates']],
  ['prune', ['prune', 'kepp', '--dry-run']],
  ['current', ['current', 'kepp']],
])('%s of a program that has not run names those that have', async (_name, args) => {
  const { status, stderr } = await shop.holdfast(args);
  expect(status).toBe(78);
  expect(stderr).toMatch(
    /^HF_NOT_FOUND: kepp has not run in .*, namespace default; the programs that have are keep \(did you mean keep\?\)\n$/,
  );
});
