import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HoldfastError } from '../base/errors.ts';
import { VERSION } from '../providers/artifacts/producer.ts';
import { NOW, SLOT, type Workspace, workspace } from './support/workspace.ts';

interface Report {
  readonly run: string;
  readonly phase: string;
  readonly stages: readonly {
    name: string;
    rowsIn: number;
    rowsOut: number;
    seconds: number;
    counts: Record<string, unknown>;
  }[];
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
  readonly error?: { code: string; message: string };
}

let shop: Workspace;
beforeAll(async () => {
  shop = await workspace();
});
afterAll(() => shop[Symbol.asyncDispose]() as Promise<void>);

describe('a run of the batch', () => {
  test('prints exactly one JSON object on stdout, whose funnel adds up from stage to stage', async () => {
    const { status, stdout } = await shop.holdfast(['run', await shop.program(), '--output', 'json', '--now', NOW]);
    expect(status).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    const report = JSON.parse(stdout) as Report;
    expect(Object.keys(report).sort()).toEqual([
      'data',
      'dryRun',
      'finishedAt',
      'namespace',
      'phase',
      'pipeline',
      'program',
      'run',
      'seconds',
      'slot',
      'stages',
      'startedAt',
      'version',
      'warnings',
    ]);
    expect(report).toMatchObject({ namespace: 'default', program: 'keep', slot: SLOT, version: VERSION });
    // The clock of the run is that of --now.
    expect(report).toMatchObject({ startedAt: NOW, finishedAt: NOW });
    expect(report).toMatchObject({ run: 'keep-20261123t020000z-1', phase: 'Succeeded' });
    expect(report.stages.map(({ name }) => name)).toEqual(['extract', 'filter', 'score', 'offer', 'store']);
    for (const stage of report.stages) {
      expect(Object.keys(stage).sort()).toEqual(['counts', 'name', 'rowsIn', 'rowsOut', 'seconds']);
    }
    for (const [before, after] of pairs(report.stages)) expect(after.rowsIn).toBe(before.rowsOut);
    const [extract, filter, score, offer, store] = report.stages;
    expect(extract).toMatchObject({ rowsIn: 400, rowsOut: 400 });
    expect(filter?.counts['removed']).toEqual({
      trust: 100,
      'churn-signal': 100,
      'customer-value': 100,
      eligibility: 0,
    });
    expect(filter?.rowsOut).toBe(100);
    const levels = Object.values(score?.counts['riskLevels'] as Record<string, number>);
    expect(levels.reduce((a, b) => a + b, 0) + Number(score?.counts['belowThreshold'])).toBe(100);
    expect(Object.keys(offer?.counts['kinds'] as object)).toEqual(['discount', 'upgrade', 'personal_call']);
    expect(store?.counts['candidates']).toBe(score?.rowsOut);
  });

  test('that is refused says in its JSON which run it would have been, and what the manifest warns of', async () => {
    const program = await shop.program((spec) => (spec['holdout'] = { share: 1 }), 'refused.yaml');
    const args = ['run', program, '--output', 'json', '--now', NOW];
    const { status, stdout } = await shop.holdfast(args, { environment: { DATABASE_URL: 'postgres//none' } });
    expect(status).toBe(78);
    expect(JSON.parse(stdout)).toMatchObject({
      run: '',
      phase: 'Refused',
      namespace: 'default',
      program: 'keep',
      slot: SLOT,
      warnings: [{ code: 'MANIFEST', message: expect.stringMatching(/holdout/) }],
      error: { code: 'HF_DATABASE_REFUSED' },
    });
  });

  test('has in its JSON what it warns of on stderr', async () => {
    await shop.customers('SELECT * REPLACE (NULL::DOUBLE AS feature_usage) FROM customers');
    try {
      const args = ['run', await shop.program(), '--output', 'json', '--now', NOW, '--dry-run'];
      const { stdout, stderr } = await shop.holdfast(args);
      const { warnings } = JSON.parse(stdout) as Report;
      expect(warnings).toEqual([
        {
          code: 'COLUMN_MISSING_IN_ROWS',
          message: 'feature_usage, which the model effect reads, is missing in 400 of 400 rows.',
        },
      ]);
      expect(stderr).toContain(`warning: ${warnings[0]?.message}`);
    } finally {
      await shop.customers();
    }
  });

  test('over the same input with the same clock makes artifacts with the same digests, in another run and another folder', async () => {
    const program = await shop.program();
    const again = shop.path('another-state');
    await shop.holdfast(['run', program, '--now', NOW, '--output', 'json', '--data', again]);
    await shop.holdfast(['run', program, '--now', NOW, '--output', 'json', '--data', again]);
    const first = await digests(again, 'keep-20261123t020000z-1');
    const second = await digests(again, 'keep-20261123t020000z-2');
    expect(Object.keys(first)).toEqual(['extract', 'filter', 'offer', 'score', 'store']);
    expect(second).toEqual(first);
    expect(await digests(shop.data, 'keep-20261123t020000z-1')).toEqual(first);
  });

  test('ends with a funnel that says where things are and what to do next', async () => {
    const { status, stdout, stderr } = await shop.holdfast(['run', await shop.program(), '--now', NOW]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^extract +400 +rejected 0$/m);
    expect(stdout).toMatch(/trust −100 {3}churn-signal −100 {3}customer-value −100/);
    // What it tells to do next works as it stands.
    const [, next = ''] = /^next +holdfast (explain keep C03\d\d --data \S+)$/m.exec(stdout) ?? [];
    expect(await shop.holdfast(next.split(' '))).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('candidate'),
    });
    expect(stdout).toContain(shop.data);
    // Plain lines where there is no terminal.
    expect(stderr).not.toContain('\u001B');
    expect(stderr).toMatch(/^filter +400 → 100/m);
  });

  test('draws on one line a stage when it writes to a terminal', async () => {
    const { stderr } = await shop.holdfast(['run', await shop.program(), '--now', NOW], { terminal: true });
    expect(stderr).toMatch(/\r\u001B\[Kfilter +400 → 100/);
    expect(stderr.trim().split('\n')).toHaveLength(5);
  });

  test('that is dry writes nothing, and says what it would have done', async () => {
    const nowhere = shop.path('nowhere');
    const dry = await shop.holdfast(['run', await shop.program(), '--dry-run', '--now', NOW, '--data', nowhere]);
    expect(dry.status).toBe(0);
    expect(dry.stdout).toMatch(/dry run/);
    expect(existsSync(nowhere)).toBe(false);

    const before = await everyFile(join(shop.data, 'artifacts'));
    const again = await shop.holdfast(['run', await shop.program(), '--dry-run', '--now', NOW, '--output', 'json']);
    expect(again.status).toBe(0);
    expect(await everyFile(join(shop.data, 'artifacts'))).toEqual(before);
    const { stdout } = await shop.holdfast(['run', await shop.program(), '--now', NOW, '--output', 'json']);
    // The dry run took no number.
    expect((JSON.parse(stdout) as Report).run).toBe(`keep-20261123t020000z-${before.runs + 1}`);
  });

  test('as a RetentionRun takes its slot from it', async () => {
    const program = await readFile(await shop.program(), 'utf8');
    const run = [
      'apiVersion: holdfast.dev/v1alpha1',
      'kind: RetentionRun',
      'metadata: { name: keep-by-hand }',
      'spec: { programRef: { name: keep }, pipeline: batch, slot: "2026-11-16T02:00:00Z", trigger: backfill }',
    ].join('\n');
    await writeFile(shop.path('run.yaml'), `${program}---\n${run}\n`);
    const { status, stdout } = await shop.holdfast(['run', shop.path('run.yaml'), '--now', NOW]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^keep-20261116t020000z-\d+ /);
    // A backfill is not the current batch: one must ask for it by name.
    expect(stdout).toMatch(/^state .*not the current batch$/m);
    const [, next = ''] = /^next +holdfast (.+ --run keep-20261116t020000z-\d+ .+)$/m.exec(stdout) ?? [];
    expect((await shop.holdfast(next.split(' '))).stdout).toContain('as of 2026-11-16T02:00:00Z');
  });
});

