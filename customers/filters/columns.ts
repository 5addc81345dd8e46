import type { Predicate, Term } from './predicate.ts';

/** Names of the columns that a predicate reads, each once, in order of first use. */
export function columnsOf(predicate: Predicate): Set<string> {
  const columns = new Set<string>();
  visit(predicate, columns);
  return columns;
}

function visit(node: Predicate | Term, columns: Set<string>): void {
  switch (node.op) {
    case 'column':
      columns.add(node.name);
      return;
    case 'rank':
      columns.add(node.column);
      return;
    case 'literal':
      return;
    case 'not':
      return visit(node.predicate, columns);
    case 'and':
    case 'or':
    case 'at-least':
      for (const predicate of node.predicates) visit(predicate, columns);
      return;
    case 'in':
    case 'missing':
    case 'text':
    case 'truth':
      return visit(node.term, columns);
    default:
      visit(node.left, columns);
      visit(node.right, columns);
  }
}
