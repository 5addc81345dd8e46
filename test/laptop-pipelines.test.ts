import { readFile, rename, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { HoldfastError } from '../base/errors.ts';
import type { RunnablePipelines } from '../jobs/stages.ts';
import { RUNNABLE_WITH_CAMPAIGN } from './support/runnable.ts';
import { type CommandOptions, type Workspace, workspace } from './support/workspace.ts';

/*
 * The command line of a laptop over a table with two pipelines more, that come after the batch: a campaign, which reaches
 * people, and a report. In order: each test goes on where the one before it ended.
 */
const SUNDAY = '2026-11-15T09:00:00Z';
const MONDAY = '2026-11-16T02:00:00Z';
const NOW = '2026-11-16T09:30:00Z';
const NEXT_WEEK = '2026-11-23T09:30:00Z';

let shop: Workspace;
let last = 0;
beforeAll(async () => {
  shop = await workspace();
  await shop.program();
}, 60_000);
afterAll(async () => shop?.[Symbol.asyncDispose]());

const failing: RunnablePipelines = {
  ...RUNNABLE_WITH_CAMPAIGN,
  code: {
    ...RUNNABLE_WITH_CAMPAIGN.code,
    campaign: {
      ...RUNNABLE_WITH_CAMPAIGN.code['campaign'],
      deliver: {
        work: async () => async () => {
          throw new HoldfastError('HF_DATABASE_FAILED', 'the channel is shut');
        },
      },
    },
  },
};

/** Runs a pipeline by a RetentionRun. */
async function run(spec: object, args: readonly string[] = [], options: CommandOptions = {}) {
  const file = shop.path(`run-${++last}.yaml`);
  const object = {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'RetentionRun',
    metadata: { name: `run-${last}` },
    spec: { programRef: { name: 'keep' }, ...spec },
  };
  await writeFile(file, `${await readFile(shop.path('program.yaml'), 'utf8')}---\n${stringify(object)}`);
  return shop.holdfast(['run', file, '--now', NOW, ...args], { runnable: RUNNABLE_WITH_CAMPAIGN, ...options });
}
const refused = (status: number, sentence: string) => ({
  status,
  stdout: '',
  stderr: expect.stringContaining(sentence),
});

test('a pipeline begins no sooner than the one that it comes after has succeeded for the slot', async () => {
  expect(await run({ pipeline: 'campaign' })).toEqual(
    refused(
      1,
      `HF_UPSTREAM_MISSING: campaign begins when batch has succeeded for the slot ${MONDAY}, and no run of it here has: run the batch first`,
    ),
  );
  expect((await shop.holdfast(['run', shop.path('program.yaml'), '--dry-run', '--now', NOW])).status).toBe(0);
  expect((await shop.holdfast(['run', shop.path('program.yaml'), '--now', SUNDAY])).status).toBe(0);
  const backfill = ['--from', '2026-11-16', '--to', '2026-11-16', '--present-data', '--now', NOW];
  expect((await shop.holdfast(['backfill', shop.path('program.yaml'), ...backfill])).status).toBe(0);
  // A dry run, a batch of the week before and a backfill are none.
  for (const pipeline of ['campaign', 'report']) {
    expect(await run({ pipeline })).toEqual(refused(1, `HF_UPSTREAM_MISSING: ${pipeline} begins when batch`));
    expect(await run({ pipeline }, ['--dry-run'])).toEqual(refused(1, 'HF_UPSTREAM_MISSING: '));
  }
  expect((await run({ pipeline: 'report', trigger: 'backfill' })).status).toBe(0);
  expect((await shop.holdfast(['run', shop.path('program.yaml'), '--now', NOW])).status).toBe(0);
  expect((await run({ pipeline: 'report' })).status).toBe(0);
});

test('what came of it is told in its own words: a batch by its funnel, what has none by its stages', async () => {
  const { stdout, stderr } = await run({ pipeline: 'report' });
  expect(stdout.replaceAll(/[\d.]+ s\b/g, 'T s').replace(/z-\d+/, 'z-N')).toBe(
    [
      `keep-20261116t020000z-N  report  as of ${MONDAY}`,
      '',
      'report     3 → 1   pages 1   of batch 3   T s',
      '',
      'took       T s',
      '',
    ].join('\n'),
  );
  expect(stderr).toMatch(/^report {5}3 → 1/m);
  const dry = await run({ pipeline: 'campaign' }, ['--dry-run']);
  expect(dry.stdout).toMatch(/^keep-20261116t020000z-0 {2}campaign {2}as of 2026-11-16T02:00:00Z {2}\(dry run\)$/m);
  expect(dry.stdout).toMatch(/^deliver {4}1 → 1 {3}given plan 1 {3}/m);
  expect(dry.stdout).not.toMatch(/stored|offers|explain/);
});

test('only what asks a model is refused where there is none', async () => {
  const model = shop.path('risk.onnx');
  await rename(model, `${model}.away`);
  expect(await run({ pipeline: 'campaign' }, ['--dry-run'])).toEqual(refused(78, 'HF_MODEL_MISSING: '));
  expect((await run({ pipeline: 'report' })).status).toBe(0);
  await rename(`${model}.away`, model);
});

test('what reaches people is run for the newest slot of its calendar only', async () => {
  expect(await run({ pipeline: 'campaign', slot: '2026-11-09T02:00:00Z' })).toEqual(
    refused(
      78,
      "HF_SLOT_REFUSED: campaign reaches people, and so runs only for the newest slot of cron(0 2 ? * MON *), which was 2026-11-16T02:00:00Z when the run was made; the run's is 2026-11-09T02:00:00Z",
    ),
  );
  expect(await run({ pipeline: 'campaign', slot: '2026-11-16T02:00:01Z' })).toEqual(refused(78, 'HF_SLOT_REFUSED: '));
  expect((await run({ pipeline: 'report', slot: '2026-11-16T02:00:01Z' })).status).toBe(0);
});

test('a run of it that failed is tried again, and once it has succeeded nobody is told twice', async () => {
  const failed = await run({ pipeline: 'campaign' }, ['--output', 'json'], { runnable: failing });
  expect([failed.status, JSON.parse(failed.stdout)]).toMatchObject([1, { pipeline: 'campaign', phase: 'Failed' }]);
  const { run: name } = JSON.parse(failed.stdout) as { run: string };
  const retried = await shop.holdfast(['retry', name, '--now', NOW, '-o', 'json'], {
    runnable: RUNNABLE_WITH_CAMPAIGN,
  });
  expect([retried.status, JSON.parse(retried.stdout)]).toMatchObject([
    0,
    { pipeline: 'campaign', phase: 'Succeeded', stages: [{ name: 'plan', reusedFrom: name }, { name: 'deliver' }] },
  ]);
  expect(await run({ pipeline: 'campaign' })).toEqual(
    refused(
      78,
      `HF_SLOT_DONE: campaign reaches people, and has succeeded for the slot ${MONDAY}: nobody is told twice`,
    ),
  );
  expect(retried.stdout).toContain('"data":{"stages":{"plan":"');
  // A dry run tells nobody.
  expect((await run({ pipeline: 'campaign' }, ['--dry-run'])).status).toBe(0);
  expect((await run({ pipeline: 'report' })).status).toBe(0);
});

test('a run of it that failed is not tried again once another has told them, or a newer slot has come', async () => {
  const week = ['--now', NEXT_WEEK];
  expect((await shop.holdfast(['run', shop.path('program.yaml'), ...week])).status).toBe(0);
  const failed = await run({ pipeline: 'campaign' }, [...week, '-o', 'json'], { runnable: failing });
  const { run: name } = JSON.parse(failed.stdout) as { run: string };
  const retry = (now: string) => shop.holdfast(['retry', name, '--now', now], { runnable: RUNNABLE_WITH_CAMPAIGN });
  expect(await retry('2026-11-30T09:30:00Z')).toEqual(refused(78, 'HF_SLOT_REFUSED: campaign reaches people'));
  expect((await run({ pipeline: 'campaign' }, week)).status).toBe(0);
  expect(await retry(NEXT_WEEK)).toEqual(refused(78, 'HF_SLOT_DONE: '));
});
