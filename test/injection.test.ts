import { readFileSync } from 'node:fs';
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { identifier, literal, openEngine } from '../base/duckdb/engine.ts';
import { FILTER_TYPES } from '../crds/filter-parameters.ts';
import { loadManifests, validateManifest } from '../crds/index.ts';
import { writeModel } from './support/models.ts';
import { identityModel } from './support/onnx.ts';
import { openPostgres, type TestPostgres } from './support/postgres.ts';
import { putAt, type StringLeaf, stringLeaves } from './support/string-leaves.ts';
import { NOW, type Workspace, workspace } from './support/workspace.ts';

/** Everything here happens beside two tables that must survive it, in a folder to which nothing may be added. */
let shop: Workspace;
let postgres: TestPostgres;
let whole: string;
beforeAll(async () => {
  shop = await workspace();
  postgres = await openPostgres();
  await mkdir(shop.path('outside'));
  await postgres.database.pool.query('CREATE TABLE canary AS SELECT 1 AS alive');
  {
    await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: shop.folder });
    await engine.run(`
      ATTACH ${literal(shop.path('warehouse.duckdb'))} AS warehouse;
      CREATE TABLE warehouse.customers AS SELECT * FROM read_parquet(${literal(shop.path('customers.parquet'))});
      CREATE TABLE warehouse.features AS SELECT customer_id, 1.5 AS purchase_frequency FROM warehouse.customers;
      CREATE TABLE warehouse.past_offers AS
        SELECT 'C0399' AS customer_id, 'keep' AS program_id, TIMESTAMP '2026-11-01' AS offered_at;
      CREATE TABLE warehouse.canary AS SELECT 1 AS alive;
      DETACH warehouse`);
  }
  const file = await shop.program((spec) => {
    const [connector] = spec['dataConnectors'];
    connector.config = { path: 'warehouse.duckdb', query: 'SELECT * FROM customers' };
    spec['featureStore'] = { type: 'warehouse', connectorId: 'shop', table: 'features' };
    spec['offerHistory'] = { connectorId: 'shop', table: 'past_offers' };
    const rule = {
      filterId: 'rule',
      type: 'expression',
      order: 9,
      parameters: { expression: "marketplace == 'US'" },
    };
    spec['filterChain'].push(rule);
    spec['channels'] = [{ channelId: 'email', type: 'email', config: { templateId: 'a' } }];
  }, 'whole.yaml');
  whole = readFileSync(file, 'utf8');
  expect(await run(whole)).toBe('');
  expect(await alive()).toEqual(INTACT);
});
afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
  await shop[Symbol.asyncDispose]();
});

const holdfast = (args: readonly string[]) => shop.holdfast(args, { environment: { DATABASE_URL: postgres.url } });

/** Runs a manifest and resolves to the code of what it failed on; empty when it did not. */
async function run(manifest: string, ...options: string[]): Promise<string> {
  await writeFile(shop.path('attack.yaml'), manifest);
  const { status, stderr } = await holdfast([
    'run',
    shop.path('attack.yaml'),
    '--now',
    NOW,
    '--output',
    'json',
    ...options,
  ]);
  const last = stderr.trimEnd().split('\n').at(-1) ?? '';
  return status === 0 ? '' : (/^(HF_[A-Z_]+): /.exec(last)?.[1] ?? last);
}

const INTACT = {
  warehouse: ['canary', 'customers', 'features', 'past_offers'],
  postgres: [
    'canary',
    'candidates',
    'current_batches',
    'current_changes',
    'decisions',
    'discards',
    'programs',
    'runs',
    'schema_migrations',
    'score_cache',
  ],
  canaries: [1, 1],
  outside: [],
  strangers: [],
};

/** What of all this is still there, and what is there that was not. */
async function alive(): Promise<typeof INTACT> {
  await using engine = await openEngine({
    file: shop.path('warehouse.duckdb'),
    readOnly: true,
    threads: 1,
    memoryMb: 256,
    scratchFolder: shop.folder,
  });
  const names = (rows: readonly { name: string }[]) => rows.map(({ name }) => name).sort();
  const inWarehouse = await engine.rows<{ name: string }>('SELECT table_name AS name FROM duckdb_tables()');
  const inPostgres = await postgres.database.pool.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname IN ('public', 'holdfast')`,
  );
  const [canary] = await engine.rows<{ alive: number }>('SELECT alive FROM canary');
  const other = await postgres.database.pool.query<{ alive: number }>('SELECT alive FROM canary');
  return {
    warehouse: names(inWarehouse),
    postgres: names(inPostgres.rows),
    canaries: [canary?.alive ?? 0, other.rows[0]?.alive ?? 0],
    outside: (await readdir(shop.path('outside'))) as never[],
    strangers: (await readdir(shop.folder)).filter((name) => !KNOWN.test(name)) as never[],
  };
}

const KNOWN = /^(state|outside|.*\.(yaml|onnx|json|parquet|duckdb|csv)|o'brien.*)$/;

/** Of the name of a feature, in characters. */
const LONGEST_FEATURE = 63;

const attacksOf = (folder: string) => [
  `'; DROP TABLE canary; COPY (SELECT 1) TO '${folder}/owned'; --`,
  `"; DROP TABLE canary; COPY (SELECT 1) TO '${folder}/owned'; --`,
  `x'); COPY (SELECT 1) TO '${folder}/owned'; DELETE FROM canary; --`,
];

