import { expect, test } from '@jest/globals';
import { RUNNABLE_WITH_CAMPAIGN } from '../../test/support/runnable.ts';
import type { Where } from '../cluster/where.ts';
import type { Io } from '../io.ts';
import { backfillOnCluster } from './cluster-backfill.ts';

test('of what reaches people there is no backfill, by the table of whoever asks; no cluster is asked', async () => {
  const options = { from: '2026-11-02', to: '2026-11-16', max: '10', pipeline: 'campaign' as 'batch' };
  const asked = backfillOnCluster(
    'keep',
    { ...options, output: 'text' } as Parameters<typeof backfillOnCluster>[1],
    { in: 'cluster' } as Extract<Where, { in: 'cluster' }>,
    { runnable: RUNNABLE_WITH_CAMPAIGN } as unknown as Io,
  );
  await expect(asked).rejects.toMatchObject({ code: 'HF_SLOT_REFUSED' });
});
