import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { HoldfastError } from '../base/errors.ts';
import { tryPrograms } from '../cli/commands/validate-deep.ts';
import { loadManifestFile, validateManifest } from '../crds/index.ts';
import { type Shop, useShop } from './support/shop.ts';
import { type CommandOptions, type CommandResult, NOW, type ProgramChanges } from './support/workspace.ts';

/* `holdfast validate --deep`: what `run --dry-run` finds, for each document, and nothing stays behind. */

let shop: Shop['shop'];
let postgres: Shop['postgres'];
useShop((opened) => {
  ({ shop, postgres } = opened);
});

interface Said {
  readonly valid: boolean;
  readonly faults: number;
  readonly warnings: number;
  readonly findings: readonly Record<string, unknown>[];
  readonly deep: readonly Record<string, unknown>[];
}

async function deep(files: readonly string[], options: CommandOptions = {}): Promise<CommandResult & { said: Said }> {
  const before = await leftBehind();
  const result = await shop.holdfast(['validate', ...files, '--deep', '--output', 'json'], options);
  expect(await leftBehind()).toEqual(before);
  return { ...result, said: JSON.parse(result.stdout) as Said };
}

function leftBehind(): Promise<string[]> {
  return readdir(shop.folder, { recursive: true });
}

const fromServer =
  (query = 'TABLE people'): ProgramChanges =>
  (spec) => {
    spec['dataConnectors'] = [{ connectorId: 'shop', type: 'postgres', config: { query } }];
  };
const connection = (url: string) => ({ environment: { HOLDFAST_CONNECTION_SHOP: url } });

test('a program that a run would go through passes, and no state is made', async () => {
  const { status, said, stderr } = await deep([await shop.program()]);
  expect(status).toBe(0);
  expect(said).toMatchObject({ valid: true, faults: 0, warnings: 0, findings: [] });
  expect(said.deep).toEqual([
    {
      file: shop.path('program.yaml'),
      line: 1,
      object: 'RetentionProgram/keep',
      outcome: 'passed',
      reason: null,
      seconds: expect.any(Number),
      stages: ['extract', 'filter', 'score', 'offer', 'store'].map((name) => ({
        name,
        rowsIn: expect.any(Number),
        rowsOut: expect.any(Number),
      })),
    },
  ]);
  expect(stderr).toMatch(/^extract +400 → 400/m);
  const text = await shop.holdfast(['validate', shop.path('program.yaml'), '--deep']);
  expect(text.stdout).toMatch(/program\.yaml:1 RetentionProgram\/keep: passed after .+: extract 400, filter 100, /);
  expect(text.stdout).toMatch(/^valid: 1 object, 0 faults, 0 warnings; 1 tried, 0 not$/m);
});

interface Case {
  readonly changes: ProgramChanges;
  readonly options?: () => CommandOptions;
  readonly status: number;
  readonly code: string;
  readonly says: RegExp;
  readonly path: string;
  /** The line of the manifest that the finding is in. */
  readonly within?: string;
}

const CASES: Record<string, Case> = {
  'a column that the query does not give': {
    changes: (spec) => (spec['dataConnectors'][0].config.query = 'SELECT * EXCLUDE (support_tickets) FROM customers'),
    status: 78,
    code: 'HF_COLUMN_MISSING',
    says: /support_tickets/,
    path: 'spec.dataConnectors[0]',
    within: '- connectorId: shop',
  },
  'a model that is missing': {
    changes: (spec) => (spec['scoringModels'][1].endpoint = 'onnx://gone.onnx'),
    status: 78,
    code: 'HF_MODEL_MISSING',
    says: /gone\.onnx/,
    path: 'spec.scoringModels[1].endpoint',
    within: 'endpoint: onnx://gone.onnx',
  },
  'a source that is missing': {
    changes: (spec) => (spec['dataConnectors'][0].config.path = 'gone.parquet'),
    status: 78,
    code: 'HF_WAREHOUSE_UNREADABLE',
    says: /gone\.parquet/,
    path: 'spec.dataConnectors[0]',
  },
  'a connection that nobody gave': {
    changes: fromServer(),
    status: 78,
    code: 'HF_USAGE',
    says: /set HOLDFAST_CONNECTION_SHOP/,
    path: 'spec.dataConnectors[0]',
  },
  'a wrong password': {
    changes: fromServer(),
    options: () => connection(postgres.url.replace('holdfast@', 'nobody:wrong@')),
    status: 78,
    code: 'HF_WAREHOUSE_UNREADABLE',
    says: /the user or the password is refused/,
    path: 'spec.dataConnectors[0]',
  },
  'a server that is down': {
    changes: fromServer(),
    options: () => connection('postgres://reader@127.0.0.1:1/shop'),
    status: 1,
    code: 'HF_WAREHOUSE_UNREACHABLE',
    says: /127\.0\.0\.1/,
    path: 'spec.dataConnectors[0]',
  },
  'an extract that a gate refuses': {
    changes: (spec) => (spec['dataConnectors'][0].config.query = 'SELECT * FROM customers WHERE false'),
    status: 78,
    code: 'HF_EXTRACT_EMPTY',
    says: /./,
    path: '(document)',
  },
};

