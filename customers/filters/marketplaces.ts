import { asWritten } from '../columns/marketplace.ts';
import type { Predicate, Term } from './predicate.ts';

/**
 * A predicate whose marketplaces are as the program writes them, as those of its candidates are: in a program of the
 * UK, `marketplace == "GB"` asks for the UK.
 */
export function withMarketplaces(predicate: Predicate, marketplaces: readonly string[]): Predicate {
  switch (predicate.op) {
    case 'in': {
      if (!isMarketplace(predicate.term)) return predicate;
      const values = predicate.values.map((value) =>
        typeof value === 'string' ? asWritten(value, marketplaces) : value,
      );
      return { ...predicate, values: [...new Set(values)] };
    }
    case 'compare': {
      const { left, right } = predicate;
      if (isMarketplace(left)) return { ...predicate, right: written(right, marketplaces) };
      return isMarketplace(right) ? { ...predicate, left: written(left, marketplaces) } : predicate;
    }
    case 'not':
      return { ...predicate, predicate: withMarketplaces(predicate.predicate, marketplaces) };
    case 'and':
    case 'or':
    case 'at-least':
      return { ...predicate, predicates: predicate.predicates.map((part) => withMarketplaces(part, marketplaces)) };
    case 'missing':
    case 'text':
    case 'truth':
      return predicate;
  }
}

function isMarketplace(term: Term): boolean {
  return term.op === 'column' && term.name === 'marketplace';
}

function written(term: Term, marketplaces: readonly string[]): Term {
  return term.op === 'literal' && typeof term.value === 'string'
    ? { ...term, value: asWritten(term.value, marketplaces) }
    : term;
}