describe.each(['RetentionProgram', 'RetentionRun'])('every text of a %s', (kind) => {
  const leaves = stringLeaves(kind);

  test('is found in its schema', () => {
    expect(leaves.length).toBeGreaterThan(kind === 'RetentionProgram' ? 40 : 5);
  });

  // Of the metadata nothing is read but names: whatever else is let through goes into one run.
  test('of the metadata, all at once, is data and nothing else', async () => {
    for (const attack of attacksOf(shop.path('outside'))) {
      const object = kind === 'RetentionProgram' ? (parse(whole) as object) : aRun();
      for (const leaf of leaves.filter(({ path }) => path[0] === 'metadata')) {
        const attacked = structuredClone(object);
        putAt(attacked, leaf, attack);
        if (isValid(stringify(attacked))) putAt(object, leaf, attack);
      }
      expect(await run(kind === 'RetentionProgram' ? stringify(object) : `${whole}---\n${stringify(object)}`)).toBe('');
    }
    expect(await alive()).toEqual(INTACT);
  });

  const inSpec = leaves.filter(({ path }) => path[0] === 'spec');
  test.each(inSpec.map((leaf): [string, StringLeaf] => [leaf.path.join('.') + (leaf.isKey ? ' as a key' : ''), leaf]))(
    '%s is data and nothing else',
    async (_name, leaf) => {
      for (const attack of attacksOf(shop.path('outside'))) {
        for (const manifest of manifestsWith(kind, leaf, attack)) {
          // Most fields refuse it at once; what the schema lets through has to hold in the batch.
          if (isValid(manifest)) expect(await run(manifest)).toMatch(/^(|HF_(?!INTERNAL).*)$/);
        }
      }
      expect(await alive()).toEqual(INTACT);
    },
  );
});

/** A parameter belongs to some type of filter, and a tier must be one of the program's. */
function manifestsWith(kind: string, leaf: StringLeaf, attack: string): string[] {
  const program = parse(whole) as { spec: Record<string, unknown[]> };
  if (kind === 'RetentionRun') {
    const run = aRun();
    putAt(run, leaf, attack);
    return [`${stringify(program)}---\n${stringify(run)}`];
  }
  if (leaf.path.includes('config') && leaf.path.includes('dataConnectors')) {
    // What a file is, and so where its name goes, is told by its ending; a table has a name of its own in a file only.
    const files = leaf.path.at(-1) === 'path' ? ['', '.parquet', '.csv', '.duckdb'] : ['', 'customers.parquet'];
    return files.map((ending) => {
      const changed = structuredClone(program);
      const [connector] = changed.spec['dataConnectors'] as { config: Record<string, unknown> }[];
      if (leaf.path.at(-1) !== 'path' && ending !== '') connector!.config['path'] = ending;
      putAt(changed, leaf, leaf.path.at(-1) === 'path' ? `${attack}${ending}` : attack);
      return stringify(changed);
    });
  }
  if (!leaf.path.includes('parameters')) {
    putAt(program, leaf, attack);
    return [stringify(program)];
  }
  return FILTER_TYPES.map((type) => {
    const filter = { filterId: 'attacked', type, order: 0, parameters: {} };
    const changed = structuredClone(program);
    changed.spec['filterChain'] = [filter];
    changed.spec['subscriptionTiers'] = ['basic', attack];
    putAt(changed, leaf, attack);
    return stringify(changed);
  });
}

function aRun(): object {
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'RetentionRun',
    metadata: { name: 'by-hand' },
    spec: { programRef: { name: 'keep' }, pipeline: 'batch', slot: '2026-11-16T02:00:00Z', trigger: 'backfill' },
  };
}

function isValid(manifest: string): boolean {
  return loadManifests(manifest, 'attack.yaml').every((document) => validateManifest(document).faults.length === 0);
}

