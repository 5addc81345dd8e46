import { HoldfastError } from '../../base/errors.ts';
import { connectionVariable } from '../../contract/credentials.ts';
import type { AllValues } from '../parameters.ts';
import type { Connector, WarehouseDefinition, WarehouseOptions, WarehouseProvider } from './connector.ts';
import { duckdbParameters } from './duckdb/parameters.ts';
import { postgresParameters } from './postgres/parameters.ts';
import { snowflakeParameters } from './snowflake/parameters.ts';
import type { Warehouse } from './warehouse.ts';

/** Every kind of warehouse. Adding one is a folder here and a line below. */
export const WAREHOUSES = [
  { type: 'duckdb', parameters: duckdbParameters, load: () => import('./duckdb/duckdb.ts') },
  {
    type: 'postgres',
    parameters: postgresParameters,
    server: { name: 'Postgres', connection: 'postgres://user:password@host:port/database' },
    load: () => import('./postgres/postgres.ts'),
  },
  { type: 'snowflake', parameters: snowflakeParameters },
] as const satisfies readonly WarehouseDefinition[];

export type Warehouses = readonly WarehouseDefinition[];

/** A connector of a program, whatever its type. */
export interface DataConnector extends Connector<AllValues<typeof WAREHOUSES>> {
  readonly type: (typeof WAREHOUSES)[number]['type'];
}

/**
 * Opens the warehouse of a connector, read-only.
 * @throws HF_PROVIDER_UNAVAILABLE, HF_USAGE, HF_WAREHOUSE_UNREADABLE, HF_PATH_REFUSED, HF_MANIFEST_INVALID, HF_DISK_FULL, HF_INTERRUPTED
 */
export async function openWarehouse(
  connector: Connector,
  options: WarehouseOptions,
  warehouses: Warehouses = WAREHOUSES,
): Promise<Warehouse> {
  const load = requireWarehouseProvider(connector, options.source, warehouses);
  return (await load()).open(connector, options);
}

/**
 * What loads the provider of a connector, without loading it.
 * @param source see WarehouseOptions
 * @throws HF_PROVIDER_UNAVAILABLE when this version has none, HF_USAGE when nothing says how to connect to its server
 */
export function requireWarehouseProvider(
  { connectorId, type }: Pick<Connector, 'connectorId' | 'type'>,
  source: string | undefined,
  warehouses: Warehouses = WAREHOUSES,
): () => Promise<WarehouseProvider> {
  const { load, server } = warehouses.find((one) => one.type === type) ?? {};
  if (load === undefined) {
    const known = warehouses.filter((one) => one.load !== undefined).map((one) => one.type);
    const sentence = `Connector ${connectorId}: no provider for ${type} yet; this version has ${known.join(', ')}.`;
    throw new HoldfastError('HF_PROVIDER_UNAVAILABLE', sentence);
  }
  if (server !== undefined && source === undefined) {
    const sentence = `Connector ${connectorId} reads from ${server.name}: set ${connectionVariable(connectorId)} to ${server.connection}.`;
    throw new HoldfastError('HF_USAGE', sentence);
  }
  return load;
}

/** Whether a connector reads from a server, whose connection is a secret, rather than from files. */
export function isServer({ type }: Pick<Connector, 'type'>, warehouses: Warehouses = WAREHOUSES): boolean {
  return warehouses.some((one) => one.type === type && one.server !== undefined);
}
