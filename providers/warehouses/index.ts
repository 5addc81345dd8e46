import { HoldfastError } from '../../base/errors.ts';
import { connectionVariable } from '../../contract/connection-variable.ts';
import type { DataConnector, WarehouseOptions, WarehouseProvider } from './connector.ts';
import type { Warehouse } from './warehouse.ts';

/** Every provider by its type, loaded when a connector names it. Adding one is a file here and a line below. */
const PROVIDERS: Readonly<Record<string, () => Promise<WarehouseProvider>>> = {
  duckdb: async () => (await import('./duckdb/duckdb.ts')).openDuckdb,
  postgres: async () => (await import('./postgres/postgres.ts')).openPostgres,
};

/** Types of connectors that this version can read. */
const WAREHOUSE_TYPES: readonly string[] = Object.keys(PROVIDERS);

/**
 * Opens the warehouse of a connector, read-only.
 * @throws HF_PROVIDER_UNAVAILABLE, HF_USAGE, HF_WAREHOUSE_UNREADABLE, HF_PATH_REFUSED, HF_MANIFEST_INVALID, HF_DISK_FULL, HF_INTERRUPTED
 */
export async function openWarehouse(connector: DataConnector, options: WarehouseOptions): Promise<Warehouse> {
  const load = requireWarehouseProvider(connector, options.source);
  return (await load())(connector, options);
}

/**
 * What loads the provider of a connector, without loading it.
 * @param source see WarehouseOptions
 * @throws HF_PROVIDER_UNAVAILABLE when this version has none, HF_USAGE when nothing says how to connect to its server
 */
export function requireWarehouseProvider(
  { connectorId, type }: DataConnector,
  source: string | undefined,
): () => Promise<WarehouseProvider> {
  const load = Object.hasOwn(PROVIDERS, type) ? PROVIDERS[type] : undefined;
  if (type === 'postgres' && source === undefined) {
    const form = 'postgres://user:password@host:port/database';
    const sentence = `Connector ${connectorId} reads from Postgres: set ${connectionVariable(connectorId)} to ${form}.`;
    throw new HoldfastError('HF_USAGE', sentence);
  }
  if (load !== undefined) return load;
  const sentence = `Connector ${connectorId}: no provider for ${type} yet; this version has ${WAREHOUSE_TYPES.join(', ')}.`;
  throw new HoldfastError('HF_PROVIDER_UNAVAILABLE', sentence);
}
