import type { Comparison, Predicate, Term } from './predicate.ts';

/** Short words for building predicates by hand. */
export const column = (name: string): Term => ({ op: 'column', name });
export const value = (literal: string | number | boolean): Term => ({ op: 'literal', value: literal });
export const times = (left: Term, right: Term): Term => ({ op: '*', left, right });
export const compare = (left: Term, comparison: Comparison, right: Term): Predicate => ({
  op: 'compare',
  comparison,
  left,
  right,
});
export const truth = (name: string): Predicate => ({ op: 'truth', term: column(name) });
export const missing = (name: string): Predicate => ({ op: 'missing', term: column(name) });
export const not = (predicate: Predicate): Predicate => ({ op: 'not', predicate });
export const and = (...predicates: readonly Predicate[]): Predicate => ({ op: 'and', predicates });
export const or = (...predicates: readonly Predicate[]): Predicate => ({ op: 'or', predicates });
export const atLeast = (count: number, predicates: readonly Predicate[]): Predicate => ({
  op: 'at-least',
  count,
  predicates,
});
export const oneOf = (name: string, values: readonly (string | number)[]): Predicate => ({
  op: 'in',
  term: column(name),
  values,
});
