/** The type that a candidate's column has in every Parquet file between stages, in DuckDB's words. */
export type ColumnType = 'VARCHAR' | 'BOOLEAN' | 'DOUBLE' | 'INTEGER' | 'TIMESTAMP' | 'TIMESTAMPTZ' | 'VARCHAR[]';

/** A column of the candidate: what it is, within which bounds, and what becomes of it in Postgres, the API and lists. */
export interface ColumnDefinition {
  readonly name: string;
  readonly type: ColumnType;
  /** Unit or vocabulary, for people. */
  readonly unit: string;
  readonly description: string;
  /** Inclusive bounds of a number; outside them the row is rejected. */
  readonly minimum?: number;
  readonly maximum?: number;
  /** Every value that there is. */
  readonly values?: readonly string[];
  /** Only of columns that Postgres has. */
  readonly stored?: StoredAs;
}

/** How a column is stored in Postgres, and who reads it there. */
export interface StoredAs {
  /** Its name there, and in lists, where that of the artifacts is another: in a table the unit is in the name. */
  readonly name?: string;
  /** Whether every row has a value; a list that is missing is stored empty. */
  readonly required?: true;
  /** It tells that there is an experiment: only whoever asks for an arm sees it. */
  readonly forAnalysis?: true;
  /** In the API, where it is there; a point in the name is an object around it. */
  readonly api?: Shown & { readonly name: string };
  /** In lists of whom to contact, where it is there. */
  readonly list?: Shown;
}

/** What a column is to these readers, where they need another sentence than `description`. */
interface Shown {
  readonly meaning?: string;
}
