import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { HoldfastError } from '../../base/errors.ts';
import { makeTemporaryFolder } from '../../base/temporary-folder.ts';
import { forShell, pathForShell } from '../../base/text/printable.ts';
import { connectionVariable } from '../../crds/index.ts';
import { tableNameOf } from '../../providers/warehouses/table-name.ts';
import { calledAs } from '../called-as.ts';
import { type DatabaseTable, type DeniedTables, duckdbTables, postgresTables } from '../init/database-tables.ts';
import type { InitOptions } from '../init/options.ts';
import { isDatabase } from '../init/source.ts';
import { shown } from '../init/words.ts';
import type { Io } from '../io.ts';
import { integer } from '../terminal/figures.ts';

const MEMORY_MB = 512;

/**
 * Where a database was given without a table: lists what there is and what to type, and fails, since nothing was written. Even
 * of one table alone a person says that it is meant.
 * @throws HF_USAGE, HF_WAREHOUSE_UNREADABLE, HF_SOURCE_UNSUITABLE
 */
export async function refuseWithoutTable(file: string | undefined, options: InitOptions, io: Io): Promise<void> {
  if (file !== undefined && /^postgres(?:ql)?:/i.test(file)) {
    throw new HoldfastError(
      'HF_USAGE',
      'a connection may have a password in it, which everybody on this machine could read: put it into the environment as ' +
        `${connectionVariable('warehouse')}, or HOLDFAST_CONNECTION_NAME with --connector name`,
    );
  }
  const connection = io.environment[connectionVariable(options.connector)];
  const isPostgres = file === undefined && connection !== undefined && connection !== '';
  if (options.table !== undefined || (!isPostgres && (file === undefined || !isDatabase(file)))) return;
  const scratchFolder = await makeTemporaryFolder('holdfast-tables-');
  const resources = { threads: Math.min(2, availableParallelism()), memoryMb: MEMORY_MB };
  const limits = { scratchFolder, resources, signal: io.signal };
  try {
    const { tables, denied } = isPostgres
      ? await postgresTables(options.connector, connection, limits)
      : { tables: await duckdbTables(file as string, limits), denied: [] };
    if (tables.length === 0) {
      throw new HoldfastError(
        'HF_USAGE',
        ['the database has no table or view that may be read', ...denied.map(grantOf)].join('; '),
      );
    }
    const [plainSchema, command] = isPostgres
      ? ['', `${calledAs(io)} init --connector ${forShell(options.connector)}`]
      : ['main', `${calledAs(io)} init ${pathForShell(file as string)}`];
    io.stdout.write(
      options.output === 'json'
        ? `${JSON.stringify({ ...tablesReport(tables, plainSchema, command), ...(denied.length === 0 ? {} : { denied }) })}\n`
        : tablesText(tables, plainSchema, command) + denied.map((one) => `no right    ${grantOf(one)}\n`).join(''),
    );
    throw new HoldfastError('HF_USAGE', 'name the table that is meant with --table: nothing was written');
  } finally {
    await rm(scratchFolder, { recursive: true, force: true });
  }
}

function grantOf({ schema, tables, role }: DeniedTables): string {
  const more = `${integer(tables)} more in ${schema} that ${role} may not read`;
  return `${more}: GRANT USAGE ON SCHEMA ${schema} TO ${role}; GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${role}`;
}

function nextCommand(table: DatabaseTable, plainSchema: string, command: string): string {
  return `${command} --table ${forShell(tableOption(table, plainSchema))}`;
}

function tablesReport(tables: readonly DatabaseTable[], plainSchema: string, command: string) {
  const best = likeliest(tables);
  return {
    tables: tables.map(({ fit: _, ...table }) => ({ table: tableOption(table, plainSchema), ...table })),
    ...(best === undefined
      ? {}
      : { likeliest: tableOption(best, plainSchema), next: nextCommand(best, plainSchema, command) }),
  };
}

/** Tables, and columns of each, that are listed. */
const MOST_LISTED = 40;
const MOST_COLUMNS = 5;

/** A table as `--table` takes it. */
function tableOption({ schema, name }: Pick<DatabaseTable, 'schema' | 'name'>, plainSchema: string): string {
  return tableNameOf({ schema: schema === plainSchema ? undefined : schema, name });
}

/** The one that `init` would take: that whose columns' names say most, if one does. */
function likeliest(tables: readonly DatabaseTable[]): DatabaseTable | undefined {
  return tables.find(({ holds }) => holds !== undefined);
}

/** Lines for a person: what there is, which one it would take, and what to type. */
function tablesText(tables: readonly DatabaseTable[], plainSchema: string, command: string): string {
  const listed = tables.slice(0, MOST_LISTED);
  const names = listed.map((table) => shown(tableOption(table, plainSchema)));
  const width = Math.max(...names.map((name) => name.length));
  const line = ({ kind, rows, holds, ids, days }: DatabaseTable, index: number) =>
    [
      `  ${(names[index] ?? '').padEnd(width)}`,
      kind.padEnd(5),
      (rows === undefined ? '' : `about ${integer(Math.round(rows))} rows`).padEnd(24),
      (holds === undefined ? '' : `${holds}?`).padEnd(13),
      [...few('ids', ids), ...few('days', days)].join('   '),
    ]
      .join('  ')
      .trimEnd();
  const best = likeliest(tables);
  return [
    `${integer(tables.length)} tables and views`,
    ...listed.map(line),
    ...(tables.length > MOST_LISTED ? [`  and ${tables.length - MOST_LISTED} more`] : []),
    ...(best === undefined
      ? ['none has columns named like those of customers or of their purchases: name one with --table']
      : [
          `likeliest   ${shown(tableOption(best, plainSchema))}, of ${best.holds}, by the names of its columns`,
          `next        ${nextCommand(best, plainSchema, command)}`,
        ]),
    '',
  ].join('\n');
}

function few(what: string, columns: readonly string[]): string[] {
  if (columns.length === 0) return [];
  const named = columns.slice(0, MOST_COLUMNS).map((name) => shown(name));
  return [`${what} ${[...named, ...(columns.length > MOST_COLUMNS ? ['…'] : [])].join(', ')}`];
}
