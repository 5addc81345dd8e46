import { isNumeric } from '../../base/duckdb/number-types.ts';
import { HoldfastError } from '../../base/errors.ts';
import { nearest } from '../../base/text/spelling.ts';
import type { Predicate, Term } from './predicate.ts';

/** Kinds of values a predicate tells apart; `other` (dates, lists) can only be asked whether it is missing. */
export type ValueKind = 'text' | 'number' | 'boolean' | 'other';

/** Columns at hand, by name. */
export type ColumnKinds = ReadonlyMap<string, ValueKind>;

/** The kind of values of a DuckDB type. */
export function kindOf(duckdbType: string): ValueKind {
  if (/^(VARCHAR|ENUM\(.*\)|UUID)$/s.test(duckdbType)) return 'text';
  if (duckdbType === 'BOOLEAN') return 'boolean';
  return isNumeric(duckdbType) ? 'number' : 'other';
}

/**
 * Checks that a predicate compares like with like over the columns at hand, so that its SQL cannot fail on a row.
 * @throws HF_COLUMN_MISSING, HF_EXPRESSION_INVALID, both naming the filter and the column
 */
export function checkKinds(predicate: Predicate, columns: ColumnKinds, filterId: string): void {
  const refuse = (message: string): never => {
    throw new HoldfastError('HF_EXPRESSION_INVALID', `filter ${filterId}: ${message}`);
  };

  function kind(term: Term): ValueKind {
    switch (term.op) {
      case 'column':
        return column(term.name);
      case 'literal':
        return typeof term.value === 'string' ? 'text' : (typeof term.value as 'number' | 'boolean');
      case 'rank':
        if (column(term.column) !== 'text') refuse(`column ${term.column} is not text`);
        return 'number';
      default:
        for (const side of [term.left, term.right]) {
          const found = kind(side);
          if (found !== 'number') refuse(`${name(side)} is ${found}, and ${term.op} needs numbers`);
        }
        return 'number';
    }
  }

  function column(wanted: string): ValueKind {
    const found = columns.get(wanted);
    if (found !== undefined) return found;
    const meant = nearest(wanted, columns.keys());
    throw new HoldfastError(
      'HF_COLUMN_MISSING',
      `column ${wanted} is missing, filter ${filterId} needs it${meant === undefined ? '' : ` (did you mean ${meant}?)`}; ` +
        'select it in the query or name a featureStore that has it',
    );
  }

  function check(node: Predicate): void {
    switch (node.op) {
      case 'and':
      case 'or':
      case 'at-least':
        return node.predicates.forEach(check);
      case 'not':
        return check(node.predicate);
      case 'missing':
        kind(node.term);
        return;
      case 'truth':
        if (kind(node.term) !== 'boolean')
          refuse(`${name(node.term)} is ${kind(node.term)}, not true or false; compare it`);
        return;
      case 'text':
        if (kind(node.term) !== 'text') refuse(`${name(node.term)} is ${kind(node.term)}, not text`);
        return;
      case 'in': {
        const values = typeof node.values[0] === 'number' ? 'number' : 'text';
        if (kind(node.term) !== values) refuse(`${name(node.term)} is ${kind(node.term)}, the list holds ${values}`);
        return;
      }
      case 'compare': {
        const [left, right] = [kind(node.left), kind(node.right)];
        if (left !== right)
          refuse(`${name(node.left)} is ${left}, ${name(node.right)} is ${right}; they cannot be compared`);
        if (left === 'other') refuse(`${name(node.left)} has a type that filters cannot compare`);
        if (left === 'boolean' && !['=', '!='].includes(node.comparison)) {
          refuse(`${name(node.left)} is boolean; use == or !=, or its bare name`);
        }
      }
    }
  }

  check(predicate);
}

function name(term: Term): string {
  if (term.op === 'column') return `column ${term.name}`;
  return term.op === 'literal' ? JSON.stringify(term.value) : 'a calculated number';
}
