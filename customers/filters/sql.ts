import { identifier } from '../../base/duckdb/engine.ts';
import type { Predicate, Term } from './predicate.ts';
import type { ColumnKinds } from './types.ts';

/** Takes a value to bind, returns how SQL refers to it, such as `$3`. */
export type Bind = (value: string | number | boolean) => string;

/** Collects the values of one statement in order. */
export function bindings(): { readonly values: (string | number | boolean)[]; readonly bind: Bind } {
  const values: (string | number | boolean)[] = [];
  return { values, bind: (value) => `$${values.push(value)}` };
}

/**
 * A predicate as a three-valued SQL condition of DuckDB. Names are quoted, every value is bound, and numbers are
 * double precision, with NaN, infinity and division by zero as missing values, exactly as `evaluate` has them.
 * The predicate has passed `checkKinds` over the same columns.
 */
export function toSql(predicate: Predicate, columns: ColumnKinds, bind: Bind): string {
  function condition(node: Predicate): string {
    switch (node.op) {
      case 'compare':
        return `(${expression(node.left)} ${node.comparison} ${expression(node.right)})`;
      case 'in':
        return node.values.length === 0
          ? 'FALSE'
          : `(${expression(node.term)} IN (${node.values.map(bound).join(', ')}))`;
      case 'missing':
        return `(${expression(node.term)} IS NULL)`;
      case 'text':
        return `${TEXT_MATCHES[node.match]}(${expression(node.term)}, ${bound(node.value)})`;
      case 'truth':
        return expression(node.term);
      case 'and':
        return node.predicates.length === 0 ? 'TRUE' : `(${node.predicates.map(condition).join(' AND ')})`;
      case 'or':
        return node.predicates.length === 0 ? 'FALSE' : `(${node.predicates.map(condition).join(' OR ')})`;
      case 'not':
        return `(NOT ${condition(node.predicate)})`;
      case 'at-least': {
        const held = node.predicates.map((part) => `COALESCE((${condition(part)})::INTEGER, 0)`);
        return `(${['0', ...held].join(' + ')} >= ${bound(node.count)})`;
      }
    }
  }

  function expression(node: Term): string {
    switch (node.op) {
      case 'column':
        return read(node.name);
      case 'literal':
        return bound(node.value);
      case 'rank': {
        const places = node.order.map((value, place) => `WHEN ${bound(value)} THEN ${bound(place)}`);
        return places.length === 0 ? 'NULL::DOUBLE' : `(CASE ${read(node.column)} ${places.join(' ')} END)`;
      }
      case '/':
        return finite(`(${expression(node.left)} / NULLIF(${expression(node.right)}, 0))`);
      default:
        return finite(`(${expression(node.left)} ${node.op} ${expression(node.right)})`);
    }
  }

  function read(column: string): string {
    const name = identifier(column);
    const kind = columns.get(column);
    if (kind === 'number') return finite(`${name}::DOUBLE`);
    return kind === 'text' ? `${name}::VARCHAR` : name;
  }

  function bound(value: string | number | boolean): string {
    // The driver binds a whole number as BIGINT, which 1e300 is too large for: such a number goes as text.
    const large = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
    return `${bind(large ? String(value) : value)}::${SQL_TYPES[typeof value as keyof typeof SQL_TYPES]}`;
  }

  return condition(predicate);
}

const SQL_TYPES = { string: 'VARCHAR', number: 'DOUBLE', boolean: 'BOOLEAN' } as const;

const TEXT_MATCHES = { 'starts-with': 'starts_with', 'ends-with': 'ends_with', contains: 'contains' } as const;

/** NaN and the infinities as NULL. The operand stands twice, which nesting doubles; with a NULLIF for each it is eight times. */
function finite(sql: string): string {
  return `(CASE WHEN isfinite(${sql}) THEN ${sql} END)`;
}
