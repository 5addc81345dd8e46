import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { HoldfastError } from '../base/errors.ts';
import { connect } from '../database/client/connect.ts';
import { startEmbeddedPostgres } from '../database/embedded/embedded.ts';
import { NOW, type ProgramChanges, SLOT, type Workspace, workspace } from './support/workspace.ts';

let shop: Workspace;
beforeEach(async () => {
  shop = await workspace();
});
afterEach(async () => await shop[Symbol.asyncDispose]());

async function json(args: string[], options?: Parameters<Workspace['holdfast']>[1]) {
  const { status, stdout, stderr } = await shop.holdfast([...args, '--output', 'json'], options);
  return { status, stderr, report: JSON.parse(stdout) };
}
const retry = (run: string, ...more: string[]) => json(['retry', run, '--now', NOW, ...more]);

/** A run that is interrupted once a stage is done; resolves to its name. */
async function stoppedAfter(stage: string, options: string[] = [], changes?: ProgramChanges): Promise<string> {
  const { status, report } = await json(['run', await shop.program(changes), '--now', NOW, ...options], {
    watch: (text, abort) => {
      if (text.startsWith(`${stage} `) && text.includes('→'))
        abort.abort(new HoldfastError('HF_INTERRUPTED', 'stopped'));
    },
  });
  expect({ status, phase: report.phase }).toEqual({ status: 1, phase: 'Interrupted' });
  return report.run;
}

const folderOf = (run: string, ...rest: string[]) => join(shop.data, 'artifacts/default/keep', run, ...rest);
async function digestOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}
/** Digests of what the stages of a run left, by stage. */
async function digestsOf({ data }: any): Promise<object> {
  const entries = Object.entries<string>(data.stages).map(async ([stage, folder]) => [
    stage,
    await digestOf(join(folder, 'manifest.json')),
  ]);
  return Object.fromEntries(await Promise.all(entries));
}

test.each(['extract', 'filter', 'offer'])(
  'a run that was interrupted after %s is done again from there, and comes to the same bytes',
  async (stage) => {
    const undisturbed = await json(['run', await shop.program(), '--now', NOW]);
    const run = await stoppedAfter(stage);
    const { status, stderr, report } = await retry(run);
    expect(status).toBe(0);
    expect(report).toMatchObject({ phase: 'Succeeded', retryOf: run, slot: SLOT, run: 'keep-20261123t020000z-3' });
    expect(report.stages.filter(({ reusedFrom }: any) => reusedFrom === run).at(-1).name).toBe(stage);
    expect(stderr).toContain(`reused from ${run}\n`);
    expect(await digestsOf(report)).toEqual(await digestsOf(undisturbed.report));
    const list = async (name: string) => (await shop.holdfast(['candidates', 'keep', '--json', '--run', name])).stdout;
    expect(await list(report.run)).toBe(
      (await list(undisturbed.report.run)).replaceAll(undisturbed.report.run, report.run),
    );
    const { runs } = (await json(['runs', 'keep', '--data', shop.data])).report;
    expect(runs[0]).toMatchObject({ trigger: 'retry', retryOf: run, current: true });
  },
);

test('a retry is explained, and its candidates are listed, when the run that it reused is gone', async () => {
  const run = await stoppedAfter('filter');
  const { report } = await retry(run);
  const explain = () => shop.holdfast(['explain', 'keep', 'C0350', '--output', 'json']);
  const before = await explain();
  const pruned = await json(['prune', 'keep', '--keep-days', '0']);
  expect(pruned.report.programs).toMatchObject([{ program: 'keep', runs: 1 }]);
  await expect(stat(folderOf(run))).rejects.toMatchObject({ code: 'ENOENT' });
  const after = await explain();
  expect({ status: after.status, stdout: after.stdout }).toEqual({ status: 0, stdout: before.stdout });
  expect((await shop.holdfast(['candidates', 'keep', '--csv'])).status).toBe(0);
  // And the next run has it to compare with.
  expect((await json(['run', await shop.program(), '--now', NOW])).status).toBe(0);
  expect(report.stages[0].reusedFrom).toBe(run);
});

test('from a stage on everything is done again, from a source that was mended meanwhile', async () => {
  const run = await stoppedAfter('filter');
  await shop.customers("SELECT * FROM customers WHERE customer_id < 'C0390'");
  const { report } = await retry(run, '--from-stage', 'extract');
  expect(report).toMatchObject({ phase: 'Succeeded', stages: [{ name: 'extract', rowsOut: 390 }, {}, {}, {}, {}] });
  expect(report.stages.some(({ reusedFrom }: any) => reusedFrom)).toBe(false);
});

test('a retry that reads for an older slot what is there now says so, and one that reuses what was read does not', async () => {
  const run = await stoppedAfter('extract');
  const late = ['--now', '2026-11-30T12:00:00Z'];
  const again = await json(['retry', run, '--from-stage', 'extract', ...late], {
    watch: (text, abort) => {
      if (text.startsWith('filter ')) abort.abort(new HoldfastError('HF_INTERRUPTED', 'stopped'));
    },
  });
  const sentence = `Connector shop: its rows are as of now, and the slot of this run is ${SLOT}, before the newest, 2026-11-30T02:00:00Z.`;
  expect(again.stderr).toContain(`warning: ${sentence}\n`);
  expect((await json(['retry', run, ...late])).stderr).not.toContain('as of now');
});

