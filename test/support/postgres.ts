import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../database/client/connect.ts';
import type { Database } from '../../database/client/database.ts';
import { startEmbeddedPostgres } from '../../database/embedded/embedded.ts';
import { migrate } from '../../database/migrations/migrate.ts';

/** A real Postgres of a test file's own. */
export interface TestPostgres extends AsyncDisposable {
  readonly url: string;
  /** Its data folder, which the server itself may know by another path. */
  readonly dataFolder: string;
  /** Migrated. */
  readonly database: Database;
  /** The connection of a role that reads every table and can do nothing else; made when first asked for. */
  reader(): Promise<string>;
}

export async function openPostgres(): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-postgres-'));
  const server = await startEmbeddedPostgres({ folder });
  const database = await connect(server.url, { applicationName: 'holdfast test', maximum: 8 });
  await migrate(database);
  let reader: Promise<string> | undefined;
  return {
    url: server.url,
    dataFolder: join(folder, 'data'),
    database,
    reader: () => (reader ??= makeReader(database, server.url)),
    async [Symbol.asyncDispose]() {
      await database.close();
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}

async function makeReader({ pool }: Database, url: string): Promise<string> {
  await pool.query("CREATE ROLE any_reader LOGIN PASSWORD 'reads' IN ROLE pg_read_all_data");
  const connection = new URL(url);
  connection.username = 'any_reader';
  connection.password = 'reads';
  return connection.href;
}