describe('a query', () => {
  test.each([
    'DROP TABLE canary',
    'SELECT * FROM customers; DROP TABLE canary',
    'SELECT * FROM customers;; DELETE FROM canary --',
    'WITH gone AS (DELETE FROM canary RETURNING *) SELECT * FROM gone',
    'INSERT INTO canary VALUES (2) RETURNING *',
    'CREATE TABLE owned AS SELECT 1',
    "COPY customers TO '{outside}/owned.csv'",
    "EXPORT DATABASE '{outside}'",
    "ATTACH '{outside}/owned.duckdb' AS owned",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT content AS customer_id FROM read_text('/etc/hostname')",
    "SELECT * FROM '{outside}/../customers.parquet'",
    "SELECT * FROM glob('/etc/*')",
    "FROM query('DROP TABLE canary')",
    "SELECT * FROM query_table('canary')",
    'PRAGMA database_list',
    'SET enable_external_access = true',
    'INSTALL httpfs',
    'CALL pragma_version()',
    'CHECKPOINT',
    'EXPLAIN ANALYZE DELETE FROM canary',
    'SELECT * FROM customers WHERE customer_id = $1',
  ])('%s is refused, or harms nothing', async (query) => {
    const program = parse(whole) as { spec: { dataConnectors: { config: { query: string } }[] } };
    program.spec.dataConnectors[0]!.config.query = query.replaceAll('{outside}', shop.path('outside'));
    expect(await run(stringify(program))).toMatch(
      /^HF_(QUERY_REFUSED|WAREHOUSE_UNREADABLE|COLUMN_MISSING|REJECTS_OVER_THRESHOLD|EXTRACT_COLLAPSED)$/,
    );
    expect(await alive()).toEqual(INTACT);
  });
});

test.each(['parquet', 'csv'])(
  'a column that is called like an attack is a feature like any other, from %s',
  async (format) => {
    for (const attack of attacksOf(shop.path('outside')).map((text) => text.slice(0, LONGEST_FEATURE))) {
      const model = await writeModel(shop.folder, identityModel(1), { modelId: 'attacked', features: [attack] });
      const file = shop.path(`attacked.${format}`);
      {
        await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: shop.folder });
        await engine.run(`CREATE TABLE customers AS SELECT *, 0.9 AS ${identifier(attack)}
        FROM read_parquet(${literal(shop.path('customers.parquet'))})`);
        await engine.run(`COPY customers TO ${literal(file)}`);
      }
      const program = parse(whole) as { spec: Record<string, any> };
      program.spec['dataConnectors'][0].config = { path: `attacked.${format}`, query: 'SELECT * FROM attacked' };
      program.spec['scoringModels'] = [model];
      delete program.spec['featureStore'];
      delete program.spec['offerHistory'];
      expect(await run(stringify(program))).toBe('');
    }
    expect(await alive()).toEqual(INTACT);
  },
);

describe('a word of the command line', () => {
  test('that names a file which is called like an attack reads that file', async () => {
    const file = shop.path("o'brien; DROP TABLE canary; --.duckdb");
    await copyFile(shop.path('warehouse.duckdb'), file);
    expect(await run(whole, '--source', `shop=${file}`)).toBe('');
    const program = parse(whole) as { spec: Record<string, any> };
    program.spec['dataConnectors'][0].config.table = 'customers';
    delete program.spec['featureStore'];
    delete program.spec['offerHistory'];
    const parquet = shop.path("o'brien; DROP TABLE canary; --.parquet");
    await copyFile(shop.path('customers.parquet'), parquet);
    expect(await run(stringify(program), '--source', `shop=${parquet}`)).toBe('');
    expect(await run(whole, '--source', `shop=${shop.path("'; DROP TABLE canary; --.duckdb")}`)).toBe(
      'HF_WAREHOUSE_UNREADABLE',
    );
    expect(await alive()).toEqual(INTACT);
  });

  test.each([
    ['the program', (attack: string) => [attack, 'C0300']],
    ['the customer', (attack: string) => ['keep', attack]],
    ['--namespace', (attack: string) => ['keep', 'C0300', '--namespace', attack]],
    ['--run', (attack: string) => ['keep', 'C0300', '--run', attack]],
  ])('explain takes as %s is looked up as it stands', async (_name, args) => {
    for (const attack of [...attacksOf(shop.path('outside')), '../../../etc/passwd', '%', '_', '']) {
      const { status, stdout, stderr } = await holdfast(['explain', ...args(attack)]);
      expect(status).toBe(78);
      expect(stdout + stderr).toMatch(/HF_NOT_FOUND|not extracted/);
    }
    expect(await alive()).toEqual(INTACT);
  });

  test('that names a data folder with quotes in it is that folder', async () => {
    const data = join(shop.folder, "o'brien state");
    expect(await run(whole, '--data', data)).toBe('');
    expect(await alive()).toEqual(INTACT);
  });
});
