import { createHash } from 'node:crypto';
import type { ClientBase } from 'pg';
import { HoldfastError } from '../../base/errors.ts';
import type { Database } from '../client/database.ts';
import { transaction } from '../client/transaction.ts';
import { MIGRATIONS } from './index.ts';
import type { Migration } from './migration.ts';

const OLDER =
  'the tables of Holdfast are those of an earlier version: run a program, without --dry-run, which brings them up to this one';

interface Applied {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

/** Two processes that migrate at once take turns. */
const MIGRATION_LOCK = 7_522_537_965_570_191_873n;

/**
 * Brings the schema to the version that this program needs, forward only; each step is its own transaction, so a
 * failed one leaves the step before. Resolves to the names of the steps taken now.
 * @throws HF_MIGRATION_FAILED when the schema is newer than this program or an applied step has since changed
 */
export async function migrate(
  database: Database,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<readonly string[]> {
  const taken: string[] = [];
  for (const migration of migrations) {
    const doing = `apply the migration ${label(migration)}`;
    const applied = await transaction(database, { doing, unlimited: true }, async (client) => {
      await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK.toString()]);
      const history = await readHistory(client);
      verify(history, migrations);
      if (history.some(({ version }) => version === migration.version)) return false;
      await client.query(migration.sql);
      await client.query('INSERT INTO holdfast.schema_migrations (version, name, checksum) VALUES ($1, $2, $3)', [
        migration.version,
        migration.name,
        checksum(migration),
      ]);
      return true;
    });
    if (applied) taken.push(label(migration));
  }
  return taken;
}

/**
 * Whether there are tables, which are those of this version; asks without changing anything.
 * @throws HF_NOT_MIGRATED when they are those of an earlier one, HF_MIGRATION_FAILED as `migrate` does
 */
export async function isMigrated(database: Database, migrations: readonly Migration[] = MIGRATIONS): Promise<boolean> {
  return transaction(database, { doing: 'read the migrations' }, async (client) => {
    if (!(await hasHistory(client))) return false;
    const history = await appliedSteps(client);
    verify(history, migrations);
    // What they hold cannot be read as it is meant: nobody may take it for nothing.
    if (history.length < migrations.length) throw new HoldfastError('HF_NOT_MIGRATED', OLDER);
    return true;
  });
}

async function readHistory(client: ClientBase): Promise<readonly Applied[]> {
  if (!(await hasHistory(client))) {
    // Asked first: CREATE SCHEMA IF NOT EXISTS needs the right to create one even where an administrator already has.
    const schema = await client.query(`SELECT FROM pg_namespace WHERE nspname = 'holdfast'`);
    if (schema.rowCount === 0) await client.query('CREATE SCHEMA holdfast');
    await client.query(`
      CREATE TABLE holdfast.schema_migrations (
        version integer PRIMARY KEY,
        name text NOT NULL,
        checksum text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
      )`);
  }
  return appliedSteps(client);
}

async function hasHistory(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'schema_migrations' AND relnamespace = to_regnamespace('holdfast')) AS found`,
  );
  return rows[0]?.found === true;
}

async function appliedSteps(client: ClientBase): Promise<readonly Applied[]> {
  const { rows } = await client.query<Applied>(
    'SELECT version, name, checksum FROM holdfast.schema_migrations ORDER BY version',
  );
  return rows;
}

function verify(history: readonly Applied[], migrations: readonly Migration[]): void {
  for (const applied of history) {
    const known = migrations.find(({ version }) => version === applied.version);
    if (known === undefined) {
      throw new HoldfastError(
        'HF_MIGRATION_FAILED',
        `the database has migration ${label(applied)}, which this version of Holdfast does not know: use the version that made it, or a newer one`,
      );
    }
    if (checksum(known) !== applied.checksum) {
      throw new HoldfastError(
        'HF_MIGRATION_FAILED',
        `migration ${label(applied)} was applied to the database in another form than this version has: use the version of Holdfast that made it`,
      );
    }
  }
}

function label({ version, name }: { readonly version: number; readonly name: string }): string {
  return `${String(version).padStart(4, '0')}-${name}`;
}

function checksum({ sql }: Migration): string {
  return createHash('sha256').update(sql).digest('hex');
}
