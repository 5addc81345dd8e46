import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HoldfastError } from '../base/errors.ts';
import { connect } from '../database/client/connect.ts';
import { startEmbeddedPostgres } from '../database/embedded/embedded.ts';
import {
  type CommandResult,
  NOW,
  type ProgramChanges,
  type ProgramSpec,
  type Workspace,
  workspace,
} from './support/workspace.ts';

const COMMAND = fileURLToPath(new URL('../bin/holdfast', import.meta.url));

/** Everything here happens to a business that has one good batch, which must survive it. */
let shop: Workspace;
let good: Batch;
beforeAll(async () => {
  shop = await workspace();
  expect(await run()).toMatchObject({ status: 0 });
  good = await currentBatch();
});
afterAll(() => shop[Symbol.asyncDispose]() as Promise<void>);

const run = async (changes?: ProgramChanges, environment: Record<string, string> = {}) =>
  shop.holdfast(['run', await shop.program(changes), '--now', NOW, '--output', 'json'], { environment });

interface Batch {
  readonly run: string;
  readonly candidates: number;
}

/** What a reader of the database sees. */
async function currentBatch(): Promise<Batch> {
  const server = await startEmbeddedPostgres({ folder: `${shop.data}/postgres` });
  const database = await connect(server.url, { applicationName: 'test' });
  try {
    const { rows } = await database.pool.query<Batch>(
      `SELECT run, count(candidate.customer_id)::int AS candidates
       FROM holdfast.current_batches LEFT JOIN holdfast.candidates AS candidate USING (namespace, program, run)
       WHERE program = 'keep' GROUP BY run`,
    );
    return rows[0] as Batch;
  } finally {
    await database.close();
    await server.stop();
  }
}

/** One clear error with its code as the last line of stderr, one JSON object on stdout, and nothing lost. */
async function expectRefusal(result: CommandResult, status: number, code: string, sentence: RegExp): Promise<void> {
  const last = result.stderr.trimEnd().split('\n').at(-1);
  expect(last).toMatch(new RegExp(`^${code}: `));
  expect(result.stderr).toMatch(sentence);
  expect(result.stderr).not.toMatch(/\n {4}at /);
  expect(result.status).toBe(status);
  expect(JSON.parse(result.stdout)).toMatchObject({ error: { code } });
  expect(await currentBatch()).toEqual(good);
}

describe('a manifest', () => {
  const rows: [string, (spec: ProgramSpec) => void, number, string, RegExp][] = [
    [
      'with a misspelt field is refused with the field that was meant',
      (spec) => (spec['filterChain'][2].parameters = { minLifetimValue: 500 }),
      78,
      'HF_MANIFEST_INVALID',
      /program\.yaml:\d+:\d+ spec\.filterChain\[2\]\.parameters\.minLifetimValue: .*did you mean minLifetimeValue/,
    ],
    [
      'with a wrong type is refused with what was expected',
      (spec) => (spec['candidateTTLDays'] = 'thirty'),
      78,
      'HF_MANIFEST_INVALID',
      /spec\.candidateTTLDays: expected a whole number, not text "thirty"/,
    ],
    [
      'with an unknown filter type is refused with the types that there are',
      (spec) => (spec['filterChain'][0].type = 'trusty'),
      78,
      'HF_MANIFEST_INVALID',
      /spec\.filterChain\[0\]\.type: .*trust.*business-rule/,
    ],
    [
      'that names a provider to come is refused by that name',
      (spec) => {
        const { query } = spec['dataConnectors'][0].config;
        const config = { account: 'a', database: 'd', schema: 's', query };
        spec['dataConnectors'][0] = { connectorId: 'shop', type: 'snowflake', config };
      },
      78,
      'HF_PROVIDER_UNAVAILABLE',
      /snowflake/,
    ],
    [
      'whose program is not enabled is not run',
      (spec) => (spec['enabled'] = false),
      78,
      'HF_RUN_CANCELLED',
      /not enabled/,
    ],
  ];
  test.each(rows)('%s', async (_name, changes, status, code, sentence) => {
    await expectRefusal(await run(changes), status, code, sentence);
  });
});

