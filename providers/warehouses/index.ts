import { HoldfastError } from '../../base/errors.ts';
import { connectionVariable } from '../../contract/connection-variable.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import type { ProgramFiles } from '../program-file.ts';
import type { Warehouse } from './warehouse.ts';

export type DataConnector = RetentionProgramSpec['dataConnectors'][number];

/** What a connector may use of the machine, and what the command line says about it. */
export interface WarehouseOptions extends ProgramFiles {
  /**
   * Where this connector reads, as the command line or the environment says: an absolute path, which wins over `config`,
   * or the URL of a server, which is a secret.
   */
  readonly source?: string | undefined;
  /** Folder for the sample warehouse; made when needed. */
  readonly sampleFolder: string;
  /** Overrides `config.sample.customers`. */
  readonly sampleCustomers?: number | undefined;
  /** The instant that the batch is as of: where the sample warehouse ends. */
  readonly asOf: Date;
  /** Folder for what need not outlive the warehouse. */
  readonly scratchFolder: string;
  /** Threads and memory (MiB) that it may use. */
  readonly resources: { readonly threads: number; readonly memoryMb: number };
  readonly signal: AbortSignal;
  /** Reports the making of the sample warehouse, in customers. */
  readonly progress?: (done: number, total: number) => void;
}

type Provider = (connector: DataConnector, options: WarehouseOptions) => Promise<Warehouse>;

/** Every provider by its type, loaded when a connector names it. Adding one is a file here and a line below. */
const PROVIDERS: Readonly<Record<string, () => Promise<Provider>>> = {
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
): () => Promise<Provider> {
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
