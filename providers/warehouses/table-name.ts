import { identifier } from '../../base/duckdb/engine.ts';
import { HoldfastError } from '../../base/errors.ts';

const PLAIN = String.raw`[\p{L}_][\p{L}\p{N}_$]*`;
const PART = `(${PLAIN}|"(?:[^"\\0]|"")+")`;
const NAME = new RegExp(`^(?:${PART}\\.)?${PART}$`, 'u');
const IS_PLAIN = new RegExp(`^${PLAIN}$`, 'u');

interface TableParts {
  readonly schema: string | undefined;
  readonly name: string;
}

/**
 * The parts of a table's name, schema first: `past_offers`, `analytics.past_offers`, `"My Schema"."Past offers"`. A name
 * of blanks or points is in double quotes, as in SQL.
 * @throws HF_MANIFEST_INVALID when it is not the name of a table
 */
export function tableParts(table: string, connectorId: string): TableParts {
  const [, schema, name] = NAME.exec(table) ?? [];
  if (name === undefined) {
    const sentence =
      `Connector ${connectorId}: ${JSON.stringify(table)} is not the name of a table; give table or schema.table, ` +
      'each in double quotes where it has blanks or points: \'"My schema"."My table"\'.';
    throw new HoldfastError('HF_MANIFEST_INVALID', sentence);
  }
  return { schema: schema === undefined ? undefined : unquoted(schema), name: unquoted(name) };
}

/** The name as a person writes it: quoted only where it has to be. */
export function tableNameOf({ schema, name }: TableParts): string {
  return [schema, name]
    .flatMap((part) => (part === undefined ? [] : IS_PLAIN.test(part) ? part : identifier(part)))
    .join('.');
}

function unquoted(part: string): string {
  return part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part;
}
