import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { HoldfastError } from '../base/errors.ts';
import { NOW, type Workspace, workspace } from './support/workspace.ts';

let shop: Workspace;
beforeEach(async () => {
  shop = await workspace();
});
afterEach(() => shop[Symbol.asyncDispose]() as Promise<void>);

/** SHA-256 of every file of the artifacts, by path; but for the one that names the database, of which each state has its own. */
async function digests(data: string): Promise<Record<string, string>> {
  const root = join(data, 'artifacts');
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && entry.name !== 'owner.json')
    .map((entry) => join(entry.parentPath, entry.name));
  const found: Record<string, string> = {};
  for (const file of files.sort()) {
    found[file.slice(root.length)] = createHash('sha256')
      .update(await readFile(file))
      .digest('hex');
  }
  return found;
}

/** More shards than some have customers; trees, because their sums are the first to differ. */
test('however many processes score, the artifacts are the same to the byte', async () => {
  const tree = join(import.meta.dirname, '../examples/models');
  const features = JSON.parse(await readFile(join(tree, 'churn-risk-v6.json'), 'utf8')) as Record<string, unknown>;
  const program = await shop.program((spec) => {
    spec['featureStore'] = undefined;
    spec['dataConnectors'][0].config.query =
      `SELECT *, 0.5 + row_number() OVER (ORDER BY customer_id) % 9 AS purchase_frequency,
      (row_number() OVER (ORDER BY customer_id) % 40)::DOUBLE AS days_since_last_login, false AS competitor_research,
      (row_number() OVER (ORDER BY customer_id) % 70)::DOUBLE AS subscription_tenure FROM customers`;
    const { modelId, sha256, features: named } = features;
    spec['scoringModels'][0] = {
      modelId,
      sha256,
      features: named,
      endpoint: `onnx://${tree}/churn-risk-v6.onnx`,
      batchSize: 7,
    };
  });
  const made: Record<string, string>[] = [];
  for (const shards of ['1', '2', '5']) {
    const data = shop.path(`state-${shards}`);
    const args = ['run', program, '--now', NOW, '--shards', shards, '--data', data, '--output', 'json'];
    const { status, stderr } = await shop.holdfast(args);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    made.push(await digests(data));
  }
  const [alone, ...divided] = made;
  expect(Object.keys(alone ?? {}).length).toBeGreaterThan(10);
  for (const one of divided) expect(one).toEqual(alone);
});

test('a model that is not there any more when a process loads it ends the run with its own error', async () => {
  const program = await shop.program((spec) => {
    spec['scoringModels'][0].features = ['engagement_score', 'no_such_column'];
  });
  const { status, stderr } = await shop.holdfast(['run', program, '--shards', '2', '--now', NOW]);
  expect(status).toBe(78);
  expect(stderr).toMatch(/HF_(MODEL_REFUSED|COLUMN_MISSING): /);
});

test('an interrupted run ends its processes, and the next one is right', async () => {
  const program = await shop.program();
  const first = await shop.holdfast(['run', program, '--shards', '3', '--now', NOW], {
    watch: (text, abort) => {
      if (text.startsWith('filter')) abort.abort(new HoldfastError('HF_INTERRUPTED', 'stopped'));
    },
  });
  expect(first.stderr).toContain('HF_INTERRUPTED');
  expect(first.status).toBe(1);
  const { status, stdout } = await shop.holdfast(['run', program, '--shards', '3', '--now', NOW, '-o', 'json']);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ phase: 'Succeeded' });
});

test.each(['0', '65', '-1', '1.5', 'two', ''])('--shards %j is refused', async (shards) => {
  const { status, stderr } = await shop.holdfast(['run', await shop.program(), '--shards', shards]);
  expect(status).toBe(78);
  expect(stderr).toContain('HF_USAGE: --shards');
});
