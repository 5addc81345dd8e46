import type { Engine } from './engine.ts';
import { ALLOWED_FAMILY, ALLOWED_FUNCTIONS, ALLOWED_TABLE_FUNCTIONS, REFUSED_VIEWS } from './function-names.ts';

/** What a SELECT can take its rows from. Any other kind, such as SHOW, is refused. */
const TABLE_REFERENCES: ReadonlySet<unknown> = new Set([
  'BASE_TABLE',
  'SUBQUERY',
  'JOIN',
  'TABLE_FUNCTION',
  'EXPRESSION_LIST',
  'EMPTY',
  'PIVOT',
  'COLUMN_DATA',
]);

/**
 * Why a SELECT must not run, if it must not: a function that may have an effect beyond its value, wherever it is called,
 * also in the views, macros and computed columns of the database that the SELECT uses.
 * @param statement as `json_serialize_sql` gives it
 */
export async function refusedCall(engine: Engine, statement: unknown): Promise<string | undefined> {
  const stored = await storedDefinitions(engine);
  const visited = new Set<string>();
  const waiting: unknown[] = [statement];
  const use = async (kind: Kind, name: string): Promise<string | undefined> => {
    const key = `${kind} ${name}`;
    if (visited.has(key)) return undefined;
    visited.add(key);
    return await read(stored[kind].get(name) ?? []);
  };
  const read = async (definitions: readonly string[]): Promise<string | undefined> => {
    for (const sql of definitions) {
      const parsed = await parse(engine, sql);
      if (parsed === undefined) return 'it uses a view or a macro that cannot be checked';
      waiting.push(parsed);
    }
    return undefined;
  };
  const unreadable = await read(stored.shadows);
  if (unreadable !== undefined) return unreadable;
  while (waiting.length > 0) {
    for (const used of usesOf(waiting.pop())) {
      const refused = verdict(used, stored) ?? (await use(used.kind, used.name));
      if (refused !== undefined) return refused;
    }
  }
  return undefined;
}

/** What a statement uses, by its name in lower case. */
interface Use {
  readonly kind: Kind;
  readonly name: string;
  /** A kind of reference that is on no list. */
  readonly isOther?: boolean;
}

/** `tables` are views too. */
type Kind = 'functions' | 'tableFunctions' | 'tables';

/**
 * SQL that a database keeps under a name in lower case: of macros, views and computed columns. The names of DuckDB's own
 * functions have none.
 */
interface Stored extends Readonly<Record<Kind, ReadonlyMap<string, readonly string[]>>> {
  /**
   * Names of DuckDB's own functions and views. Where a database has one of the same name, the schema in front of it says
   * which is meant: it is both.
   */
  readonly own: Readonly<Record<Kind, ReadonlySet<string>>>;
  /** Macros under the name of a function of DuckDB: whatever is asked, also by us, may call them. */
  readonly shadows: readonly string[];
}

function verdict({ kind, name, isOther }: Use, stored: Stored): string | undefined {
  if (isOther === true) return 'it is not a SELECT of rows';
  const isOwn = stored.own[kind].has(name);
  const isRefused = {
    functions: () => isOwn && !ALLOWED_FUNCTIONS.has(name) && !ALLOWED_FAMILY.test(name),
    tableFunctions: () => isOwn && !ALLOWED_TABLE_FUNCTIONS.has(name),
    tables: () => (isOwn || !stored.tables.has(name)) && REFUSED_VIEWS.test(name),
  }[kind]();
  if (!isRefused) return undefined;
  const what = kind === 'tables' ? 'reads' : 'calls';
  return `it ${what} ${name}, which is not among what a query may use: functions that compute a value, without any other effect`;
}

