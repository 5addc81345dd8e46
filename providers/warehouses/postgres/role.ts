import type { TextRow } from '../../../base/duckdb/text-appender.ts';

/** Parameter of the connection's URL, which is whose secret it is: who may change a program cannot allow it. */
const ALLOWED = 'privileged_role';

/** Roles of Postgres whose members reach beyond its tables. */
const BEYOND_TABLES = ['pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program'];

/**
 * Why a role that reads a warehouse is refused: a query could read the server's files or run its programs with it.
 * Undefined where its rights are those of a reader, or where the URL says `privileged_role=allow`.
 */
export async function excessiveRights(
  session: { rows(sql: string, values: readonly unknown[]): Promise<readonly TextRow[]> },
  url: string,
): Promise<string | undefined> {
  if (new URL(url).searchParams.get(ALLOWED) === 'allow') return undefined;
  const [row] = await session.rows(ROLE, [BEYOND_TABLES]);
  const [isSuperuser, memberOf] = row ?? [];
  if (isSuperuser !== 't' && memberOf === '') return undefined;
  const what = isSuperuser === 't' ? 'is a superuser' : `is a member of ${memberOf}`;
  return (
    `the role of its connection ${what}, so that a query could read files of the server or run its programs. ` +
    "Make one that can only read: CREATE ROLE holdfast_reader LOGIN PASSWORD '…'; " +
    'GRANT USAGE ON SCHEMA analytics TO holdfast_reader; GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO holdfast_reader; ' +
    `or add ${ALLOWED}=allow to the parameters of the connection.`
  );
}

/** Of the role that has logged in as well: a query can go back to it. */
const ROLE = `
  SELECT coalesce(bool_or(rolsuper), false), (
    SELECT coalesce(string_agg(rolname, ', ' ORDER BY rolname), '') FROM pg_catalog.pg_roles AS beyond
    WHERE rolname = ANY ($1) AND (pg_has_role(session_user, oid, 'MEMBER') OR pg_has_role(current_user, oid, 'MEMBER')))
  FROM pg_catalog.pg_roles WHERE rolname IN (session_user, current_user)`;
