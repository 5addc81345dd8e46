import { identifier } from '../../base/duckdb/engine.ts';
import { ColumnAppender, copyDoubles, texts } from '../../base/duckdb/vectors.ts';
import { HOLDOUT_KEY_VARIABLE } from '../../contract/credentials.ts';
import { told } from '../../contract/warning.ts';
import { inputOf, writeParts } from '../run/parts.ts';
import type { BatchContext, BatchStage } from './batch-stage.ts';
import { countDecisions } from './decision-counts.ts';
import { defaultHoldoutKey, holdoutArm } from './holdout.ts';
import { TERM_COLUMNS, termsByRiskLevel, termsTable } from './offer-terms.ts';
import { countRows, type RowByRow, replaced, rowByRow } from './row-by-row.ts';

const ADDED_COLUMNS = [...Object.keys(TERM_COLUMNS), 'arm', 'epoch'];

export interface OfferOptions {
  /** Secret key of the holdout's assignment; the program's name when absent. */
  readonly holdoutKey?: string | undefined;
}

/**
 * Decides once, for each scored candidate: the terms that its risk level may get, and whether it is held out.
 * The models' recommendation stays beside them. Part: `decisions.parquet`.
 * @throws HF_DISK_FULL, HF_INTERRUPTED
 */
export function offerStage(options: OfferOptions): BatchStage {
  return (context) => {
    const artifact = inputOf(context, 'score');
    const { identity, spec: program } = context;
    const rows = { stage: 'offer', artifact, file: 'scored.parquet' };
    return writeParts(context, 'offer', (parts) =>
      rowByRow(context, rows, async (engines) => {
        const { source, sink, table, columns } = engines;
        const rowsIn = await countRows(source, table);
        const key = options.holdoutKey ?? defaultHoldoutKey(identity.namespace, program.programId);
        await assignArms(engines, key, rowsIn, context);

        const dropped = replaced(columns, ADDED_COLUMNS);
        const terms = termsByRiskLevel(program.offerStrategy);
        const select = decisions(table, termsTable(terms), program.holdout.epoch, dropped);
        const rowsOut = await parts.write(sink, 'decisions.parquet', select);
        const counts = await countDecisions(sink, parts.path('decisions.parquet'), {
          kinds: Object.keys(artifact.manifest.counts['offerKinds'] ?? {}),
          tiers: [...new Set(terms.map(({ offerType }) => offerType))],
        });
        return {
          rowsIn,
          rowsOut,
          counts,
          artifact: await parts.commit({ rows: rowsOut, counts }),
          warnings: told(
            'COLUMN_REPLACED',
            dropped.length === 0 ? [] : [`The query has ${dropped.join(', ')}, which the decisions replace.`],
          ),
        };
      }),
    );
  };
}

/** The stage with what the environment gives it. */
export const offer: BatchStage = (context) =>
  offerStage({ holdoutKey: process.env[HOLDOUT_KEY_VARIABLE] || undefined })(context);

async function assignArms(
  { source, sink, table }: RowByRow,
  key: string,
  total: number,
  context: BatchContext,
): Promise<void> {
  const { share, epoch } = context.spec.holdout;
  using arms = await ColumnAppender.create(sink, 'arms', { row_number: 'INTEGER', held_out: 'INTEGER' });
  let done = 0;
  for await (const chunk of source.chunks(`SELECT CAST(file_row_number AS DOUBLE), customer_id FROM ${table}`)) {
    const rowNumbers = new Float64Array(chunk.rowCount);
    copyDoubles(chunk, 0, { start: 0, count: chunk.rowCount }, rowNumbers, 0, 1);
    const heldOut = Int8Array.from(texts(chunk, 1), (id) =>
      holdoutArm(key, epoch, id ?? '', share) === 'holdout' ? 1 : 0,
    );
    arms.append([rowNumbers, heldOut], chunk.rowCount);
    done += chunk.rowCount;
    context.progress(done, total);
    context.signal.throwIfAborted();
  }
}

function decisions(table: string, terms: string, epoch: number, dropped: readonly string[]): string {
  const without = ['file_row_number', ...dropped].map(identifier).join(', ');
  const termColumns = Object.keys(TERM_COLUMNS).map((name) => `terms.${name}`);
  return `
    SELECT
      candidate.* EXCLUDE (${without}),
      ${termColumns.join(', ')},
      CASE arms.held_out WHEN 1 THEN 'holdout' ELSE 'treatment' END AS arm,
      CAST(${epoch} AS INTEGER) AS epoch
    FROM ${table} AS candidate
    JOIN arms ON candidate.file_row_number = arms.row_number
    LEFT JOIN (${terms}) AS terms ON candidate.risk_level = terms.risk_level
    ORDER BY candidate.customer_id`;
}
