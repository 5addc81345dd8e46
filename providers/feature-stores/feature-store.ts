import type { Parameters } from '../parameters.ts';

/** Where columns come from that a connector's query does not select. Every kind passes the contract suite. */
export interface FeatureStore {
  /** Columns that it could add, in their own order. */
  readonly columns: readonly string[];
  /**
   * Writes columns of some customers to one Parquet file: one row for each id, in any order, as `customer_id` and the
   * columns; of a customer whom it does not know they are missing.
   * @param ids different from each other, by the rule of customer-id.ts
   * @throws HF_WAREHOUSE_UNREADABLE, HF_DISK_FULL, HF_INTERRUPTED
   */
  read(ids: readonly string[], columns: readonly string[], file: string, options: ReadOptions): Promise<void>;
  /** Table of the connector's own warehouse that has the columns: it joins them to the query itself, which is far faster. */
  readonly table?: string;
}

export interface ReadOptions {
  readonly signal: AbortSignal;
}

/** What a feature store may ask of the warehouse that a connector reads; see warehouse.ts there. */
export interface ConnectorWarehouse {
  describeTable(table: string): Promise<readonly { readonly name: string }[] | undefined>;
  extract(
    request: {
      readonly query: string;
      readonly completion: { readonly table: string; readonly columns: readonly string[] };
    },
    file: string,
    options: ReadOptions,
  ): Promise<number>;
}

/** The `featureStore` of a program, whatever its type. */
export interface FeatureStoreSettings {
  readonly type: string;
}

/** One kind of feature store: a folder with its parameters and its code, and a line in `index.ts`. */
export interface FeatureStoreDefinition {
  /** As a program names it. */
  readonly type: string;
  readonly parameters: Parameters;
  /** Loads the code when a program names it. */
  readonly load: () => Promise<FeatureStoreProvider>;
}

export interface FeatureStoreProvider {
  /**
   * Opens the feature store of a program for the connector whose warehouse is given.
   * @throws HF_COLUMN_MISSING, HF_WAREHOUSE_UNREADABLE
   */
  open(settings: FeatureStoreSettings, warehouse: ConnectorWarehouse): Promise<FeatureStore>;
}
