import { identifier, literal } from '../../base/duckdb/engine.ts';
import { isNumeric } from '../../base/duckdb/number-types.ts';
import type { ColumnShape } from '../../base/duckdb/parquet.ts';
import { DERIVED_COLUMNS } from '../../customers/columns/added-columns.ts';
import { CANDIDATE_COLUMNS, REJECTED_BECAUSE, WARNED_BECAUSE } from '../../customers/columns/candidate.ts';
import type { ColumnDefinition, ColumnType } from '../../customers/columns/column.ts';
import { customerIdInDuckdb } from '../../customers/columns/customer-id.ts';
import { asWrittenSql } from '../../customers/columns/marketplace.ts';
import { isMissingWord } from '../../customers/columns/missing-words.ts';

/** Longest id, in characters: what an index of Postgres takes whatever the script. */
const LONGEST_ID = 256;
const LONGEST_TEXT = 4096;

/** Columns with a type of their own, by name. */
const DEFINITIONS: ReadonlyMap<string, ColumnDefinition> = new Map(
  [...CANDIDATE_COLUMNS, ...DERIVED_COLUMNS.filter(({ name }) => name === 'segment' || name === 'segment_risk')].map(
    (definition) => [definition.name, definition],
  ),
);

/** A raw extract, and how to read it. */
export interface RawExtract {
  readonly connectorId: string;
  /** Parquet file, as the warehouse wrote it. */
  readonly file: string;
  readonly columns: readonly ColumnShape[];
  /** Name of each column from here on. */
  readonly names: ReadonlyMap<string, string>;
  /** Its place among the connectors. */
  readonly index: number;
  /** Codes of the program, as which the rows' marketplaces are written. */
  readonly marketplaces: readonly string[];
}

/**
 * SELECT of a raw extract with every column of the candidate in its own type, and beside them
 * `holdfast_reasons` (why the row is bad; empty when it is good), `holdfast_is_bad` (the same, for less), `holdfast_row` (the row as it came, as JSON of
 * texts), and `holdfast_index` and `holdfast_position` (which row it is, for this run only).
 * @param within a table of such indexes and positions: only these rows, chosen before anything is computed of them
 */
export function typedRows(raw: RawExtract, within?: string): string {
  const [because] = raw.columns.filter(isReason);
  const kept = raw.columns.filter((shape) => !goesNoFurther(shape));
  const columns = kept.map((shape) => typedColumn(shape, raw.names.get(shape.name) ?? shape.name, raw));
  const reasons = columns.flatMap(({ faults }) =>
    faults.map(([when, reason]) => `CASE WHEN ${when} THEN ${literal(reason)} END`),
  );
  const isBad = columns.flatMap(({ isBad: when, faults }) => when ?? anyOf(faults));
  const given = because === undefined ? '[]' : `string_split(CAST(${identifier(because.name)} AS VARCHAR), '; ')`;
  const asText = kept.map(({ name }) => `${identifier(name)} := CAST(${identifier(name)} AS VARCHAR)`);
  return `
    SELECT ${columns.map(({ name, value }) => `${value} AS ${identifier(name)}`).join(', ')},
      ${literal(raw.connectorId)} AS source,
      list_filter(list_concat([${reasons.join(', ')}], ${given}), lambda reason: reason IS NOT NULL AND reason <> '')
        AS holdfast_reasons,
      ${[...isBad, ...(because === undefined ? [] : [`len(list_filter(${given}, lambda reason: reason <> '')) > 0`])].join(' OR ') || 'false'}
        AS holdfast_is_bad,
      CAST(to_json(struct_pack(${asText.join(', ')})) AS VARCHAR) AS holdfast_row,
      ${raw.index} AS holdfast_index, file_row_number AS holdfast_position
    FROM read_parquet(${literal(raw.file)}, file_row_number = true)
    ${within === undefined ? '' : `WHERE file_row_number IN (SELECT holdfast_position FROM ${within} WHERE holdfast_index = ${raw.index})`}`;
}

/** Whether a column says why its row is to be set apart. */
function isReason({ name }: Pick<ColumnShape, 'name'>): boolean {
  return name.toLowerCase() === REJECTED_BECAUSE;
}

/** Whether a column says what is odd about its row, or the source. */
export function isWarning({ name }: Pick<ColumnShape, 'name'>): boolean {
  return name.toLowerCase() === WARNED_BECAUSE;
}