describe('a source', () => {
  const rows: [string, (spec: ProgramSpec) => void, number, string, RegExp][] = [
    [
      'without a column that a filter needs is refused with the column and the filter',
      (spec) => (spec['dataConnectors'][0].config.query = 'SELECT * EXCLUDE (lifetime_value) FROM customers'),
      78,
      'HF_COLUMN_MISSING',
      /lifetime_value.*customer-value/,
    ],
    [
      'without a column that a model needs is refused with the column and the model',
      (spec) => (spec['dataConnectors'][0].config.query = 'SELECT * EXCLUDE (support_tickets) FROM customers'),
      78,
      'HF_COLUMN_MISSING',
      /support_tickets.*risk/,
    ],
    [
      'whose query has a typing error is refused with the name of the connector',
      (spec) => (spec['dataConnectors'][0].config.query = 'SELECT * FROM custmers'),
      78,
      'HF_WAREHOUSE_UNREADABLE',
      /shop/,
    ],
    [
      'whose query writes is refused',
      (spec) => (spec['dataConnectors'][0].config.query = 'DROP VIEW customers'),
      78,
      'HF_QUERY_REFUSED',
      /SELECT/,
    ],
    [
      'with more bad rows than allowed fails, and leaves the rejects to read',
      (spec) =>
        (spec['dataConnectors'][0].config.query =
          "SELECT * REPLACE (CASE WHEN support_tickets = 2 THEN 'nan'::DOUBLE ELSE engagement_score END AS engagement_score) FROM customers"),
      78,
      'HF_REJECTS_OVER_THRESHOLD',
      /rejects\.parquet/,
    ],
    [
      'that is empty fails',
      (spec) => (spec['dataConnectors'][0].config.query = 'SELECT * FROM customers WHERE false'),
      78,
      'HF_EXTRACT_EMPTY',
      /no/i,
    ],
    [
      'that has collapsed against the last run fails',
      (spec) => (spec['dataConnectors'][0].config.query = 'SELECT * FROM customers LIMIT 199'),
      78,
      'HF_EXTRACT_COLLAPSED',
      /199.*400/,
    ],
  ];
  test.each(rows)('%s', async (_name, changes, status, code, sentence) => {
    await expectRefusal(await run(changes), status, code, sentence);
  });

  test('that is a truncated Parquet file is refused with its name', async () => {
    const bytes = await readFile(shop.path('customers.parquet'));
    try {
      await truncate(shop.path('customers.parquet'), Math.floor(bytes.length / 2));
      await expectRefusal(await run(), 1, 'HF_WAREHOUSE_UNREACHABLE', /customers\.parquet/);
    } finally {
      await writeFile(shop.path('customers.parquet'), bytes);
    }
  });

  test('that is not there is refused with its name', async () => {
    const program = await shop.program();
    const elsewhere = shop.path('missing.parquet');
    const result = await shop.holdfast([
      'run',
      program,
      '--now',
      NOW,
      '--output',
      'json',
      '--source',
      `shop=${elsewhere}`,
    ]);
    await expectRefusal(result, 78, 'HF_WAREHOUSE_UNREADABLE', /missing\.parquet/);
  });
});

