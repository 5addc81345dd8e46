/**
 * A condition over the columns of a candidate, as data: compiled once to SQL for millions of rows,
 * and evaluated on one row to explain what was compared. Three-valued like SQL: a missing value makes
 * a comparison unknown, and a customer passes a filter only when its predicate is true.
 */
export type Predicate =
  | { readonly op: 'compare'; readonly comparison: Comparison; readonly left: Term; readonly right: Term }
  | { readonly op: 'in'; readonly term: Term; readonly values: readonly (string | number)[] }
  | { readonly op: 'missing'; readonly term: Term }
  | {
      readonly op: 'text';
      readonly match: 'starts-with' | 'ends-with' | 'contains';
      readonly term: Term;
      readonly value: string;
    }
  | { readonly op: 'truth'; readonly term: Term }
  | { readonly op: 'and' | 'or'; readonly predicates: readonly Predicate[] }
  | { readonly op: 'not'; readonly predicate: Predicate }
  /** True when at least `count` of the predicates are true; unknown counts as false. */
  | { readonly op: 'at-least'; readonly count: number; readonly predicates: readonly Predicate[] };

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

export type Term =
  | { readonly op: 'column'; readonly name: string }
  | { readonly op: 'literal'; readonly value: string | number | boolean }
  | { readonly op: '+' | '-' | '*' | '/'; readonly left: Term; readonly right: Term }
  /** Position of a text column in an ordered list, from 0; missing when it is not in the list. */
  | { readonly op: 'rank'; readonly column: string; readonly order: readonly string[] };