/** Whether a column is for the run alone. */
export function goesNoFurther(shape: Pick<ColumnShape, 'name'>): boolean {
  return isReason(shape) || isWarning(shape);
}

interface TypedColumn {
  readonly name: string;
  /** SQL of the value in its own type; missing where it cannot be had. */
  readonly value: string;
  readonly faults: readonly Fault[];
  /** Whether it has a fault, where that costs less than to ask for each. */
  readonly isBad?: string;
}

/** What can be wrong with a row: a condition, and what it is called. */
type Fault = readonly [when: string, reason: string];

function typedColumn(shape: ColumnShape, name: string, { marketplaces }: RawExtract): TypedColumn {
  const given = identifier(shape.name);
  const definition = DEFINITIONS.get(name);
  if (name === 'customer_id') {
    const { id, faults: ofIds, settled } = customerIdInDuckdb(given, shape.type);
    const faults = [...ofIds, ...textFaults(name, id, shape.type === 'VARCHAR' ? given : id)];
    if (settled === undefined) return { name, value: id, faults };
    const isBad = `CASE WHEN ${settled} THEN length(${id}) > ${LONGEST_ID} ELSE ${anyOf(faults)} END`;
    return { name, value: id, faults, isBad };
  }
  if (definition === undefined) {
    const faults: Fault[] = [[`contains(${given}, chr(0))`, `${name} NUL character`]];
    return { name, value: given, faults: shape.type === 'VARCHAR' ? faults : [] };
  }
  const typed = cast(given, shape.type, definition.type);
  const value = name === 'marketplace' ? asWrittenSql(typed, marketplaces) : typed;
  return { name, value, faults: faultsOf(definition, { given, type: shape.type }, value) };
}

/** SQL of a column as the query gives it, and its type. */
interface Given {
  readonly given: string;
  readonly type: string;
}

function faultsOf(definition: ColumnDefinition, { given, type }: Given, value: string): Fault[] {
  // A text such as NA where a number is due is a missing value, not a bad one.
  const filled = type === 'VARCHAR' ? `NOT ${isMissingWord(`trim(${given})`)}` : `${given} IS NOT NULL`;
  const unread = (not: string): Fault[] =>
    value === given ? [] : [[`${value} IS NULL AND ${filled}`, `${definition.name} ${not}`]];
  switch (definition.type) {
    case 'VARCHAR':
      return textFaults(definition.name, value);
    case 'BOOLEAN':
      return unread('not true or false');
    default:
      return [...unread('not a number'), ...numberFaults(definition, value)];
  }
}

function anyOf(faults: readonly Fault[]): string {
  return faults.map(([when]) => `coalesce(${when}, false)`).join(' OR ') || 'false';
}

function cast(given: string, from: string, to: ColumnType): string {
  if (from === to) return given;
  if (to === 'VARCHAR') return `CAST(${given} AS VARCHAR)`;
  if (to === 'DOUBLE' && (isNumeric(from) || from === 'BOOLEAN')) return `CAST(${given} AS DOUBLE)`;
  if (to === 'BOOLEAN' && isNumeric(from)) return `CASE WHEN ${given} = 1 THEN true WHEN ${given} = 0 THEN false END`;
  const text = `trim(CAST(${given} AS VARCHAR))`;
  // DuckDB reads nan as a number.
  return from === 'VARCHAR'
    ? `CASE WHEN NOT ${isMissingWord(`trim(${given})`)} THEN TRY_CAST(${text} AS ${to}) END`
    : `TRY_CAST(${text} AS ${to})`;
}

function textFaults(name: string, value: string, given = value): Fault[] {
  const longest = name === 'customer_id' ? LONGEST_ID : LONGEST_TEXT;
  return [
    [`contains(${given}, chr(0))`, `${name} NUL character`],
    [`length(${value}) > ${longest}`, `${name} longer than ${longest} characters`],
  ];
}

function numberFaults({ name, minimum, maximum }: ColumnDefinition, value: string): Fault[] {
  const beyond = [
    minimum === undefined ? [] : `${value} < ${minimum}`,
    maximum === undefined ? [] : `${value} > ${maximum}`,
  ].flat();
  const reason = name.startsWith('days_since_') ? `${name} impossible date` : `${name} out of range`;
  const finite: Fault = [`NOT isfinite(${value})`, `${name} not finite`];
  return beyond.length === 0 ? [finite] : [finite, [`isfinite(${value}) AND (${beyond.join(' OR ')})`, reason]];
}
