import { existsSync } from 'node:fs';
import { HoldfastError } from '../../base/errors.ts';
import { connect } from '../../database/client/connect.ts';
import type { Database } from '../../database/client/database.ts';
import { startEmbeddedPostgres } from '../../database/embedded/embedded.ts';
import { isMigrated, migrate } from '../../database/migrations/migrate.ts';
import type { Io } from '../io.ts';
import { type DataFolder, isDataFolder } from './data-folder.ts';

/** The system of record of a laptop. */
export interface State extends AsyncDisposable {
  readonly database: Database;
  /** Where it is, for people; without user or password. */
  readonly place: string;
}

/**
 * Opens the database that `DATABASE_URL` names, or else the embedded Postgres of the data folder, migrated.
 * @throws HF_DATABASE_UNREACHABLE, HF_MIGRATION_FAILED, HF_DATA_FOLDER, HF_DISK_FULL, HF_INTERRUPTED
 */
export async function openState(folder: DataFolder, io: Io): Promise<State> {
  return open(folder, io, { readOnly: false });
}

/**
 * Whether the folder is there; the state may be in the Postgres of DATABASE_URL instead.
 * @throws HF_NOT_FOUND when it is in neither
 */
export function requireState(folder: DataFolder, io: Io): boolean {
  const isHere = isDataFolder(folder);
  if (isHere || externalUrl(io) !== undefined) return isHere;
  throw new HoldfastError('HF_NOT_FOUND', `there is no state in ${folder.path}: give --data, or DATABASE_URL`);
}

/**
 * The same for who asks; undefined where nothing has run. Tables of an earlier version are brought up to this one on a laptop;
 * those of others are only read.
 * @throws as `openState` and `openHistory`
 */
export async function openRecord(folder: DataFolder, io: Io): Promise<State | undefined> {
  if (externalUrl(io) !== undefined) return openHistory(folder, io);
  return isDataFolder(folder) && existsSync(folder.postgres) ? openState(folder, io) : undefined;
}

/**
 * The same to read and never to write; undefined where nothing has been migrated yet, so that there is no history.
 * @throws HF_DATABASE_UNREACHABLE, HF_NOT_MIGRATED, HF_MIGRATION_FAILED, HF_DATA_FOLDER, HF_DISK_FULL, HF_INTERRUPTED
 */
export async function openHistory(folder: DataFolder, io: Io): Promise<State | undefined> {
  if (externalUrl(io) === undefined && !existsSync(folder.postgres)) return undefined;
  const state = await open(folder, io, { readOnly: true });
  try {
    if (await isMigrated(state.database)) return state;
  } catch (error) {
    await state[Symbol.asyncDispose]();
    throw error;
  }
  await state[Symbol.asyncDispose]();
  return undefined;
}

async function open(folder: DataFolder, io: Io, { readOnly }: { readonly readOnly: boolean }): Promise<State> {
  const external = externalUrl(io);
  const server =
    external === undefined ? await startEmbeddedPostgres({ folder: folder.postgres, signal: io.signal }) : undefined;
  let database: Database | undefined;
  const close = async () => {
    await database?.close();
    await server?.stop();
  };
  try {
    database = await connect(server?.url ?? external ?? '', { applicationName: 'holdfast', readOnly });
    if (!readOnly) await migrate(database);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    database,
    place: server === undefined ? 'the Postgres of DATABASE_URL' : 'the embedded Postgres',
    [Symbol.asyncDispose]: close,
  };
}

/**
 * `DATABASE_URL`, where it is set. An empty one is most likely a secret that lacks its key: the embedded Postgres would keep
 * the state in a folder that nobody looks into.
 * @throws HF_USAGE when it is set but empty
 */
export function externalUrl({ environment }: Io): string | undefined {
  const url = environment['DATABASE_URL'];
  if (url?.trim() !== '') return url;
  const remedy = 'give postgres://user:password@host:port/database, or unset it to use the embedded Postgres';
  throw new HoldfastError('HF_USAGE', `DATABASE_URL is set but empty: ${remedy}`);
}