test('what a run warned of, its retry does, too, and both are told of ever after', async () => {
  const elsewhere = `CASE WHEN customer_id < 'C0100' THEN 'FR' ELSE 'US' END AS marketplace`;
  await shop.customers(`SELECT * REPLACE (${elsewhere}) FROM customers`);
  const all: ProgramChanges = (spec) => {
    spec['holdout'] = { share: 1 };
    spec['dataConnectors'][0].config.query = `SELECT *, 'is odd' AS warned_because FROM customers`;
  };
  const undisturbed = await json(['run', await shop.program(all), '--now', NOW]);
  const codes = undisturbed.report.warnings.map(({ code }: any) => code);
  expect(codes).toEqual(['MANIFEST', 'SOURCE_DOUBTFUL', 'OUTSIDE_MARKETPLACES']);
  const run = await stoppedAfter('offer', [], all);
  const { report, stderr } = await retry(run);
  expect(report.warnings).toEqual(undisturbed.report.warnings);
  for (const { message } of report.warnings) expect(stderr).toContain(`warning: ${message}\n`);
  const listed = async (name: string) => (await json(['runs', name, '--data', shop.data])).report.runs;
  const kept = [
    { stage: null, ...report.warnings[0] },
    { stage: 'extract', ...report.warnings[1] },
    { stage: 'filter', ...report.warnings[2] },
  ];
  for (const name of [undisturbed.report.run, run, report.run]) {
    expect(await listed(name)).toEqual([expect.objectContaining({ run: name, warnings: kept })]);
  }
  const shown = await shop.holdfast(['runs', report.run, '--data', shop.data]);
  expect(shown.stdout).toMatch(/\nwarning: MANIFEST: .*\nwarning: SOURCE_DOUBTFUL: Connector shop: is odd\.\n.*\n$/);
});

