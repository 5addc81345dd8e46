import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { literal, openEngine } from '../base/duckdb/engine.ts';
import { DERIVED_COLUMNS, LATER_COLUMNS } from '../customers/columns/added-columns.ts';
import { CANDIDATE_COLUMNS } from '../customers/columns/candidate.ts';
import { truthOf } from '../providers/warehouses/sample/sample.ts';
import { compareWithTruth, type TruthComparison } from '../providers/warehouses/sample/scores-beside-truth.ts';
import { holdfast } from './support/workspace.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NOW = '2026-11-23T09:30:00Z';

type Stages = Record<string, { rowsIn: number; rowsOut: number; counts: Record<string, Record<string, number>> }>;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-examples-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ran {
  readonly run: string;
  readonly stages: Stages;
  readonly data: { readonly decisions: string; readonly current: string; readonly stages: Record<string, string> };
  readonly truth?: TruthComparison;
}

async function runExample(name: string, data: string, ...options: string[]): Promise<Ran> {
  const file = join(ROOT, 'examples', `${name}.yaml`);
  const { status, stdout, stderr } = await holdfast([
    'run',
    file,
    '--now',
    NOW,
    '--output',
    'json',
    '--data',
    data,
    ...options,
  ]);
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  const report = JSON.parse(stdout) as Omit<Ran, 'stages'> & { stages: ({ name: string } & Stages[string])[] };
  return { ...report, stages: Object.fromEntries(report.stages.map((stage) => [stage.name, stage])) };
}

function expectFunnelAddsUp(stages: Stages): void {
  const { extract, filter, score, offer, store } = stages;
  expect(extract?.rowsIn).toBe(Number(extract?.rowsOut) + Number(extract?.counts['rejected']));
  expect(filter?.rowsIn).toBe(Number(filter?.rowsOut) + sum(filter?.counts['removed']));
  expect(score?.rowsIn).toBe(Number(score?.rowsOut) + Number(score?.counts['belowThreshold']));
  expect(score?.rowsOut).toBe(sum(score?.counts['riskLevels']));
  // A program without a model of offers recommends no kind to anybody.
  expect([0, offer?.rowsOut]).toContain(sum(offer?.counts['kinds']));
  expect(offer?.rowsOut).toBe(sum(offer?.counts['arms']));
  for (const [before, after] of [
    [extract, filter],
    [filter, score],
    [score, offer],
    [offer, store],
  ]) {
    expect(after?.rowsIn).toBe(before?.rowsOut);
  }
}

/** What speaks against a model: the levels where it says another share than happens, and what ranks as well. */
function disagreement({ levels, auc }: TruthComparison): string[] {
  const wrong = levels.filter(({ customers, said, happened }) => {
    const deviation = Math.sqrt((said * (1 - said)) / customers);
    return Math.abs(said - happened) > 0.03 + 2 * deviation;
  });
  const recency = Math.max(Number(auc.lastLogin), Number(auc.lastPurchase));
  return [
    ...wrong.map(({ level }) => level),
    ...(Number(auc.model) > recency + 0.05 ? [] : ['not better than recency']),
    ...(Number(auc.model) < Number(auc.oracle) ? [] : ['better than the oracle']),
  ];
}

const sum = (counts: Record<string, number> | undefined) => Object.values(counts ?? {}).reduce((a, b) => a + b, 0);

