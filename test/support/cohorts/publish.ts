import { publishBatch } from '../../../database/batches/publish.ts';
import { transaction } from '../../../database/client/transaction.ts';
import type { Stage } from '../../../jobs/run/stage.ts';
import type { CohortsSpec } from './split.ts';

/** Makes the cohorts the current ones of their series. */
export const publish: Stage<CohortsSpec> = async ({ identity, inputs, database, now }) => {
  const rows = inputs['split']?.manifest.rows ?? 0;
  await transaction(database!, { doing: 'publish cohorts' }, (client) => publishBatch(client, identity, now()));
  return { rowsIn: rows, rowsOut: rows, counts: {} };
};
