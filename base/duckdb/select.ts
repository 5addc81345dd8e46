import { refusedCall } from './called-functions.ts';
import { type Engine, identifier } from './engine.ts';
import type { ColumnShape } from './parquet.ts';

/** Why a text is not one plain SELECT. */
export interface Refusal {
  readonly refused: string;
}

/**
 * Makes a temporary view of a SELECT that a person wrote, semicolons and comments at its end included, without
 * running it. Whatever is not one single SELECT without parameters, or calls what may have an effect, is refused; errors in
 * what it names are thrown.
 */
export async function defineSelect(
  engine: Engine,
  view: string,
  sql: string,
): Promise<readonly ColumnShape[] | Refusal> {
  const refused = await refusal(engine, sql);
  if (refused !== undefined) return { refused };
  const columns = await columnsOf(engine, sql);
  if (columns === undefined) return { refused: 'it has parameters' };
  const twice = repeated(columns.map(({ name }) => name));
  if (twice !== undefined) return { refused: `it gives the column ${twice} twice` };
  try {
    await engine.run(`CREATE OR REPLACE TEMP VIEW ${identifier(view)} AS ${sql}`);
  } catch (error) {
    // SHOW and DESCRIBE are SELECTs to DuckDB's parser, but not to a view.
    if ((error as Error).message.startsWith('Parser Error')) return { refused: 'it is not a SELECT' };
    throw error;
  }
  return columns;
}

/**
 * Why a text must not run as one plain SELECT, if it must not. It is parsed and not bound, so that nothing of the warehouse
 * needs to exist, and nothing of it has an effect.
 */
export async function refusal(engine: Engine, sql: string): Promise<string | undefined> {
  const [row] = await engine.rows<{ parsed: string }>('SELECT system.main.json_serialize_sql($1::VARCHAR) AS parsed', [
    sql,
  ]);
  const parsed = JSON.parse(row?.parsed ?? '') as
    | { readonly error: false; readonly statements: readonly unknown[] }
    | { readonly error: true; readonly error_type: string; readonly error_message: string };
  if (parsed.error)
    return parsed.error_type === 'parser' ? `DuckDB finds a ${parsed.error_message}` : 'it is not a SELECT';
  if (parsed.statements.length === 0) return 'it is empty';
  if (parsed.statements.length > 1) return `it holds ${parsed.statements.length} statements`;
  return refusedCall(engine, parsed.statements[0]);
}

/** Columns of a SELECT under the names that it gives them; undefined when it has parameters. */
async function columnsOf(engine: Engine, sql: string): Promise<ColumnShape[] | undefined> {
  const statement = await (await engine.connection.extractStatements(sql)).prepare(0);
  try {
    if (statement.parameterCount > 0) return undefined;
    return Array.from({ length: statement.columnCount }, (_, index) => ({
      name: statement.columnName(index),
      type: statement.columnType(index).toString(),
    }));
  } finally {
    statement.destroySync();
  }
}

function repeated(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name.toLowerCase())) return name;
    seen.add(name.toLowerCase());
  }
  return undefined;
}
