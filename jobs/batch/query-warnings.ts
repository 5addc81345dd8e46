import { type Engine, identifier, literal } from '../../base/duckdb/engine.ts';
import { printable, shortened } from '../../base/text/printable.ts';
import { isWarning, type RawExtract } from './candidate-rows.ts';

/** Sentences that a warning lists, and characters of each. */
const MOST_NAMED = 5;
const LONGEST = 300;

/** What the query itself warns of in a raw extract, each with its rows where these are not all. */
export async function queryWarnings(engine: Engine, { connectorId, file, columns }: RawExtract): Promise<string[]> {
  const column = columns.find(isWarning);
  if (column === undefined) return [];
  const texts = `SELECT unnest(string_split(CAST(${identifier(column.name)} AS VARCHAR), '; ')) AS warning FROM read_parquet(${literal(file)})`;
  const found = await engine.rows<{ warning: string; rows: string; total: string }>(
    `SELECT warning, count(*) AS rows, (SELECT count(*) FROM read_parquet(${literal(file)})) AS total
     FROM (${texts}) AS warnings WHERE warning <> '' GROUP BY warning ORDER BY rows DESC, warning LIMIT ${MOST_NAMED}`,
  );
  return found.map(({ warning, rows, total }) => {
    const share = rows === total ? '' : ` (${rows} of ${total} rows)`;
    return `Connector ${connectorId}: ${shortened(printable(warning), LONGEST)}${share}.`;
  });
}