test('who was decided on last week, held out or not, is not a candidate this week, nor of a capped program of the same slot', async () => {
  const data = shop.path('two-weeks');
  const batch = async (file: string, now: string) => {
    const { stdout } = await shop.holdfast(['run', file, '--now', now, '--output', 'json', '--data', data]);
    return (JSON.parse(stdout) as Report).stages;
  };
  const first = await batch(await shop.program(), '2026-11-16T09:00:00Z');
  const decided = Number(first.at(-1)?.rowsOut);
  expect(decided).toBeGreaterThan(50);
  expect(first[3]?.counts['arms']).toMatchObject({ holdout: expect.any(Number) });

  const capped = await shop.program((spec) => {
    spec['programId'] = 'other';
    const cap = { filterId: 'cap', type: 'business-rule', order: 5, parameters: { maxOffersPerQuarter: 1 } };
    spec['filterChain'].push(cap);
  }, 'other.yaml');
  const other = await batch(capped, '2026-11-16T09:00:00Z');
  expect(other[1]?.counts['removed']).toMatchObject({ eligibility: 0, cap: decided });

  const second = await batch(await shop.program(), NOW);
  expect(second[1]?.counts['removed']).toMatchObject({ eligibility: decided });
});

describe('holdfast explain', () => {
  beforeAll(async () => {
    await shop.holdfast(['run', await shop.program(), '--now', NOW]);
    await shop.holdfast(['run', await shop.program(), '--now', NOW]);
  });

  test.each([
    ['C0042', 'which filter removed the customer, with the value compared', /✗ trust +verified false/],
    ['C0042', 'which filters were not asked any more', /· customer-value +not reached/],
    ['C0142', 'how many signals were missing', /✗ churn-signal +0 of 2 signals needed/],
    ['C0242', 'the value that was too low', /✗ customer-value +lifetime_value 100 < 500/],
    ['C0242', 'the signals that the customer shows', /signals +engagement_decline, low_login_frequency/],
    ['C0300', 'score and level', /score +0\.9\d\d critical/],
    ['C0300', 'the offer', /offer +premium, recommended \w+, 50 % off for 6 months, (treatment|holdout) \(epoch 1\)/],
  ])('%s: tells %s', async (customer, _what, expected) => {
    const { status, stdout } = await shop.holdfast(['explain', 'keep', customer]);
    expect(status).toBe(0);
    expect(stdout).toMatch(expected);
  });

  test('gives one JSON object on request', async () => {
    const { stdout } = await shop.holdfast(['explain', 'keep', 'C0242', '--output', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({ program: 'keep', slot: SLOT, customer: 'C0242', outcome: 'removed' });
  });

  test('is about the newest run that succeeded, unless another is named', async () => {
    const before = (await shop.holdfast(['explain', 'keep', 'C0300'])).stdout;
    const [run = ''] = /keep-2026\S+/.exec(before) ?? [];
    const empty = await shop.program((spec) => {
      spec['dataConnectors'][0].config.query = 'SELECT * FROM customers WHERE false';
    });
    expect((await shop.holdfast(['run', empty, '--now', NOW])).status).toBe(78);
    expect((await shop.holdfast(['explain', 'keep', 'C0300'])).stdout).toBe(before);
    const first = await shop.holdfast(['explain', 'keep', 'C0300', '--run', run.replace(/\d+$/, '1')]);
    expect(first.stdout).toContain('keep-20261123t020000z-1\n');
    expect(run).not.toBe('keep-20261123t020000z-1');
  });

  test('refuses to tell from an artifact that is not the one the run made', async () => {
    const state = shop.path('tampered');
    await shop.holdfast(['run', await shop.program(), '--now', NOW, '--data', state]);
    const folder = join(state, 'artifacts/default/keep/keep-20261123t020000z-1/filter/1');
    const explain = () => shop.holdfast(['explain', 'keep', 'C0042', '--data', state]);
    const manifest = await readFile(join(folder, 'manifest.json'), 'utf8');
    await writeFile(join(folder, 'manifest.json'), manifest.replace(/"trust": *100/, '"trust": 101'));
    expect(await explain()).toMatchObject({
      status: 78,
      stderr: expect.stringMatching(/^HF_ARTIFACT_CORRUPT: .*filter/),
    });
    await writeFile(join(folder, 'manifest.json'), manifest);
    expect(await explain()).toMatchObject({ status: 0 });
    await rm(join(folder, 'removed.parquet'));
    expect(await explain()).toMatchObject({ status: 78, stderr: expect.stringMatching(/^HF_ARTIFACT_CORRUPT: /) });
  });

  test('of a run that ended before the filters says that they were not reached', async () => {
    const { stdout } = await shop.holdfast(['run', await shop.program(), '--now', NOW, '--output', 'json'], {
      watch: (text, abort) => {
        if (text.startsWith('extract')) abort.abort(new HoldfastError('HF_INTERRUPTED', 'stopped'));
      },
    });
    const { run } = JSON.parse(stdout) as Report;
    const explained = await shop.holdfast(['explain', 'keep', 'C0042', '--run', run]);
    expect(explained.stdout).toMatch(/the run ended before/);
    expect(explained.stdout).toMatch(/· trust +not reached/);
  });

  test('says so when the query did not return the customer', async () => {
    const { status, stdout } = await shop.holdfast(['explain', 'keep', 'C9999']);
    expect(status).toBe(78);
    expect(stdout).toMatch(/not extracted/);
  });

  test('of a program that never ran is HF_NOT_FOUND', async () => {
    const { status, stderr } = await shop.holdfast(['explain', 'kept', 'C0001']);
    expect(status).toBe(78);
    expect(stderr).toMatch(
      /^HF_NOT_FOUND: kept has not run in .*the programs that have are keep \(did you mean keep\?\)/,
    );
  });
});

describe('holdfast clean', () => {
  test('removes the state, whole, and has nothing to do the second time', async () => {
    const state = shop.path('to-clean');
    await shop.holdfast(['run', await shop.program(), '--now', NOW, '--data', state]);
    expect(existsSync(state)).toBe(true);
    expect((await shop.holdfast(['clean', '--data', state])).status).toBe(0);
    expect(existsSync(state)).toBe(false);
    expect(await shop.holdfast(['clean', '--data', state])).toMatchObject({ status: 0 });
  });

  test('of a link removes what it points to, and nothing of a neighbour', async () => {
    const [real, link] = [shop.path('real-state'), shop.path('linked-state')];
    await mkdir(real);
    await symlink(real, link);
    await mkdir(`${real}.removing`);
    await shop.holdfast(['run', await shop.program(), '--now', NOW, '--data', link]);
    expect((await stat(real)).mode & 0o777).toBe(0o700);
    expect((await shop.holdfast(['clean', '--data', link])).status).toBe(0);
    expect(existsSync(real)).toBe(false);
    expect(existsSync(`${real}.removing`)).toBe(true);
  });

  test('leaves a folder alone that is not its own', async () => {
    const { status, stderr } = await shop.holdfast(['clean', '--data', shop.folder]);
    expect(status).toBe(78);
    expect(stderr).toMatch(/^HF_DATA_FOLDER: .* nothing was removed/);
    expect(existsSync(shop.path('customers.parquet'))).toBe(true);
  });
});

function pairs<Item>(items: readonly Item[]): [Item, Item][] {
  return items.slice(1).map((item, index) => [items[index] as Item, item]);
}

async function digests(state: string, run: string): Promise<Record<string, unknown>> {
  const folder = join(state, 'artifacts', 'default', 'keep', run);
  const stages = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const manifests = stages.map(async ({ name }) => {
    const text = await readFile(join(folder, name, '1', 'manifest.json'), 'utf8');
    return [name, (JSON.parse(text) as { parts: { sha256: string }[] }).parts.map(({ sha256 }) => sha256)] as const;
  });
  return Object.fromEntries((await Promise.all(manifests)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function everyFile(folder: string): Promise<{ runs: number; files: string[] }> {
  const files = (await readdir(folder, { recursive: true })).sort();
  return { runs: files.filter((file) => /^default\/keep\/keep-[^/]+$/.test(file)).length, files };
}
