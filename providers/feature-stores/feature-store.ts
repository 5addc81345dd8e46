/** Where columns come from that a connector's query does not select. One implementation per file. */
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
