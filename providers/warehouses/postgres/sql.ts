import { identifier, timestamp } from '../../../base/duckdb/engine.ts';
import { comparable, customerIdOf, instantOf, sameIds } from './types.ts';

/** A column of the server's, by the name that it really has there. */
export interface ServerColumn {
  readonly name: string;
  /** Object id of its type. */
  readonly type: number;
}

/** A table of the server's. */
export interface ServerTable {
  /** Schema and name, quoted. */
  readonly name: string;
  readonly columns: readonly ServerColumn[];
}

/** What a text of SQL is made of: texts, quoted names, comments, names, and single characters. */
const TOKENS =
  /[eE]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$.*?\$\1\$|--[^\n\r]*|\/\*|[\w$\u0080-\uffff]+|./gsu;

/**
 * A statement that the server took as a single one, without the semicolons that may stand around it, so that it can be
 * part of another. Nothing rests on this being right: what came of it is again one statement in a read-only transaction.
 */
export function withoutSemicolons(statement: string): string {
  let kept = '';
  TOKENS.lastIndex = 0;
  for (let token = TOKENS.exec(statement); token !== null; token = TOKENS.exec(statement)) {
    const [text] = token;
    if (text === '/*') {
      TOKENS.lastIndex = endOfComment(statement, TOKENS.lastIndex);
      kept += ' ';
    } else if (text !== ';') kept += text;
  }
  // The last line may be a comment.
  return `${kept}\n`;
}

/** Comments are nested. */
function endOfComment(statement: string, start: number): number {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = start;
  for (let depth = 1; depth > 0; ) {
    const mark = marks.exec(statement);
    if (mark === null) return statement.length;
    depth += mark[0] === '/*' ? 1 : -1;
  }
  return marks.lastIndex;
}

/**
 * The query's rows, each once, with columns added from the one row of the table that has the same customer.
 * A table that holds a customer twice gives the row that sorts first, so that the answer is the same every time.
 * @param unicode see customerIdInPostgres
 */
export function completed(
  query: string,
  customer: ServerColumn,
  table: ServerTable,
  key: ServerColumn,
  added: readonly ServerColumn[],
  unicode: boolean,
): string {
  const areSame = sameIds(customer.type, key.type);
  const compared = ({ name, type }: ServerColumn) => (areSame ? identifier(name) : customerIdOf(name, type, unicode));
  const order = added.map(({ name, type }) => comparable(name, type));
  const columns = added.map(({ name }) => identifier(name));
  return `
    WITH holdfast_chosen AS MATERIALIZED (
${withoutSemicolons(query)}
    ), holdfast_completion AS (
      SELECT DISTINCT ON (${compared(key)}) ${compared(key)} AS holdfast_key, ${columns.join(', ')}
      FROM ${table.name}
      WHERE ${compared(key)} IN (SELECT ${compared(customer)} FROM holdfast_chosen)
      ORDER BY ${[compared(key), ...order].join(', ')}
    )
    SELECT holdfast_chosen.*, ${columns.map((column) => `holdfast_completion.${column}`).join(', ')}
    FROM holdfast_chosen LEFT JOIN holdfast_completion
      ON holdfast_completion.holdfast_key = ${compared(customer)}`;
}

/** Past offers within [since, before), in UTC. */
export function pastOffers(
  table: ServerTable,
  columns: { readonly customer: ServerColumn; readonly program: ServerColumn; readonly offeredAt: ServerColumn },
  range: { readonly since: Date; readonly before: Date },
  unicode: boolean,
): string {
  const { customer, program, offeredAt } = columns;
  const instant = instantOf(offeredAt.name, offeredAt.type);
  return `
    SELECT ${customerIdOf(customer.name, customer.type, unicode)} AS customer_id,
      CAST(${identifier(program.name)} AS text) AS program_id,
      CAST(${identifier(offeredAt.name)} AS timestamp) AS offered_at
    FROM ${table.name}
    WHERE ${instant} >= ${timestamp(range.since)} AND ${instant} < ${timestamp(range.before)}
      AND ${identifier(customer.name)} IS NOT NULL`;
}