test('a stage whose files are gone is done again, which is said', async () => {
  const run = await stoppedAfter('filter');
  await rm(folderOf(run, 'filter'), { recursive: true });
  const { report } = await retry(run);
  expect(report.stages.map(({ reusedFrom }: any) => reusedFrom)).toEqual([
    run,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(report.warnings).toEqual([
    { code: 'NOT_REUSED', message: expect.stringMatching(/^The artifact of stage filter of run .* is gone/) },
  ]);
  const { runs } = (await json(['runs', 'keep', '--data', shop.data])).report;
  expect(runs[0].warnings).toEqual([{ stage: null, ...report.warnings[0] }]);
});

test('a retry reads the files that the run was given, not those that the manifest names', async () => {
  await mkdir(shop.path('other'));
  await rename(shop.path('customers.parquet'), shop.path('other/customers.parquet'));
  const run = await stoppedAfter('extract', ['--source', `shop=${shop.path('other/customers.parquet')}`]);
  await shop.customers("SELECT * FROM customers WHERE customer_id < 'C0390'");
  const environment = { HOLDFAST_SOURCE_SHOP: shop.path('customers.parquet') };
  const { report } = await json(['retry', run, '--now', NOW, '--from-stage', 'extract'], { environment });
  expect(report.stages[0]).toMatchObject({ name: 'extract', rowsOut: 400 });
});

test('a manifest that has changed since is named; the retry does what the run was pinned to', async () => {
  const run = await stoppedAfter('extract');
  const first = await retry(run, '--from-stage', 'filter');
  expect(first.stderr).not.toContain('has changed');
  const other = await stoppedAfter('extract');
  const file = await shop.program((spec) => (spec['filterChain'] = []));
  const { stderr, report } = await retry(other);
  const changed = { code: 'MANIFEST_CHANGED', message: expect.stringContaining(`${file} has changed since ${other}`) };
  expect(report.warnings).toContainEqual(changed);
  expect(stderr).toContain(`warning: ${file} has changed since ${other}`);
  const { runs } = (await json(['runs', report.run, '--data', shop.data])).report;
  expect(runs[0].warnings).toContainEqual({ stage: null, ...changed });
  expect(report.stages[1]).toMatchObject({ name: 'filter', rowsOut: 100 });
});

test('models that it will ask are looked at before it begins, and no others', async () => {
  const [scored, filtered] = [await stoppedAfter('score'), await stoppedAfter('filter')];
  await rename(shop.path('risk.onnx'), shop.path('away.onnx'));
  const refused = await retry(filtered);
  expect(refused).toMatchObject({
    status: 78,
    report: { phase: 'Refused', run: '', pipeline: 'batch', stages: [], error: { code: 'HF_MODEL_MISSING' } },
  });
  expect((await retry(scored, '--from-stage', 'score')).report.error.code).toBe('HF_MODEL_MISSING');
  expect((await retry(scored)).report.phase).toBe('Succeeded');
  await rename(shop.path('away.onnx'), shop.path('risk.onnx'));
});

test('what cannot be done again is refused, each with its sentence', async () => {
  const refused = async (args: string[], sentence: RegExp, code = 'HF_RETRY_REFUSED') => {
    const { status, report } = await json(['retry', ...args, '--now', NOW]);
    expect({ args, status, error: report.error }).toEqual({
      args,
      status: 78,
      error: { code, message: expect.stringMatching(sentence) },
    });
  };
  await refused(['keep-20261123t020000z-1'], /there is no state in/, 'HF_NOT_FOUND');
  const good = await json(['run', await shop.program(), '--now', NOW]);
  const run = await stoppedAfter('extract');
  await refused([good.report.run], /has succeeded: begin another in its place/);
  await refused(['keep-20261123t020000z-0'], /was a dry run/);
  await refused(['keep-20261123t020000z-9'], /there is no run .* the newest are/, 'HF_NOT_FOUND');
  await refused([run, '--from-stage', 'score'], /it needs filter of .*, and .* did not get so far/);
  await refused([run, '--from-stage', 'scores'], /batch has no stage scores: it has extract, filter/, 'HF_USAGE');
  await writeFile(folderOf(run, 'revision.json'), '{"spec": {}}');
  await refused([run], /the revision of run .* was changed/, 'HF_ARTIFACT_CORRUPT');
  await rm(folderOf(run, 'revision.json'));
  await refused([run], /what keep-20261123t020000z-2 was pinned to is not in this data folder/);
});

test('a RetentionRun that is a retry is not run as if it were none', async () => {
  const program = await readFile(await shop.program(), 'utf8');
  const run = [
    'apiVersion: holdfast.dev/v1alpha1',
    'kind: RetentionRun',
    'metadata: { name: keep-again }',
    'spec: { programRef: { name: keep }, pipeline: batch, trigger: retry, retryOf: { name: keep-1, uid: u } }',
  ].join('\n');
  await writeFile(shop.path('again.yaml'), `${program}---\n${run}\n`);
  const { status, report } = await json(['run', shop.path('again.yaml'), '--now', NOW]);
  expect(status).toBe(78);
  expect(report).toMatchObject({ phase: 'Refused', stages: [], error: { code: 'HF_USAGE' } });
  expect(report.error.message).toContain('`holdfast retry keep-1`');
});

test('a run whose retry succeeded is not done once more, unless that batch was discarded', async () => {
  const run = await stoppedAfter('filter');
  const first = await json(['retry', run, '--now', NOW], {
    watch: (text, abort) => {
      if (text.startsWith('score ')) abort.abort(new HoldfastError('HF_INTERRUPTED', 'stopped'));
    },
  });
  const { report } = await retry(first.report.run);
  expect(report).toMatchObject({ phase: 'Succeeded', retryOf: first.report.run });
  const error = {
    code: 'HF_RETRY_REFUSED',
    message: `the run ${run} was retried, and that succeeded: ${report.run}`,
  };
  expect(await retry(run)).toMatchObject({ status: 78, report: { error } });
  await shop.holdfast(['discard', report.run, '--reason', 'never sent']);
  expect(await retry(run)).toMatchObject({ status: 0, report: { phase: 'Succeeded' } });
});

test('a run that another process is at is not done again, and one that was killed is', async () => {
  const run = await stoppedAfter('filter');
  const server = await startEmbeddedPostgres({ folder: join(shop.data, 'postgres') });
  const database = await connect(server.url, { applicationName: 'test' });
  const phase = (text: string, owner: string | null) =>
    database.pool.query('UPDATE holdfast.runs SET phase = $2, owner = $3 WHERE run = $1', [run, text, owner]);
  try {
    await phase('Running', 'uid');
    expect((await retry(run)).report.error).toMatchObject({
      code: 'HF_RETRY_REFUSED',
      message: expect.stringMatching(/is not over \(Running\)/),
    });
    await phase('Running', null);
    expect((await retry(run)).report).toMatchObject({ phase: 'Succeeded', retryOf: run });
  } finally {
    await database.close();
    await server.stop();
  }
});

test('a retry of a backfill is one: the current batch stays', async () => {
  await json(['run', await shop.program(), '--now', NOW]);
  const file = await shop.program();
  await writeFile(
    shop.path('old.yaml'),
    `${await readFile(file, 'utf8')}---
apiVersion: holdfast.dev/v1alpha1
kind: RetentionRun
metadata: { name: old }
spec: { programRef: { name: keep }, pipeline: batch, trigger: backfill, slot: '2026-11-16T02:00:00Z' }
`,
  );
  const { report: old } = await json(['run', shop.path('old.yaml'), '--now', NOW], {
    watch: (text, abort) => {
      if (text.startsWith('filter ')) abort.abort(new HoldfastError('HF_INTERRUPTED', 'stopped'));
    },
  });
  expect((await retry(old.run)).report).toMatchObject({ phase: 'Succeeded' });
  const { runs } = (await json(['runs', 'keep', '--data', shop.data])).report;
  expect(runs.map(({ trigger, current }: any) => [trigger, current])).toEqual([
    ['backfill', false],
    ['backfill', false],
    ['manual', true],
  ]);
});
