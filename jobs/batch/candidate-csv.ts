import { type Engine, identifier, literal } from '../../base/duckdb/engine.ts';
import { parquetColumns } from '../../base/duckdb/parquet.ts';
import { STORED_COLUMNS } from '../../database/candidates/store-candidates.ts';

/** What every row of a batch shares. */
export interface BatchFacts {
  readonly namespace: string;
  readonly program: string;
  readonly run: string;
  readonly slot: Date;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

type StoredColumn = (typeof STORED_COLUMNS)[number];
type BatchColumn = 'namespace' | 'program' | 'run' | 'slot' | 'created_at' | 'expires_at';

const SQL_TYPES: Readonly<
  Record<Exclude<StoredColumn, BatchColumn>, 'VARCHAR' | 'DOUBLE' | 'INTEGER' | 'BOOLEAN' | 'VARCHAR[]'>
> = {
  customer_id: 'VARCHAR',
  marketplace: 'VARCHAR',
  currency: 'VARCHAR',
  timezone: 'VARCHAR',
  locale: 'VARCHAR',
  subscription_tier: 'VARCHAR',
  lifetime_value: 'DOUBLE',
  churn_signals: 'VARCHAR[]',
  segment: 'VARCHAR',
  risk_score: 'DOUBLE',
  risk_level: 'VARCHAR',
  risk_reasons: 'VARCHAR[]',
  offer_tier: 'VARCHAR',
  offer_kind: 'VARCHAR',
  discount: 'DOUBLE',
  duration_months: 'INTEGER',
  include_upgrade: 'BOOLEAN',
  include_personal_call: 'BOOLEAN',
  arm: 'VARCHAR',
  epoch: 'INTEGER',
};

/** Where the artifact's name is another: there the unit is in its documentation, in the table in the name. */
const NAMES_IN_ARTIFACT: Readonly<Partial<Record<StoredColumn, string>>> = { duration_months: 'duration' };

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
  const shared: Readonly<Record<BatchColumn, string>> = {
    namespace: batch.namespace,
    program: batch.program,
    run: batch.run,
    slot: batch.slot.toISOString(),
    created_at: batch.createdAt.toISOString(),
    expires_at: batch.expiresAt.toISOString(),
  };
  const columns = STORED_COLUMNS.map((column) => {
    const expression = isShared(column) ? literal(shared[column]) : fieldOf(column, present);
    return `${expression} AS ${identifier(column)}`;
  });
  const quoted = STORED_COLUMNS.filter((column) => isShared(column) || SQL_TYPES[column].startsWith('VARCHAR'));
  await engine.run(
    `COPY (SELECT ${columns.join(', ')} FROM read_parquet(${literal(decisions)}))
     TO ${literal(csv)} (FORMAT csv, HEADER false, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR '', FORCE_QUOTE (${quoted.map(identifier).join(', ')}))`,
  );
}

function isShared(column: StoredColumn): column is BatchColumn {
  return !(column in SQL_TYPES);
}

function fieldOf(column: Exclude<StoredColumn, BatchColumn>, present: ReadonlySet<string>): string {
  const name = NAMES_IN_ARTIFACT[column] ?? column;
  const type = SQL_TYPES[column];
  const value = `CAST(${present.has(name) ? identifier(name) : 'NULL'} AS ${type})`;
  if (type !== 'VARCHAR[]') return value;
  return column === 'churn_signals' ? arrayLiteral(`COALESCE(${value}, [])`) : arrayLiteral(value);
}

/** `{"a","b"}` with quotes and backslashes escaped; missing when there is no list. */
function arrayLiteral(list: string): string {
  const escaped = `replace(replace(element, '\\', '\\\\'), '"', '\\"')`;
  const elements = `list_transform(${list}, lambda element: '"' || ${escaped} || '"')`;
  return `CASE WHEN ${list} IS NOT NULL THEN '{' || COALESCE(array_to_string(${elements}, ','), '') || '}' END`;
}
