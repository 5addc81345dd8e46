import { identifier, literal } from '../../base/duckdb/engine.ts';
import { isNumeric } from '../../base/duckdb/number-types.ts';
import type { Dialect } from './dialect.ts';
import { isText } from './expressions.ts';
import type { ColumnProfile } from './profile.ts';

/** A column of the source that the query can do without. */
export interface OptionalSource {
  readonly source: ColumnProfile;
  /** Text of the value that everybody is taken to have without it; undefined for none. */
  readonly assumed?: string | undefined;
  /** What follows without it, for people. */
  readonly without: string;
}

const SOURCE = 'source';

/**
 * A table of the columns of the source that are read, with those that it may lack: a name that it does not have is found
 * one level further out, which is how SQL looks for names.
 */
export function sourceWithOptional(
  table: string,
  columns: readonly ColumnProfile[],
  optional: readonly OptionalSource[],
  dialect: Dialect,
): { readonly name: string; readonly comments: readonly string[]; readonly lines: readonly string[] } {
  const absent = optional.map(({ source, assumed }) => {
    const value = assumed === undefined ? 'NULL' : literal(assumed);
    return `CAST(${value} AS ${typeOf(source, dialect)}) AS ${identifier(source.name)}`;
  });
  const list = (items: readonly string[]) =>
    items.map((item, index) => `      ${item}${index === items.length - 1 ? '' : ','}`);
  return {
    name: SOURCE,
    comments: ['Columns of optionalColumns that a later source lacks have these values for everybody.'],
    lines: [
      `${SOURCE} ${dialect.inlined} (`,
      '  SELECT present.*',
      '  FROM (',
      '    SELECT',
      ...list(absent),
      '  ) AS absent CROSS JOIN LATERAL (',
      '    SELECT',
      ...list(columns.map(({ name }) => identifier(name))),
      `    FROM ${table}`,
      '  ) AS present',
      ')',
    ],
  };
}

function typeOf(source: ColumnProfile, dialect: Dialect): string {
  if (isText(source)) return 'VARCHAR';
  return isNumeric(source.type) ? dialect.double : source.type;
}