describe('a command line', () => {
  const rows: [string, string[], string, RegExp][] = [
    ['without a file', [], 'HF_USAGE', /missing required argument/],
    ['with an unknown option', ['program.yaml', '--frobnicate'], 'HF_USAGE', /frobnicate/],
    ['with a day that is on no calendar', ['program.yaml', '--now', '2026-02-30'], 'HF_USAGE', /2026-02-30/],
    ['with a year that nobody means', ['program.yaml', '--now', '0001-01-01'], 'HF_USAGE', /0001-01-01/],
    ['with a time without a zone', ['program.yaml', '--now', '2026-11-23T02:00:00'], 'HF_USAGE', /such as/],
    ['with a fraction of a customer', ['program.yaml', '--customers', '1e3'], 'HF_USAGE', /whole number/],
    ['with a source of an unknown connector', ['program.yaml', '--source', 'shp=x.csv'], 'HF_USAGE', /shop/],
    ['with a folder that is a pattern', ['program.yaml', '--data', 'state-*'], 'HF_DATA_FOLDER', /\*/],
    ['with a file that is not there', ['nothing.yaml'], 'HF_MANIFEST_UNREADABLE', /no such file/],
  ];
  test.each(rows)('%s is refused, as JSON too', async (_name, args, code, sentence) => {
    await shop.program();
    const located = args.map((arg) => (arg.endsWith('.yaml') ? shop.path(arg) : arg));
    const { status, stdout, stderr } = await shop.holdfast(['run', ...located, '--output', 'json']);
    expect(status).toBe(78);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code } });
    expect(stderr).toMatch(sentence);
  });

  test('whose reader goes away runs to its end and leaves no Postgres behind', async () => {
    const state = shop.path('unread-state');
    const program = await shop.program();
    const script = `"${COMMAND}" run "${program}" --now ${NOW} --data "${state}" 2>&1 | true`;
    spawnSync('bash', ['-c', script], { timeout: 60_000 });
    expect(existsSync(`${state}/postgres/data/PG_VERSION`)).toBe(true);
    expect(existsSync(`${state}/postgres/data/postmaster.pid`)).toBe(false);
    const explained = await shop.holdfast(['explain', 'keep', 'C0300', '--data', state]);
    expect(explained.status).toBe(0);
  });

  test('whose terminal is closed ends as if by Ctrl-C', async () => {
    const program = await shop.program();
    const child = spawn(COMMAND, ['run', program, '--now', NOW, '--data', shop.path('hung-up')]);
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      if (!stderr.includes('extract') && chunk.includes('extract')) child.kill('SIGHUP');
      stderr += chunk.toString();
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(1);
    expect(stderr).toMatch(/^HF_INTERRUPTED: stopped by SIGHUP/m);
    expect(existsSync(`${shop.path('hung-up')}/postgres/data/postmaster.pid`)).toBe(false);
  });
});

describe('a model', () => {
  test('that is missing is refused before anything is read', async () => {
    const result = await run((spec) => (spec['scoringModels'][0].endpoint = 'onnx://none.onnx'));
    await expectRefusal(result, 78, 'HF_MODEL_MISSING', /none\.onnx/);
    expect(result.stderr).not.toMatch(/^extract/m);
  });

  test('whose bytes have changed is refused with both digests', async () => {
    const bytes = await readFile(shop.path('risk.onnx'));
    try {
      await writeFile(shop.path('risk.onnx'), Buffer.concat([bytes, Buffer.from([0])]));
      await expectRefusal(await run(), 78, 'HF_MODEL_DIGEST_MISMATCH', /[0-9a-f]{12}.*[0-9a-f]{12}/);
    } finally {
      await writeFile(shop.path('risk.onnx'), bytes);
    }
  });

  test('whose answer is no probability fails the run', async () => {
    const { identityModel } = await import('./support/onnx.ts');
    const { writeModel } = await import('./support/models.ts');
    const wild = await writeModel(shop.folder, identityModel(1), { modelId: 'wild', features: ['lifetime_value'] });
    const result = await run((spec) => (spec['scoringModels'][0] = wild));
    await expectRefusal(result, 78, 'HF_SCORE_OUT_OF_RANGE', /wild/);
  });
});

describe('a database', () => {
  test('that cannot be reached is named without its password', async () => {
    const environment = { DATABASE_URL: 'postgres://keeper:hunter2@127.0.0.1:9/holdfast' };
    const result = await run(undefined, environment);
    await expectRefusal(result, 1, 'HF_DATABASE_UNREACHABLE', /127\.0\.0\.1/);
    expect(result.stderr + result.stdout).not.toContain('hunter2');
  });

  test('of its own takes the place of the embedded one, and there too a program runs once at a time', async () => {
    const folder = shop.path('own-postgres');
    await mkdir(folder);
    const server = await startEmbeddedPostgres({ folder });
    try {
      const environment = { DATABASE_URL: server.url };
      const program = await shop.program();
      const args = ['run', program, '--now', NOW, '--output', 'json', '--data'];
      let second: Promise<CommandResult> | undefined;
      const first = await shop.holdfast([...args, shop.path('state-1')], {
        environment,
        watch: (text) => {
          if (text.startsWith('extract')) second ??= shop.holdfast([...args, shop.path('state-2')], { environment });
        },
      });
      expect(first.status).toBe(0);
      const refused = await second;
      expect(refused?.stderr).toMatch(/^HF_DATA_LOCKED: /m);
      const third = await shop.holdfast([...args, shop.path('state-2')], { environment });
      expect(JSON.parse(third.stdout)).toMatchObject({ run: 'keep-20261123t020000z-2', phase: 'Succeeded' });
    } finally {
      await server.stop();
    }
  });
});

