import { evaluate, type Row, type TermValue, valueOf } from './evaluate.ts';
import type { Comparison, Predicate, Term } from './predicate.ts';

/** One comparison of one customer, worded as what was observed. */
export interface Finding {
  /** Such as `lifetime_value 312 < 500`, where the filter wants at least 500. */
  readonly text: string;
  /** Whether it speaks for passing the filter; `missing` when a value it needs is not there. */
  readonly outcome: 'passed' | 'failed' | 'missing';
}

/**
 * What a predicate compared for one row, in order: every comparison, except those that an alternative made
 * irrelevant. A count of signals comes before the signals that it counts.
 */
export function explain(predicate: Predicate, row: Row): Finding[] {
  return findings(predicate, row, true);
}

function findings(predicate: Predicate, row: Row, wanted: boolean): Finding[] {
  switch (predicate.op) {
    case 'not':
      return findings(predicate.predicate, row, !wanted);
    case 'at-least':
      return [count(predicate, row, wanted), ...predicate.predicates.flatMap((part) => findings(part, row, wanted))];
    case 'and':
    case 'or': {
      const all = predicate.predicates.flatMap((part) => findings(part, row, wanted));
      const anyIsEnough = (predicate.op === 'or') === wanted;
      if (!anyIsEnough) return all;
      if (evaluate(predicate, row) === wanted) return sufficient(predicate.predicates, row, wanted);
      // "It is not missing" says nothing once its value is compared.
      const compared = predicate.predicates.filter((part) => part.op !== 'missing');
      return compared.length === 0 ? all : compared.flatMap((part) => findings(part, row, wanted));
    }
    default:
      return [{ text: worded(predicate, row), outcome: outcomeOf(predicate, row, wanted) }];
  }
}

/** The first alternative that was enough by itself. */
function sufficient(predicates: readonly Predicate[], row: Row, wanted: boolean): Finding[] {
  const enough = predicates.find((part) => evaluate(part, row) === wanted);
  return enough === undefined ? [] : findings(enough, row, wanted);
}

function outcomeOf(predicate: Predicate, row: Row, wanted: boolean): Finding['outcome'] {
  const value = evaluate(predicate, row);
  if (value === undefined) return MISSING;
  return value === wanted ? 'passed' : 'failed';
}

function count(predicate: Predicate & { op: 'at-least' }, row: Row, wanted: boolean): Finding {
  const held = predicate.predicates.filter((part) => evaluate(part, row) === true).length;
  const noun = predicate.count === 1 ? 'signal' : 'signals';
  return { text: `${held} of ${predicate.count} ${noun} needed`, outcome: outcomeOf(predicate, row, wanted) };
}

type Atom = Exclude<Predicate, { op: 'and' | 'or' | 'not' | 'at-least' }>;

function worded(predicate: Atom, row: Row): string {
  const holds = evaluate(predicate, row);
  switch (predicate.op) {
    case 'compare':
      return comparison(predicate, row, holds);
    case 'missing':
      return holds === true ? `${source(predicate.term)} missing` : `${source(predicate.term)} present`;
    case 'truth':
      return observed(predicate.term, row);
    case 'in':
      return `${observed(predicate.term, row)} ${holds === true ? 'in' : 'not in'} ${predicate.values.join(', ')}`;
    case 'text': {
      const [does, doesNot] = TEXT_WORDS[predicate.match];
      return `${observed(predicate.term, row)} ${holds === true ? does : doesNot} "${predicate.value}"`;
    }
  }
}

/** What a text does, and what it does when it does not. */
export const TEXT_WORDS = {
  'starts-with': ['starts with', 'does not start with'],
  'ends-with': ['ends with', 'does not end with'],
  contains: ['contains', 'does not contain'],
} as const;

/** What holds when a comparison does not. */
export const OPPOSITE: Readonly<Record<Comparison, Comparison>> = {
  '=': '!=',
  '!=': '=',
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
};

function comparison(
  { left, comparison: wanted, right }: Atom & { op: 'compare' },
  row: Row,
  holds: boolean | undefined,
): string {
  if (left.op === 'rank' && right.op === 'literal')
    return rankComparison(left, wanted, Number(right.value), row, holds);
  const limit = right.op === 'literal' ? shown(right.value) : `${shown(valueOf(right, row))} (${source(right)})`;
  if (holds === undefined) return `${observed(left, row)}, needs ${wanted} ${limit}`;
  const relation = holds ? wanted : OPPOSITE[wanted];
  const [from, to] = [valueOf(left, row), valueOf(right, row)];
  // Rounding must not make "499.9999999 < 500" read "500 < 500".
  if (typeof from === 'number' && from !== to && shown(from) === shown(to)) {
    const whole = right.op === 'literal' ? String(to) : `${to} (${source(right)})`;
    return `${source(left)} ${from} ${relation} ${whole}`;
  }
  return `${observed(left, row)} ${relation} ${limit}`;
}

function rankComparison(
  term: Term & { op: 'rank' },
  wanted: Comparison,
  place: number,
  row: Row,
  holds: boolean | undefined,
): string {
  const value = shown(valueOf({ op: 'column', name: term.column }, row));
  const limit = term.order[place] ?? String(place);
  if (holds !== undefined) return `${term.column} ${value} ${holds ? wanted : OPPOSITE[wanted]} ${limit}`;
  if (value === MISSING) return `${term.column} missing, needs ${wanted} ${limit}`;
  return `${term.column} ${value} is not one of ${term.order.join(', ')}`;
}

const MISSING = 'missing';

/** A term and its value, such as `lifetime_value 312`. */
function observed(term: Term, row: Row): string {
  const value = valueOf(term, row);
  return term.op === 'literal' ? shown(value) : `${source(term)} ${shown(value)}`;
}

/** A term as it would be written in an expression. */
export function source(term: Term): string {
  switch (term.op) {
    case 'column':
      return term.name;
    case 'rank':
      return term.column;
    case 'literal':
      return shown(term.value);
    default:
      return `${nested(term.left)} ${term.op} ${nested(term.right)}`;
  }
}

function nested(term: Term): string {
  return 'left' in term ? `(${source(term)})` : source(term);
}

/** A value as people read it: six significant digits, or `missing`. */
export function shown(value: TermValue): string {
  if (value === undefined) return MISSING;
  return typeof value === 'number' ? String(Number(value.toPrecision(6))) : String(value);
}
