import { HoldfastError } from '../../base/errors.ts';
import { nearest } from '../../base/text/spelling.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import { DERIVED_COLUMNS, LATER_COLUMNS } from '../../customers/columns/added-columns.ts';
import { CANDIDATE_COLUMNS } from '../../customers/columns/candidate.ts';
import { requiredFilterColumns } from '../../customers/filters/required.ts';
import { WHERE_FROM } from '../../providers/models/feature-columns.ts';

/** Columns that the program cannot do without, each with who needs it, such as `filter customer-value`. */
export type NeededColumns = ReadonlyMap<string, readonly string[]>;

/** Columns that a query may bring although they are derived: a business may have segments of its own. */
const SEGMENT_COLUMNS = ['segment', 'segment_risk'];

/** @throws HF_MANIFEST_INVALID, HF_EXPRESSION_INVALID */
export function neededColumns(program: RetentionProgramSpec): NeededColumns {
  const derived = new Set<string>(DERIVED_COLUMNS.map(({ name }) => name));
  const needed = new Map<string, string[]>([['customer_id', ['every stage']]]);
  const need = (column: string, by: string) => {
    if (!derived.has(column)) needed.set(column, [...(needed.get(column) ?? []), by]);
  };
  for (const [column, filterIds] of requiredFilterColumns(program)) {
    for (const filterId of filterIds) need(column, `filter ${filterId}`);
  }
  for (const { modelId, features } of program.scoringModels) {
    for (const column of features) need(column, `model ${modelId}`);
  }
  return needed;
}

/**
 * The names that columns have from here on: as the program or the candidate spells them, since a warehouse may
 * write them in another case.
 */
export function canonicalNames(given: readonly string[], needed: NeededColumns): Map<string, string> {
  const known = [...CANDIDATE_COLUMNS.map(({ name }) => name as string), ...SEGMENT_COLUMNS, ...needed.keys()];
  const spelling = new Map(known.map((name) => [name.toLowerCase(), name]));
  return new Map(given.map((name) => [name, spelling.get(name.toLowerCase()) ?? name]));
}

/**
 * @param found columns of the query and of its completion
 * @throws HF_COLUMN_MISSING naming every needed column that is not among them, who needs it, and what was meant
 */
export function requireColumns(needed: NeededColumns, found: readonly string[], connectorId: string): void {
  const at = new Set(found.map((name) => name.toLowerCase()));
  const missing = [...needed].filter(([column]) => !at.has(column.toLowerCase()));
  if (missing.length === 0) return;
  const unused = found.filter((name) => !needed.has(name));
  const each = missing.map(([column, by]) => {
    const meant = nearest(column, unused);
    return `${column} (needed by ${by.join(', ')}${meant === undefined ? '' : `; did you mean ${meant}?`})`;
  });
  throw new HoldfastError(
    'HF_COLUMN_MISSING',
    `Connector ${connectorId} gives no column ${each.join(', no column ')}: ${WHERE_FROM}`,
  );
}

/** @throws HF_QUERY_REFUSED when a query gives a column that a stage adds */
export function refuseReservedColumns(given: readonly string[], connectorId: string): void {
  const added = DERIVED_COLUMNS.map(({ name }) => name as string).filter((name) => !SEGMENT_COLUMNS.includes(name));
  const reserved = new Set<string>([...added, ...LATER_COLUMNS.map(({ name }) => name), 'file_row_number']);
  const taken = given.filter((name) => reserved.has(name.toLowerCase()) || name.toLowerCase().startsWith('holdfast_'));
  if (taken.length === 0) return;
  throw new HoldfastError(
    'HF_QUERY_REFUSED',
    `Connector ${connectorId}: the query gives ${taken.join(', ')}, a name that Holdfast adds itself; give it another with AS.`,
  );
}