test('two runs at once on one data folder: the second is refused, the first is not disturbed', async () => {
  const program = await shop.program();
  const args = ['run', program, '--now', NOW, '--output', 'json'];
  let second: Promise<CommandResult> | undefined;
  const first = await shop.holdfast(args, {
    watch: (text) => {
      if (text.startsWith('extract')) second ??= shop.holdfast(args);
    },
  });
  expect(first.status).toBe(0);
  good = await currentBatch();
  await expectRefusal((await second) as CommandResult, 1, 'HF_DATA_LOCKED', /another/);
});

describe('Ctrl-C', () => {
  const stages = ['extract', 'filter', 'score', 'offer', 'store'];
  test.each(stages.flatMap((stage) => [[stage, 'begins'] as const, [stage, 'is under way'] as const]))(
    'when %s %s ends the run, publishes nothing, and the next run is right',
    async (stage, moment) => {
      const shown = moment === 'begins' ? `${stage.padEnd(9)}  …` : `${stage.padEnd(9)}  `;
      const program = await shop.program();
      const result = await shop.holdfast(['run', program, '--now', NOW, '--output', 'json'], {
        terminal: true,
        watch: (text, abort) => {
          // The first report of a stage is always drawn, whatever it says; a later one only if time has passed.
          const draws = text.includes(shown) && (moment === 'begins' || !/…|→|failed/.test(text));
          if (draws) abort.abort(new HoldfastError('HF_INTERRUPTED', 'stopped by SIGINT; run it again'));
        },
      });
      await expectRefusal(result, 1, 'HF_INTERRUPTED', /`holdfast retry keep-\S+ --data \S+` goes on with it/);
      expect(JSON.parse(result.stdout)).toMatchObject({ phase: 'Interrupted' });

      const again = await run();
      expect(again.status).toBe(0);
      const next = await currentBatch();
      expect(next.candidates).toBe(good.candidates);
      expect(next.run).not.toBe(good.run);
      good = next;
    },
  );

  test('as a real signal to the real command leaves nothing running and nothing half-made', async () => {
    const program = await shop.program();
    const child = spawn(COMMAND, ['run', program, '--now', NOW, '--data', shop.path('signal-state')]);
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      if (!stderr.includes('extract') && chunk.includes('extract')) child.kill('SIGINT');
      stderr += chunk.toString();
    });
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect(stderr).toMatch(/^HF_INTERRUPTED: stopped by SIGINT/m);
    expect(status).toBe(1);
    const again = spawnSync(COMMAND, ['run', program, '--now', NOW, '--data', shop.path('signal-state')], {
      timeout: 60_000,
    });
    expect(again.status).toBe(0);
  });
});

const root = process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0;
if (!root) console.warn('full disk: skipped, since making a small disk needs root');
(root ? describe : describe.skip)('a full disk', () => {
  test.each([
    ['artifacts', 'where the stages write'],
    ['scratch', 'where the stages work'],
    ['postgres', 'of a new embedded Postgres'],
  ])('%s: the one %s fails the run as such, and with room it goes on', async (room) => {
    const state = room === 'postgres' ? shop.path('full-state') : shop.data;
    await mkdir(`${state}/${room}`, { recursive: true });
    if (room === 'postgres') await writeFile(`${state}/holdfast.json`, '{"kind":"HoldfastData","version":1}\n');
    const program = await shop.program();
    const script = `mount -t tmpfs -o size=16k tmpfs "${state}/${room}" && exec "${COMMAND}" run "${program}" --now ${NOW} --output json --data "${state}"`;
    const { status, stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', script], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    await expectRefusal({ status: status ?? -1, stdout, stderr }, 1, 'HF_DISK_FULL', /no room|disk is full/);

    const again = await shop.holdfast(['run', program, '--now', NOW, '--output', 'json', '--data', state]);
    expect(again.status).toBe(0);
    good = await currentBatch();
  });
});