/** Digests of every part of a run's artifacts. */
async function digests(data: string, program: string, run: string): Promise<Record<string, string[]>> {
  const base = join(data, 'artifacts', 'default', program, run);
  const stages = (await readdir(base, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  const all: Record<string, string[]> = {};
  for (const stage of stages.sort()) {
    const manifest = JSON.parse(await readFile(join(base, stage, '1', 'manifest.json'), 'utf8')) as {
      parts: { sha256: string }[];
    };
    all[stage] = manifest.parts.map(({ sha256 }) => sha256);
  }
  return all;
}

describe('the demo', () => {
  let stages: Stages;
  let run: string;
  let demo: Ran;
  beforeAll(async () => {
    demo = await runExample('churn-prevention', join(folder, 'demo'));
    ({ run, stages } = demo);
  });

  test('extracts 10,000 customers, and its funnel adds up', () => {
    expect(stages['extract']?.rowsIn).toBe(10_000);
    expectFunnelAddsUp(stages);
  });

  test.each([
    ['trust', 5],
    ['churn-signal', 40],
    ['customer-value', 30],
    ['eligibility', 15],
    ['frequency-cap', 5],
  ])("the filter %s removes the use case's %d %% within 2 points", (filterId, percent) => {
    const share = (100 * Number(stages['filter']?.counts['removed']?.[filterId])) / 10_000;
    expect(Math.abs(share - percent)).toBeLessThanOrEqual(2);
  });

  test("stores the use case's 5 % ± 0.5 of the customers", () => {
    const share = (100 * Number(stages['store']?.rowsOut)) / 10_000;
    expect(Math.abs(share - 5)).toBeLessThanOrEqual(0.5);
  });

  test.each([
    ['critical', 20],
    ['high', 40],
    ['medium', 40],
  ])('%s are the %d %% ± 5 of them that the use case has', (level, percent) => {
    const share = (100 * Number(stages['score']?.counts['riskLevels']?.[level])) / Number(stages['score']?.rowsOut);
    expect(Math.abs(share - percent)).toBeLessThanOrEqual(5);
  });

  test('holds out about a tenth, and recommends every kind of offer to somebody', () => {
    const { arms, kinds } = stages['offer']?.counts ?? {};
    expect(Number(arms?.['holdout']) / Number(stages['offer']?.rowsOut)).toBeGreaterThan(0.06);
    expect(Number(arms?.['holdout']) / Number(stages['offer']?.rowsOut)).toBeLessThan(0.14);
    for (const kind of ['discount', 'upgrade', 'personal_call']) expect(kinds?.[kind]).toBeGreaterThan(0);
  });

  test('says of each risk level about what happens there, and knows more than recency and not more than the oracle', () => {
    expect(demo.truth?.levels.map(({ level }) => level)).toEqual(['critical', 'high', 'medium', 'below']);
    expect(demo.truth?.levels.reduce((all, { customers }) => all + customers, 0)).toBe(stages['score']?.rowsIn);
    expect(disagreement(demo.truth!)).toEqual([]);
  });

  test('with its scores dealt out to other customers, would not be believed', async () => {
    const shuffled = join(folder, 'shuffled');
    await mkdir(shuffled);
    await using engine = await openEngine({ threads: 1, memoryMb: 512, scratchFolder: folder });
    const score = demo.data.stages['score']!;
    await engine.run(`
      CREATE TABLE scores AS
        SELECT customer_id, risk_score, risk_level FROM read_parquet(${literal(join(score, 'scored.parquet'))})
        UNION ALL SELECT customer_id, risk_score, NULL FROM read_parquet(${literal(join(score, 'below.parquet'))});
      CREATE TABLE dealt AS
        SELECT one.customer_id, other.risk_score, other.risk_level
        FROM (SELECT customer_id, row_number() OVER (ORDER BY md5(customer_id)) AS place FROM scores) AS one
        JOIN (SELECT risk_score, risk_level, row_number() OVER (ORDER BY customer_id) AS place FROM scores) AS other USING (place);
      COPY (FROM dealt WHERE risk_level IS NOT NULL) TO ${literal(join(shuffled, 'scored.parquet'))};
      COPY (SELECT customer_id, risk_score FROM dealt WHERE risk_level IS NULL) TO ${literal(join(shuffled, 'below.parquet'))}`);
    const samples = join(folder, 'demo', 'samples');
    const warehouse = (await readdir(samples)).find((name) => !name.endsWith('.truth.duckdb'))!;
    const files = { warehouse: join(samples, warehouse), truth: truthOf(join(samples, warehouse)) };
    expect(disagreement(await compareWithTruth(engine, { folder: shuffled }, files))).toEqual([
      'critical',
      'medium',
      'below',
      'not better than recency',
    ]);
  });

  test('leaves its candidates under one path, which the next batch takes over', async () => {
    await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: folder });
    const { current } = demo.data;
    expect(current).toBe(join(folder, 'demo', 'artifacts', 'default', 'churn-prevention', 'current.parquet'));
    const [row] = await engine.rows<{ rows: number }>(`SELECT count(*)::INTEGER AS rows FROM ${literal(current)}`);
    expect(row?.rows).toBe(stages['store']?.rowsOut);
    const shape = await engine.rows<{ column_name: string; column_type: string }>(`DESCRIBE FROM ${literal(current)}`);
    const meanings = new Map<string, { readonly type: string }>(
      [...CANDIDATE_COLUMNS, ...DERIVED_COLUMNS, ...LATER_COLUMNS].map((column) => [column.name, column]),
    );
    expect(shape.filter(({ column_name, column_type }) => meanings.get(column_name)?.type !== column_type)).toEqual([]);
    const again = await runExample('churn-prevention', join(folder, 'demo'));
    expect(again.data.current).toBe(current);
    expect(await realpath(current)).toBe(await realpath(again.data.decisions));
    expect(await realpath(current)).not.toBe(await realpath(demo.data.decisions));
  });

  test('run again with the same clock makes the same artifacts, from a warehouse made anew', async () => {
    const again = await runExample('churn-prevention', join(folder, 'demo-again'));
    expect(await digests(join(folder, 'demo-again'), 'churn-prevention', again.run)).toEqual(
      await digests(join(folder, 'demo'), 'churn-prevention', run),
    );
  });
});

