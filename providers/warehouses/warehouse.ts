/** A column of a query's answer, as the warehouse calls it. */
export interface WarehouseColumn {
  readonly name: string;
  /** The warehouse's own type name. */
  readonly type: string;
}

/** What to read: the connector's query, completed from a table of the same warehouse. */
export interface ExtractRequest {
  /** One SELECT, as the manifest has it. */
  readonly query: string;
  /** Columns to add from `table`, joined by `customer_id`. */
  readonly completion?: { readonly table: string; readonly columns: readonly string[] };
}

/** A read-only source of customers. One implementation per file; every one passes the contract suite. */
export interface Warehouse {
  /**
   * Columns of a query, without running it.
   * @throws HF_QUERY_REFUSED unless it is one single SELECT
   * @throws HF_WAREHOUSE_UNREADABLE when the warehouse or what the query names cannot be read
   */
  describe(query: string): Promise<readonly WarehouseColumn[]>;
  /** Columns of a table or view; undefined when there is none of that name. */
  describeTable(table: string): Promise<readonly WarehouseColumn[] | undefined>;
  /**
   * Writes the answer to one Parquet file and resolves to its rows; the file is complete or absent.
   * @throws HF_QUERY_REFUSED, HF_WAREHOUSE_UNREADABLE, HF_DISK_FULL
   */
  extract(request: ExtractRequest, file: string, options: ReadOptions): Promise<number>;
  /**
   * Past retention offers (`customer_id`, `program_id`, `offered_at`) within [since, before), to one Parquet file. Ids are
   * texts, of which the rule for ids is still to be asked.
   */
  extractOffers(
    table: string,
    range: { readonly since: Date; readonly before: Date },
    file: string,
    options: ReadOptions,
  ): Promise<number>;
  close(): Promise<void>;
}

export interface ReadOptions {
  readonly signal: AbortSignal;
  readonly progress?: (rows: number) => void;
  /** Told of a column in which values are missing because no type here holds them, and in how many rows. */
  readonly beyondType?: (column: string, rows: number) => void;
}