function* usesOf(statement: unknown): Iterable<Use> {
  const waiting: unknown[] = [statement];
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (typeof node !== 'object' || node === null) continue;
    const { function_name, type, table_name, function: called } = node as Record<string, unknown>;
    if (typeof function_name === 'string') yield { kind: 'functions', name: function_name.toLowerCase() };
    if ('sample' in node && 'alias' in node && !TABLE_REFERENCES.has(type))
      yield { kind: 'tables', name: '', isOther: true };
    if (type === 'BASE_TABLE') yield { kind: 'tables', name: String(table_name).toLowerCase() };
    if (type === 'TABLE_FUNCTION') {
      const { function_name: name, ...rest } = called as Record<string, unknown>;
      yield { kind: 'tableFunctions', name: String(name).toLowerCase() };
      waiting.push(...Object.values({ ...node, function: undefined }), ...Object.values(rest));
    } else waiting.push(...Object.values(node));
  }
}

/** What DuckDB has under which name, its own and the database's. Nothing here calls what a macro could stand for. */
async function storedDefinitions(engine: Engine): Promise<Stored> {
  const functions = await engine.rows<{ name: string; type: string; internal: boolean; sql: string | null }>(`
    SELECT DISTINCT function_name AS name, function_type AS type, internal, macro_definition AS sql
    FROM system.main.duckdb_functions()`);
  const tables = await engine.rows<{ name: string; internal: boolean; view: string | null; computed: string | null }>(`
    SELECT view_name AS name, internal, CASE WHEN NOT internal THEN sql END AS view, NULL AS computed
    FROM system.main.duckdb_views()
    UNION ALL SELECT table_name, false, NULL, column_default FROM system.main.duckdb_columns() WHERE NOT internal`);
  const stored: Record<Kind, Map<string, string[]>> = {
    functions: new Map(),
    tableFunctions: new Map(),
    tables: new Map(),
  };
  const keep = (kind: Kind, name: string, sql: string | null) => {
    const key = name.toLowerCase();
    stored[kind].set(key, [...(stored[kind].get(key) ?? []), ...(sql === null ? [] : [sql])]);
  };
  const own: Record<Kind, Set<string>> = { functions: new Set(), tableFunctions: new Set(), tables: new Set() };
  const kindOf = (type: string): Kind => (type.startsWith('table') ? 'tableFunctions' : 'functions');
  for (const { name, type, internal } of functions) if (internal) own[kindOf(type)].add(name.toLowerCase());
  const shadows: string[] = [];
  for (const { name, type, internal, sql } of functions) {
    const kind = kindOf(type);
    const select = internal || sql === null ? null : kind === 'tableFunctions' ? sql : `SELECT ${sql}`;
    keep(kind, name, select);
    if (select !== null && (own.functions.has(name.toLowerCase()) || own.tableFunctions.has(name.toLowerCase()))) {
      shadows.push(select);
    }
  }
  for (const { name, internal, view, computed } of tables) {
    if (internal) own.tables.add(name.toLowerCase());
    else keep('tables', name, view === null ? (computed === null ? null : `SELECT ${computed}`) : selectOf(view));
  }
  return { ...stored, own, shadows };
}

const NAME = String.raw`(?:"(?:[^"]|"")*"|[^\s"().,]+)`;
const VIEW = new RegExp(
  String.raw`^CREATE (?:OR REPLACE )?(?:TEMP(?:ORARY)? )?VIEW (?:IF NOT EXISTS )?${NAME}(?:\.${NAME})*\s*(?:\(${NAME}(?:,\s*${NAME})*\))?\s+AS\s+`,
  'i',
);

/** The SELECT of a view's definition; anything else as it is. */
function selectOf(sql: string): string {
  return sql.replace(VIEW, '');
}

/** A statement as it is parsed, without looking at what it names; undefined when it is not one SELECT. */
async function parse(engine: Engine, sql: string): Promise<unknown> {
  const [row] = await engine.rows<{ parsed: string }>('SELECT system.main.json_serialize_sql($1::VARCHAR) AS parsed', [
    sql,
  ]);
  const parsed = JSON.parse(row?.parsed ?? '') as { readonly error: boolean; readonly statements?: readonly unknown[] };
  return parsed.error || parsed.statements?.length !== 1 ? undefined : parsed.statements[0];
}
