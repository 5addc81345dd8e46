import type { Comparison, Predicate, Term } from './predicate.ts';

/** A candidate as plain values; null, undefined, NaN and the infinities are missing values. */
export type Row = Readonly<Record<string, unknown>>;

export type TermValue = string | number | boolean | undefined;

/** Whether a row satisfies a predicate, as SQL would say: undefined is "unknown". The slow, plain twin of `toSql`. */
export function evaluate(predicate: Predicate, row: Row): boolean | undefined {
  switch (predicate.op) {
    case 'compare':
      return compared(valueOf(predicate.left, row), predicate.comparison, valueOf(predicate.right, row));
    case 'in': {
      const value = valueOf(predicate.term, row);
      if (predicate.values.length === 0) return false;
      if (value === undefined) return undefined;
      return predicate.values.some((each) => compared(value, '=', each) === true);
    }
    case 'missing':
      return valueOf(predicate.term, row) === undefined;
    case 'text': {
      const value = valueOf(predicate.term, row);
      return typeof value === 'string' ? TEXT_MATCHES[predicate.match](value, predicate.value) : undefined;
    }
    case 'truth': {
      const value = valueOf(predicate.term, row);
      return typeof value === 'boolean' ? value : undefined;
    }
    case 'and':
      return every(predicate.predicates.map((part) => evaluate(part, row)));
    case 'or':
      return negated(every(predicate.predicates.map((part) => negated(evaluate(part, row)))));
    case 'not':
      return negated(evaluate(predicate.predicate, row));
    case 'at-least':
      return predicate.predicates.filter((part) => evaluate(part, row) === true).length >= predicate.count;
  }
}

/** The value of a term for a row; undefined when it is missing. */
export function valueOf(term: Term, row: Row): TermValue {
  switch (term.op) {
    case 'column':
      return present(row[term.name]);
    case 'literal':
      return term.value;
    case 'rank': {
      const place = term.order.indexOf(row[term.column] as string);
      return place === -1 ? undefined : place;
    }
    default: {
      const left = unquoted(valueOf(term.left, row), 0);
      const right = unquoted(valueOf(term.right, row), 0);
      if (typeof left !== 'number' || typeof right !== 'number') return undefined;
      return present(ARITHMETIC[term.op](left, right));
    }
  }
}

const ARITHMETIC = {
  '+': (left: number, right: number) => left + right,
  '-': (left: number, right: number) => left - right,
  '*': (left: number, right: number) => left * right,
  '/': (left: number, right: number) => (right === 0 ? Number.NaN : left / right),
};

const TEXT_MATCHES = {
  'starts-with': (value: string, part: string) => value.startsWith(part),
  'ends-with': (value: string, part: string) => value.endsWith(part),
  contains: (value: string, part: string) => value.includes(part),
};

function present(value: unknown): TermValue {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? value : undefined;
    case 'bigint':
      return Number(value);
    case 'string':
    case 'boolean':
      return value;
    case 'object':
      // Dates and lists cannot be compared; here it only matters that they are there.
      return value === null ? undefined : JSON.stringify(value);
    default:
      return undefined;
  }
}

/**
 * JSON has no place for a large whole number or an exact decimal, so the database hands them out as texts. A number
 * is never meant to be compared with a true text: `checkKinds` has seen to that.
 */
function unquoted(value: TermValue, other: TermValue): TermValue {
  return typeof value === 'string' && typeof other === 'number' ? present(Number(value)) : value;
}

function compared(first: TermValue, comparison: Comparison, second: TermValue): boolean | undefined {
  const left = unquoted(first, second);
  const right = unquoted(second, first);
  if (left === undefined || right === undefined) return undefined;
  const order = ordering(left, right);
  switch (comparison) {
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

function ordering(left: string | number | boolean, right: string | number | boolean): number {
  // DuckDB orders texts by their UTF-8 bytes, JavaScript by UTF-16 units.
  if (typeof left === 'string') return Buffer.compare(Buffer.from(left), Buffer.from(String(right)));
  return Number(left) - Number(right);
}

function every(parts: readonly (boolean | undefined)[]): boolean | undefined {
  if (parts.includes(false)) return false;
  return parts.includes(undefined) ? undefined : true;
}

function negated(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}