/** Examples over data that are not part of the repository, each with a made-up file of the same header that is. */
const PUBLIC = [
  { name: 'cell2cell', connector: 'carrier', file: 'cell2cell/cell2celltrain.csv', rows: 51_047, rejected: 76 },
  {
    name: 'telco',
    connector: 'provider',
    file: 'telco/WA_Fn-UseC_-Telco-Customer-Churn.csv',
    rows: 7_043,
    rejected: 0,
  },
  { name: 'bank', connector: 'bank', file: 'bank_churn/Churn_Modelling.csv', rows: 10_000, rejected: 0 },
] as const;

/** What such a file says about the end, in any spelling: no column of that kind may reach filters and models. */
const ANSWERS = /churn$|^churn(?!_signals)|exited|retention|^left$/i;

/** Names of the columns that the extract of a run has. */
async function extracted({ data }: Ran): Promise<string[]> {
  const manifest = JSON.parse(await readFile(join(data.stages['extract']!, 'manifest.json'), 'utf8')) as {
    parts: { path: string; schema: { name: string }[] }[];
  };
  return manifest.parts.find(({ path }) => path === 'candidates.parquet')!.schema.map(({ name }) => name);
}

describe.each(PUBLIC)('the example $name', ({ name, connector, file, rows, rejected }) => {
  test('runs over a made-up file of the same header, and never sees who left', async () => {
    const made = join(ROOT, 'test', 'public-data', `${name}.csv`);
    const ran = await runExample(name, join(folder, `${name}-made`), '--source', `${connector}=${made}`);
    expect(ran.stages['extract']).toMatchObject({ rowsIn: 60, rowsOut: 60 });
    expectFunnelAddsUp(ran.stages);
    expect(ran.stages['store']?.rowsOut).toBeGreaterThan(0);
    const columns = await extracted(ran);
    expect(columns).toContain('customer_id');
    expect(columns.filter((column) => ANSWERS.test(column))).toEqual([]);
    expect(ran.truth).toBeUndefined();
  });

  const real = join(process.env['HOLDFAST_TEST_DATA'] ?? join(ROOT, '..', 'shared', 'data'), file);
  const present = existsSync(real);
  if (!present) console.warn(`examples/${name}.yaml: skipped, since there is no ${real} (set HOLDFAST_TEST_DATA)`);
  (present ? test : test.skip)('sends the real customers through a funnel that adds up, twice the same', async () => {
    const data = join(folder, name);
    const first = await runExample(name, data, '--source', `${connector}=${real}`);
    expect(first.stages['extract']).toMatchObject({ rowsIn: rows, rowsOut: rows - rejected });
    expectFunnelAddsUp(first.stages);
    // Neither everybody nor hardly anybody, and somebody at every level.
    expect(Number(first.stages['store']?.rowsOut) / rows).toBeGreaterThan(0.05);
    expect(Number(first.stages['store']?.rowsOut) / rows).toBeLessThan(0.3);
    for (const count of Object.values(first.stages['score']?.counts['riskLevels'] ?? {}))
      expect(count).toBeGreaterThan(50);
    const second = await runExample(name, data, '--source', `${connector}=${real}`);
    expect(second.run).not.toBe(first.run);
    const made = await digests(data, name, first.run);
    expect(Object.keys(made)).toEqual(['extract', 'filter', 'offer', 'score', 'store']);
    expect(await digests(data, name, second.run)).toEqual(made);
  });
});
