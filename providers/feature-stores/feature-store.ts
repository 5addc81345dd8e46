import type { Parameters } from '../parameters.ts';

/** Where columns come from that a connector's query does not select. */
export interface FeatureStore {
  /** Columns that it could add, in their own order. */
  readonly columns: readonly string[];
  /** What to join to the query for the wanted columns that it has; undefined when it has none of them. */
  completion(wanted: readonly string[]): { readonly table: string; readonly columns: readonly string[] } | undefined;
}

/** What a feature store may ask of the warehouse that a connector reads. */
export interface Tables {
  /** Columns of a table or view; undefined when there is none of that name. */
  describeTable(table: string): Promise<readonly { readonly name: string }[] | undefined>;
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
  open(settings: FeatureStoreSettings, warehouse: Tables): Promise<FeatureStore>;
}
