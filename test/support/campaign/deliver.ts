import type { BatchStage } from '../../../jobs/batch/batch-stage.ts';

/** Delivers what was planned: to nobody. Its counts are the rows of each artifact that it was given. */
export const deliver: BatchStage = async ({ inputs }) => {
  const given = Object.entries(inputs).map(([stage, { manifest }]) => [stage, manifest.rows] as const);
  const planned = inputs['plan']?.manifest.rows ?? 0;
  return { rowsIn: planned, rowsOut: planned, counts: { given: Object.fromEntries(given) } };
};
