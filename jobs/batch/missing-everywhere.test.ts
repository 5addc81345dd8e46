import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openEngine } from '../../base/duckdb/engine.ts';
import { writeParquet } from '../../base/duckdb/parquet.ts';
import { programSpec } from '../../test/support/program.ts';
import { collapsed, missingEverywhere, missingWarnings } from './missing-everywhere.ts';

const QUALITY = { maxRejectedShare: 0.01, minRowsVersusLastRun: 0.5 };

async function found(optedOut: string, engagement = '0.5') {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-missing-'));
  try {
    await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: folder });
    const file = join(folder, 'candidates.parquet');
    await writeParquet(
      engine,
      `SELECT i AS customer_id, 'US' AS marketplace, ${optedOut} AS opted_out, ${engagement} AS engagement_score FROM range(500) AS n (i)`,
      file,
    );
    const filterChain = [{ filterId: 'eligible', type: 'eligibility', order: 1 } as const];
    return await missingEverywhere(engine, programSpec({ filterChain }), file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test.each([
  ['missing in every row', 'CAST(NULL AS BOOLEAN)', 500],
  ['missing in nearly every row', 'CASE WHEN i < 4 THEN false END', 496],
])(
  'a column %s that a filter reads is told, and keeps an empty batch from the place of the last',
  async (_, sql, missing) => {
    const broken = await found(sql);
    expect(broken).toEqual([{ column: 'opted_out', filterIds: ['eligible'], modelIds: [], missing, rows: 500 }]);
    expect(missingWarnings(broken)).toEqual([
      `opted_out, which the filter eligible reads, is missing in ${missing} of 500 rows.`,
    ]);
    expect(collapsed(broken, 0, true, QUALITY)).toMatchObject({ code: 'HF_CANDIDATES_COLLAPSED' });
    expect(collapsed(broken, 300, true, QUALITY)).toBeUndefined();
    expect(collapsed(broken, 0, false, QUALITY)).toBeUndefined();
    expect(collapsed(broken, 0, true, { ...QUALITY, acceptEmptyBatch: true })).toBeUndefined();
  },
);

test('a column with gaps is no broken one, and nobody left without one is no collapse', async () => {
  const sound = await found('CASE WHEN i < 50 THEN false END');
  expect(sound).toEqual([]);
  expect(collapsed(sound, 0, true, QUALITY)).toBeUndefined();
});

test('a column that the model reads is told when hardly any row has it, and is no reason to keep the last batch', async () => {
  const broken = await found('false', 'CAST(NULL AS DOUBLE)');
  expect(missingWarnings(broken)).toEqual([
    'engagement_score, which the model risk reads, is missing in 500 of 500 rows.',
  ]);
  expect(collapsed(broken, 0, true, QUALITY)).toBeUndefined();
});
