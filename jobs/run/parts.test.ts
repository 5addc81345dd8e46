import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { HoldfastError } from '../../base/errors.ts';
import { type Batch, openBatch } from '../../test/support/batch.ts';
import { withEngine } from './in-stage.ts';
import { writeParts } from './parts.ts';

let batch: Batch;
beforeEach(async () => {
  batch = await openBatch();
});
afterEach(async () => batch[Symbol.asyncDispose]());

test('an artifact has the parts in the order they were written, each with its rows and columns', async () => {
  const context = batch.context({});
  const made = await writeParts(context, 'cut', (parts) =>
    withEngine(context, 'cut', async (engine) => {
      const rows = await parts.write(
        engine,
        'wide.parquet',
        `SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, 'y' ORDER BY a`,
      );
      await parts.write(
        engine,
        'narrow.parquet',
        `SELECT a FROM read_parquet('${parts.path('wide.parquet')}') LIMIT 1`,
      );
      await parts.copy(engine, 'again.parquet', parts.path('narrow.parquet'), 1);
      return parts.commit({ rows, counts: { kept: 2 } });
    }),
  );
  const [wide, narrow, again] = made.manifest.parts;
  expect(made.manifest).toMatchObject({ stage: 'cut', rows: 2, counts: { kept: 2 } });
  expect(wide).toMatchObject({
    path: 'wide.parquet',
    rows: 2,
    schema: [{ name: 'a', type: 'INTEGER' }, { name: 'b' }],
  });
  expect(narrow).toMatchObject({ path: 'narrow.parquet', rows: 1, schema: [{ name: 'a', type: 'INTEGER' }] });
  expect(again).toEqual({ ...narrow, path: 'again.parquet' });
});

test.each([
  ['before the next part', true],
  ['before the commit', false],
])('a run that is aborted %s leaves nothing of it', async (_when, writesNext) => {
  const abort = new AbortController();
  const reason = new HoldfastError('HF_INTERRUPTED', 'stopped');
  const context = batch.context({}, { signal: abort.signal });
  let folder = '';
  const work = writeParts(context, 'cut', async (parts) => {
    folder = dirname(parts.path(''));
    await withEngine(context, 'cut', (engine) => parts.write(engine, 'first.parquet', 'SELECT 1 AS a'));
    abort.abort(reason);
    if (!writesNext) return parts.commit({ rows: 1, counts: {} });
    return parts.copy({} as never, 'next.parquet', parts.path('first.parquet'), 1);
  });
  await expect(work).rejects.toBe(reason);
  expect(await readdir(folder)).toEqual([]);
});

test('what was kept of a failed artifact stays, and the artifact is not there', async () => {
  const context = batch.context({});
  let kept = '';
  const work = writeParts(context, 'cut', (parts) =>
    withEngine(context, 'cut', async (engine) => {
      await parts.write(engine, 'rejects.parquet', 'SELECT 1 AS row');
      kept = await parts.keep('rejects.parquet');
      throw new HoldfastError('HF_REJECTS_OVER_THRESHOLD', 'too many');
    }),
  );
  await expect(work).rejects.toMatchObject({ code: 'HF_REJECTS_OVER_THRESHOLD' });
  expect(existsSync(kept)).toBe(true);
  expect(await readdir(join(dirname(kept), '..'))).toEqual(['1.failed']);
});
