import { BATCH_COLUMNS, DERIVED_COLUMNS, LATER_COLUMNS } from './added-columns.ts';
import { CANDIDATE_COLUMNS } from './candidate.ts';
import type { ColumnDefinition, StoredAs } from './column.ts';

const COLUMNS = [...BATCH_COLUMNS, ...CANDIDATE_COLUMNS, ...DERIVED_COLUMNS, ...LATER_COLUMNS] as const;

type Stored = Extract<(typeof COLUMNS)[number], { readonly stored: StoredAs }>;
/** Of each column by itself, as conditional types are. */
type NameOf<Column extends Stored> = Column extends { readonly stored: { readonly name: infer Name extends string } }
  ? Name
  : Column['name'];

/** Names that columns have in Postgres. */
export type StoredName = NameOf<Stored>;

/** What a value of each type is when it comes from Postgres. */
interface Values {
  readonly VARCHAR: string;
  readonly BOOLEAN: boolean;
  readonly DOUBLE: number;
  readonly INTEGER: number;
  readonly TIMESTAMPTZ: Date;
  readonly 'VARCHAR[]': readonly string[];
}
type ValueOf<Column extends Stored> = Column extends { readonly values: readonly (infer Value)[] }
  ? Value
  : Values[Column['type']];

/** A candidate as Postgres has it: what is known of the customer, the risk, and what was decided. */
export type StoredCandidate = {
  readonly [Column in Stored as NameOf<Column>]: Column['stored'] extends { readonly required: true }
    ? ValueOf<Column>
    : ValueOf<Column> | null;
};

/** A column that Postgres has. */
export interface StoredColumn extends Omit<ColumnDefinition, 'name' | 'stored' | 'type'> {
  /** In Postgres, and in lists. */
  readonly name: StoredName;
  /** In the artifacts. */
  readonly artifactName: string;
  readonly type: keyof Values;
  readonly stored: StoredAs;
}

/** Every column that Postgres has, in the order in which they are written there. */
export const STORED_COLUMNS = (COLUMNS as readonly ColumnDefinition[]).flatMap(({ name, stored, ...column }) =>
  stored === undefined ? [] : [{ ...column, name: stored.name ?? name, artifactName: name, stored }],
) as readonly StoredColumn[];

/** Their names, as a list of SQL. By name: a statement that is prepared fails for good once `*` means other columns. */
export const STORED_NAMES = STORED_COLUMNS.map(({ name }) => name).join(', ');

/**
 * Columns by a list of names, those that it does not name last: a new one disturbs nobody who reads by place.
 */
export function ordered<Column extends { readonly name: string }>(
  columns: readonly Column[],
  names: readonly Column['name'][],
): readonly Column[] {
  const place = ({ name }: Column) => (names.includes(name) ? names.indexOf(name) : names.length);
  return columns.toSorted((one, other) => place(one) - place(other));
}
