import type { OwnerSpec } from '../../../contract/owner.ts';
import { withEngine } from '../../../jobs/run/in-stage.ts';
import { writeParts } from '../../../jobs/run/parts.ts';
import type { ShardedStage, Stage } from '../../../jobs/run/stage.ts';

/** A series has none of what a program has but its id, and what it is about. */
export interface CohortsSpec extends OwnerSpec {
  readonly series: string;
  readonly cohorts: number;
}

/** Makes as many cohorts as the series asks for. */
export const split: Stage<CohortsSpec> = (context) =>
  writeParts(context, 'split', (parts) =>
    withEngine(context, 'split', async (engine) => {
      const select = `SELECT range AS cohort FROM range(${context.spec.cohorts})`;
      const rows = await parts.write(engine, 'cohorts.parquet', select);
      return { rowsIn: 0, rowsOut: rows, counts: {}, artifact: await parts.commit({ rows, counts: {} }) };
    }),
  );

const undivided = () => Promise.reject(new Error('the series names no count of shards, so that there is one'));

export const shardedSplit: ShardedStage<CohortsSpec> = { shard: undivided, gather: undivided };
