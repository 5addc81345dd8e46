/** One step of the schema. Once released it never changes: the next change is the next number. */
export interface Migration {
  /** From 1, without gaps. */
  readonly version: number;
  readonly name: string;
  /** Statements run in one transaction. They expand; what an older version needs is dropped a release later. */
  readonly sql: string;
}
