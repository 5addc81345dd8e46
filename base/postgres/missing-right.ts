/** What a role that does this work needs, by the kind of object that Postgres names. */
type Needs = Readonly<Record<'database' | 'schema' | 'table', (object: string) => string>>;

/** Of the system of record: every table, so that the next one is not refused in its turn. */
const RECORD_READER: Needs = {
  database: (name) => `CONNECT ON DATABASE ${name}`,
  schema: (name) => `USAGE ON SCHEMA ${name}`,
  table: () => 'SELECT ON ALL TABLES IN SCHEMA holdfast',
};
const RECORD_WRITER: Needs = {
  database: (name) => `CREATE ON DATABASE ${name}`,
  schema: (name) => `USAGE, CREATE ON SCHEMA ${name}`,
  table: () => 'SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA holdfast',
};
/** Every table of the schema, which the server does not name: the query, or the search path, has it. */
const WAREHOUSE_READER: Needs = {
  ...RECORD_READER,
  table: (name) => `SELECT ON ALL TABLES IN SCHEMA <that of ${name}>`,
};
export const NEEDS = { RECORD_READER, RECORD_WRITER, WAREHOUSE_READER };

const DENIED =
  /permission denied for (database|schema|table|view|materialized view|foreign table|relation) "?([^\n]*?)"?$/;
const NOT_OWNER = /must be owner of (table|view|materialized view|relation|schema) "?([^\n]*?)"?$/;

/**
 * What the server says (SQLSTATE 42501), the role that lacks the right, and the statement with which the owner of the object
 * gives it. Where the server speaks another language than English, or means something else, there is no statement.
 * @param role as the server knows it
 */
export function missingRight(said: string, role: string, needs: Needs): string {
  const denied = DENIED.exec(said);
  const owned = NOT_OWNER.exec(said);
  const lacks = `${said}, and the role is ${role}`;
  const to = quoted(role);
  if (denied !== null) {
    const [, kind = '', object = ''] = denied;
    const need = kind === 'database' || kind === 'schema' ? needs[kind] : needs.table;
    return `${lacks}: GRANT ${need(quoted(object))} TO ${to}`;
  }
  if (owned !== null) {
    const [, kind = '', object = ''] = owned;
    const what =
      kind === 'schema'
        ? `SCHEMA ${quoted(object)}`
        : `${kind === 'view' ? 'VIEW' : 'TABLE'} holdfast.${quoted(object)}`;
    return `${lacks}: connect as its owner, or ALTER ${what} OWNER TO ${to}`;
  }
  return lacks;
}

/** An identifier as it is written in SQL. */
export function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