test.each(Object.entries(CASES))('%s has its code and its place', async (_name, wrong) => {
  const program = await shop.program(wrong.changes);
  const { status, said, stdout, stderr } = await deep([program], wrong.options?.());
  expect(said.findings).toEqual([
    {
      file: program,
      line: expect.any(Number),
      column: expect.any(Number),
      object: 'RetentionProgram/keep',
      path: wrong.path,
      code: wrong.code,
      message: expect.stringMatching(wrong.says),
      severity: 'fault',
    },
  ]);
  if (wrong.within !== undefined) {
    const lines = (await readFile(program, 'utf8')).split('\n');
    expect(lines[Number(said.findings[0]?.['line']) - 1]).toContain(wrong.within);
  }
  expect(said.deep).toMatchObject([{ outcome: 'failed' }]);
  expect(said.valid).toBe(false);
  expect(status).toBe(wrong.status);
  expect(stdout + stderr).not.toContain('wrong@');
  // The same as a dry run ends with.
  const dry = await shop.holdfast(['run', program, '--dry-run'], wrong.options?.());
  expect([dry.status, dry.stderr]).toEqual([wrong.status, expect.stringContaining(`${wrong.code}: `)]);
});

/** Writes objects into one file, each a change of the program of the workspace. */
async function documents(file: string, objects: readonly object[]): Promise<string> {
  await writeFile(shop.path(file), objects.map((object) => stringify(object)).join('---\n'));
  return shop.path(file);
}

interface Manifest {
  readonly spec: Record<string, unknown>;
}

async function objectOf(name: string, changes: ProgramChanges = () => {}): Promise<Manifest> {
  const text = await readFile(await shop.program(changes, 'one.yaml'), 'utf8');
  return { ...(parse(text) as Manifest), ...{ metadata: { name } } };
}

const runOf = (name: string, spec: object = {}) => ({
  apiVersion: 'holdfast.dev/v1alpha1',
  kind: 'RetentionRun',
  metadata: { name: `${name}-run` },
  spec: { programRef: { name }, pipeline: 'batch', ...spec },
});

test('of two documents of which one fails both are tried, and the finding is that of the one', async () => {
  const bad = await objectOf('bad', (spec) => (spec['scoringModels'][0].endpoint = 'onnx://gone.onnx'));
  const file = await documents('two.yaml', [bad, await objectOf('good')]);
  const { status, said } = await deep([file]);
  expect(status).toBe(78);
  expect(said.findings).toMatchObject([{ object: 'RetentionProgram/bad', code: 'HF_MODEL_MISSING' }]);
  expect(said.deep).toMatchObject([
    { object: 'RetentionProgram/bad', outcome: 'failed' },
    { object: 'RetentionProgram/good', outcome: 'passed' },
  ]);
});

test('what is refused as it is written is not tried, and the file beside it is', async () => {
  await writeFile(shop.path('typo.yaml'), 'apiVersion: holdfast.dev/v1alpha1\nkind: RetentionProgram\n');
  const { status, said } = await deep([shop.path('typo.yaml'), await shop.program()]);
  expect(status).toBe(78);
  expect(said.deep).toMatchObject([{ object: 'RetentionProgram/keep', outcome: 'passed' }]);
});

test('a run is tried as of its own slot; what a dry run would not do is said and not tried', async () => {
  const closed = await objectOf('closed', (spec) => (spec['enabled'] = false));
  const programs = await documents('programs.yaml', [await objectOf('keep'), closed]);
  const runs = await documents('runs.yaml', [
    runOf('keep', { slot: '2026-11-16T02:00:00Z', trigger: 'backfill' }),
    runOf('keep'),
    runOf('keep', { pipeline: 'prune' }),
    runOf('keep', { trigger: 'retry', retryOf: { name: 'keep-1', uid: 'u' }, slot: '2026-11-16T02:00:00Z' }),
    runOf('keep', { cancel: true }),
    runOf('closed', { slot: '2026-11-16T02:00:00Z' }),
    runOf('elsewhere'),
  ]);
  const { status, said } = await deep([runs, programs]);
  expect(status).toBe(0);
  expect(said.findings).toMatchObject([{ object: 'RetentionRun/keep-run', code: 'SOURCE_AS_OF_NOW' }]);
  expect(said.deep.map(({ object, outcome, reason }) => [object, outcome, reason])).toEqual([
    ['RetentionRun/keep-run', 'passed', null],
    ['RetentionRun/keep-run', 'skipped', 'its program keep is, as of the same slot'],
    ['RetentionRun/keep-run', 'skipped', 'a prune reads no source and no model'],
    ['RetentionRun/keep-run', 'skipped', 'it is another try of the run keep-1'],
    ['RetentionRun/keep-run', 'skipped', 'the run is cancelled'],
    ['RetentionRun/closed-run', 'skipped', 'its program closed is not enabled'],
    ['RetentionRun/elsewhere-run', 'skipped', 'its program elsewhere is not among the files, or has faults'],
    ['RetentionProgram/keep', 'passed', null],
    ['RetentionProgram/closed', 'skipped', 'enabled is false, so nothing runs it'],
  ]);
});

