/** How a type holds numbers: whole ones, those with a fixed point, or with a binary one, exact up to its precision only. */
export type NumberForm = 'whole' | 'decimal' | 'float';

/** Every type of DuckDB's that holds numbers. */
const FORMS: ReadonlyMap<string, NumberForm> = new Map([
  ['TINYINT', 'whole'],
  ['UTINYINT', 'whole'],
  ['SMALLINT', 'whole'],
  ['USMALLINT', 'whole'],
  ['INTEGER', 'whole'],
  ['UINTEGER', 'whole'],
  ['BIGINT', 'whole'],
  ['UBIGINT', 'whole'],
  ['HUGEINT', 'whole'],
  ['UHUGEINT', 'whole'],
  ['BIGNUM', 'whole'],
  ['DECIMAL', 'decimal'],
  ['FLOAT', 'float'],
  ['DOUBLE', 'float'],
]);

/**
 * The form of a type's numbers; undefined where it holds none, as lists of numbers do not.
 * @param type as DuckDB describes a column, such as `DECIMAL(9,2)`
 */
export function numberForm(type: string): NumberForm | undefined {
  return FORMS.get(type.replace(/^DECIMAL\(\d+,\d+\)$/, 'DECIMAL'));
}

/** Whether a type holds numbers. */
export function isNumeric(type: string): boolean {
  return numberForm(type) !== undefined;
}
