import { type Engine, identifier, literal } from '../../base/duckdb/engine.ts';
import { parquetColumns } from '../../base/duckdb/parquet.ts';
import { BATCH_COLUMNS } from '../../customers/columns/added-columns.ts';
import { STORED_COLUMNS, type StoredColumn } from '../../customers/columns/stored-columns.ts';

/** What every row of a batch shares. */
export interface BatchFacts {
  readonly namespace: string;
  readonly owner: string;
  readonly run: string;
  readonly slot: Date;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/**
 * Writes the decisions as the CSV that Postgres' COPY reads back exactly: texts quoted (so that an empty one is not
 * a missing one), doubles in the fewest digits that give the same double, lists as array literals. A column that the
 * program's query did not have is missing in every row.
 */
export async function writeCandidateCsv(
  engine: Engine,
  decisions: string,
  batch: BatchFacts,
  csv: string,
): Promise<void> {
  const present = new Set((await parquetColumns(engine, decisions)).map(({ name }) => name.toLowerCase()));
  const shared: Readonly<Partial<Record<string, string>>> = {
    namespace: batch.namespace,
    program: batch.owner,
    run: batch.run,
    slot: batch.slot.toISOString(),
    created_at: batch.createdAt.toISOString(),
    expires_at: batch.expiresAt.toISOString(),
  } satisfies Record<(typeof BATCH_COLUMNS)[number]['name'], string>;
  const columns = STORED_COLUMNS.map((column) => {
    const value = shared[column.name];
    return `${value === undefined ? fieldOf(column, present) : literal(value)} AS ${identifier(column.name)}`;
  });
  const quoted = STORED_COLUMNS.filter(({ name, type }) => name in shared || type.startsWith('VARCHAR'));
  await engine.run(
    `COPY (SELECT ${columns.join(', ')} FROM read_parquet(${literal(decisions)}))
     TO ${literal(csv)} (FORMAT csv, HEADER false, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR '', FORCE_QUOTE (${quoted.map(({ name }) => identifier(name)).join(', ')}))`,
  );
}

function fieldOf({ artifactName, type, stored }: StoredColumn, present: ReadonlySet<string>): string {
  const value = `CAST(${present.has(artifactName) ? identifier(artifactName) : 'NULL'} AS ${type})`;
  if (type !== 'VARCHAR[]') return value;
  return arrayLiteral(stored.required === true ? `COALESCE(${value}, [])` : value);
}

/** `{"a","b"}` with quotes and backslashes escaped; missing when there is no list. */
function arrayLiteral(list: string): string {
  const all = `array_to_string(${list}, '')`;
  // As nearly all lists are: nothing in them to escape, and something in them.
  const isPlain = `${all} <> '' AND NOT contains(${all}, '"') AND NOT contains(${all}, '\\')`;
  const escaped = `replace(replace(element, '\\', '\\\\'), '"', '\\"')`;
  const elements = `list_transform(${list}, lambda element: '"' || ${escaped} || '"')`;
  return `CASE WHEN ${isPlain} THEN '{"' || array_to_string(${list}, '","') || '"}'
    WHEN ${list} IS NOT NULL THEN '{' || COALESCE(array_to_string(${elements}, ','), '') || '}' END`;
}
