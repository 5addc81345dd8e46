import { type Static, type TObject, Type } from 'typebox';
import { fields, name, text } from '../../base/schema/fields.ts';
import type { Parameters, Values } from '../parameters.ts';
import type { ProgramFiles } from '../program-file.ts';
import type { Warehouse } from './warehouse.ts';

/** What every connector says, whatever its type: its own `config` has the parameters of the provider beside these. */
export const CONNECTOR = {
  connectorId: name('Name of the connector within the program.'),
  query: Type.String({
    pattern: '^[^\\x00]*$',
    meaning: 'text without NUL',
    minLength: 1,
    maxLength: 65_536,
    description:
      'One SELECT whose columns map to the candidate by name; columns of other names ride along as features.',
  }),
  optionalColumns: Type.Optional(
    Type.Array(
      fields('A column that the source may lack, and what follows where it does: a run without it says so.', {
        table: text('Table or view that has it, as the query names it.', 255),
        column: text('Its name.', 255),
        without: text('What follows without it, for people.', 400),
      }),
      {
        minItems: 1,
        maxItems: 100,
        description:
          'Columns that the query can do without, such as one that says who left; how it does so is in the query. A ' +
          'run on a source that lacks one warns of it; any other that is missing is refused.',
      },
    ),
  ),
};

/** A connector of a program, with the parameters of a provider. */
export interface Connector<Own = unknown> {
  readonly connectorId: string;
  readonly type: string;
  readonly config: Own & Static<TObject<Pick<typeof CONNECTOR, 'query' | 'optionalColumns'>>>;
}

/** A connector as its provider reads it: fields that are another provider's are left alone. */
export type ConnectorOf<Own extends Parameters> = Connector<Values<Own['fields']>>;

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

/** What the command line or the environment says of all connectors of a run. */
export interface ConnectorSettings extends Pick<WarehouseOptions, 'sampleCustomers'> {
  /** By connectorId where it reads: paths, which win over `config.path`, and URLs of servers, which are secrets. */
  readonly sources: Readonly<Record<string, string>>;
  /** Connectors whose file is the export of the slot's own day. */
  readonly ofSlot?: readonly string[] | undefined;
  /** Folder for the sample warehouse, made when needed; unless given, one that goes with the scratch folder. */
  readonly sampleFolder?: string;
}

/** One kind of warehouse: a folder with its parameters and its code, and a line in `index.ts`. */
export interface WarehouseDefinition {
  /** As a connector names it. */
  readonly type: string;
  readonly parameters: Parameters;
  /** Of a server, whose connection is a secret: what it is called, and the form of its connection. */
  readonly server?: { readonly name: string; readonly connection: string };
  /** Loads the code when a connector names it; absent where this version cannot read such a warehouse yet. */
  readonly load?: () => Promise<WarehouseProvider>;
}

export interface WarehouseProvider {
  /** Opens a connector's warehouse, read-only. */
  open(connector: Connector, options: WarehouseOptions): Promise<Warehouse>;
  /** What reading it will cost in time and memory where that is much: a sentence for whoever waits for it. */
  costOf?(connector: Connector, options: Pick<WarehouseOptions, 'source' | 'baseFolder'>): Promise<string | undefined>;
}