test('a warning of a run is a finding with its code, and stops nothing', async () => {
  await shop.customers(
    `SELECT * REPLACE (CASE WHEN customer_id < 'C0100' THEN 'FR' ELSE 'US' END AS marketplace) FROM customers`,
  );
  try {
    const { status, said } = await deep([await shop.program()]);
    expect([status, said.valid, said.warnings]).toEqual([0, true, 1]);
    expect(said.findings).toMatchObject([
      { code: 'OUTSIDE_MARKETPLACES', severity: 'warning', path: '(document)', object: 'RetentionProgram/keep' },
    ]);
  } finally {
    await shop.customers();
  }
});

test('where there is state the size of the last batch is a gate, and the state is as it was', async () => {
  const program = await shop.program();
  const recorded = { environment: { DATABASE_URL: postgres.url } };
  expect((await shop.holdfast(['run', program], recorded)).status).toBe(0);
  await shop.customers('SELECT * FROM customers WHERE customer_id > $$C0390$$');
  try {
    const { status, said } = await deep([program], recorded);
    expect([status, said.findings[0]?.['code']]).toEqual([78, 'HF_EXTRACT_COLLAPSED']);
    // Without, there is nothing to compare with.
    expect((await deep([program, '--data', shop.path('nowhere')])).status).toBe(0);
  } finally {
    await shop.customers();
  }
  const { rows } = await postgres.database.pool.query('SELECT count(*)::int AS runs FROM holdfast.runs');
  expect(rows).toEqual([{ runs: 1 }]);
});

test('Ctrl-C ends the check with what was found by then; the rest is said to be untried', async () => {
  const bad = await objectOf('bad', (spec) => (spec['scoringModels'][0].endpoint = 'onnx://gone.onnx'));
  const all = [await objectOf('first'), bad];
  const stopped = new HoldfastError('HF_INTERRUPTED', 'stopped by SIGINT; run it again');
  const stop: CommandOptions = { watch: (text, abort) => text.startsWith('extract') && abort.abort(stopped) };
  const { status, said } = await deep([await documents('stopped.yaml', all)], stop);
  expect([status, said.findings.map(({ code }) => code)]).toEqual([1, ['HF_INTERRUPTED']]);
  expect(said.deep.map(({ outcome }) => outcome)).toEqual(['failed', 'skipped']);
});

test('a folder that cannot be written to is no hindrance', async () => {
  await mkdir(shop.path('closed'));
  const program = await shop.program((spec) => {
    spec['dataConnectors'][0].config.path = '../customers.parquet';
    for (const model of spec['scoringModels']) model.endpoint = model.endpoint.replace('onnx://', 'onnx://../');
  }, 'closed/program.yaml');
  await chmod(shop.path('closed'), 0o555);
  try {
    expect((await deep([program, '--data', shop.path('closed/state')])).said.findings).toEqual([]);
  } finally {
    await chmod(shop.path('closed'), 0o755);
  }
});

test('a source that has no end is left at the deadline of a task', async () => {
  const endless = 'SELECT customers.* FROM customers, range(1000000000000)';
  const file = await shop.program((spec) => (spec['dataConnectors'][0].config.query = endless));
  const [document] = await loadManifestFile(file);
  const object = structuredClone(validateManifest(document!).resolved!);
  Object.assign(object.spec, { execution: { deadlineSeconds: 0.2 } });
  const trials = tryPrograms(
    [{ document: document!, file, object }],
    { data: shop.path('nowhere') },
    {
      stdout: { write: () => true },
      stderr: { write: () => true },
      environment: {},
      signal: new AbortController().signal,
      now: () => new Date(NOW),
      elapsed: () => performance.now(),
    },
  );
  for await (const { outcome, fault, mayPass } of trials) {
    expect({ outcome, mayPass, fault }).toMatchObject({
      outcome: 'failed',
      mayPass: true,
      fault: {
        code: 'HF_INTERRUPTED',
        field: 'spec.execution.deadlineSeconds',
        reason: expect.stringMatching(/^not done after 0\.2 s/),
      },
    });
  }
});
