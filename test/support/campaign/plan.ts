import type { BatchStage } from '../../../jobs/batch/batch-stage.ts';
import { withEngine } from '../../../jobs/run/in-stage.ts';
import { writeParts } from '../../../jobs/run/parts.ts';

/** Plans one delivery in each marketplace of the program. */
export const plan: BatchStage = (context) =>
  writeParts(context, 'plan', (parts) =>
    withEngine(context, 'plan', async (engine) => {
      const marketplaces = context.spec.marketplaces.map((code) => `('${code}')`).join(', ');
      const rows = await parts.write(
        engine,
        'deliveries.parquet',
        `SELECT * FROM (VALUES ${marketplaces}) AS d (country)`,
      );
      const given = Object.keys(context.inputs).length;
      return { rowsIn: 0, rowsOut: rows, counts: { given }, artifact: await parts.commit({ rows, counts: {} }) };
    }),
  );
