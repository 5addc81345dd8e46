import type { ProgramFiles } from '../program-file.ts';
import type { Warehouse } from './warehouse.ts';

/** A connector of a program, as its provider reads it. Fields that are another provider's are left alone. */
export interface DataConnector {
  readonly connectorId: string;
  readonly type: string;
  readonly config: {
    readonly query: string;
    readonly path?: string;
    readonly table?: string;
    readonly sheet?: string;
    readonly allVarchar?: boolean;
    readonly sample?: { readonly customers: number; readonly seed: number };
    readonly statementTimeoutSeconds?: number;
    readonly optionalColumns?: readonly { readonly table: string; readonly column: string; readonly without: string }[];
  };
}

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

/** Opens a connector's warehouse, read-only. */
export type WarehouseProvider = (connector: DataConnector, options: WarehouseOptions) => Promise<Warehouse>;
