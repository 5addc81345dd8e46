import { atLeast, not } from './build.ts';
import { OPPOSITE, shown, source, TEXT_WORDS } from './explain.ts';
import type { Comparison, Predicate, Term } from './predicate.ts';

/** One way in which customers fall short of a filter, as predicates to count with. */
export interface Shortfall {
  /** Such as `lifetime_value < 500`, where the filter wants at least 500. */
  readonly text: string;
  /** True for the customers who fall short so; not for those to whom an alternative made it irrelevant. */
  readonly unmet: Predicate;
  /** True for those of whom it cannot be said, since a value is missing. */
  readonly missing?: Predicate;
  /** The whole filter with its threshold moved a little, and what it then wants. */
  readonly eased?: { readonly text: string; readonly predicate: Predicate };
}

/** How far a threshold moves, as a fraction of itself. */
export const EASED_BY = 0.1;

/**
 * Every way to fall short of a predicate, in its order: each comparison, and for a count of signals each number that is
 * too few.
 * @param isWhole whether a column holds whole numbers: its thresholds move by one at least
 */
export function shortfalls(predicate: Predicate, isWhole: (column: string) => boolean): Shortfall[] {
  return walk({ node: predicate, wanted: true, guards: [], replaced: (node) => node, isWhole });
}

interface Place {
  readonly node: Predicate;
  /** Whether the filter wants the node to be true; false under a `not`. */
  readonly wanted: boolean;
  /** What must hold for the node to matter at all. */
  readonly guards: readonly Predicate[];
  /** The whole predicate with another in the place of the node. */
  readonly replaced: (node: Predicate) => Predicate;
  readonly isWhole: (column: string) => boolean;
}

function walk(place: Place): Shortfall[] {
  const { node, wanted, replaced } = place;
  switch (node.op) {
    case 'not':
      return walk({ ...place, node: node.predicate, wanted: !wanted, replaced: (part) => replaced(not(part)) });
    case 'and':
    case 'or': {
      const alternatives = (node.op === 'or') === wanted && node.predicates.length > 1;
      return parts(place, node.predicates, alternatives);
    }
    case 'at-least':
      return [...counted(place, node), ...parts(place, node.predicates, true)];
    default:
      return [atom(place, node)];
  }
}

type Parent = Extract<Predicate, { readonly predicates: readonly Predicate[] }>;

function parts(place: Place, predicates: readonly Predicate[], alternatives: boolean): Shortfall[] {
  const { node, wanted, guards, replaced } = place;
  const unsatisfied = not(known(wanted ? node : not(node)));
  return predicates.flatMap((part, index) => {
    // "It is not missing" says nothing once its value is compared.
    if (alternatives && part.op === 'missing' && predicates.some(({ op }) => op !== 'missing')) return [];
    return walk({
      ...place,
      node: part,
      guards: alternatives ? [...guards, unsatisfied] : guards,
      replaced: (other) => replaced({ ...(node as Parent), predicates: predicates.with(index, other) }),
    });
  });
}

/** A predicate with what is unknown as false. */
function known(predicate: Predicate): Predicate {
  return atLeast(1, [predicate]);
}

/** How many customers show how many signals, of those with too few. */
function counted(place: Place, { count, predicates }: Predicate & { op: 'at-least' }): Shortfall[] {
  if (!place.wanted) {
    const text = `${count} or more of the signals`;
    return [{ text, unmet: guarded(place, atLeast(count, predicates)) }];
  }
  const noun = count === 1 ? 'signal' : 'signals';
  return Array.from({ length: count }, (_, held) => {
    const unmet = guarded(place, {
      op: 'and',
      predicates: [atLeast(held, predicates), not(atLeast(held + 1, predicates))],
    });
    const text = `${held} of ${count} ${noun} needed`;
    if (held !== count - 1 || held === 0) return { text, unmet };
    return {
      text,
      unmet,
      eased: { text: `${held} of the signals`, predicate: place.replaced(atLeast(held, predicates)) },
    };
  });
}

function guarded({ guards }: Place, predicate: Predicate): Predicate {
  return guards.length === 0 ? predicate : { op: 'and', predicates: [predicate, ...guards] };
}

type Atom = Exclude<Predicate, { op: 'and' | 'or' | 'not' | 'at-least' }>;

function atom(place: Place, node: Atom): Shortfall {
  const { wanted } = place;
  const unmet = guarded(place, wanted ? not(node) : node);
  const text = failed(node, wanted);
  if (node.op === 'missing') return { text, unmet };
  const terms = node.op === 'compare' ? [node.left, node.right] : [node.term];
  const absent = terms.flatMap((term): Predicate[] => (term.op === 'literal' ? [] : [{ op: 'missing', term }]));
  const eased = node.op === 'compare' ? easedComparison(place, node) : undefined;
  return {
    text,
    unmet,
    missing: guarded(place, { op: 'or', predicates: absent }),
    ...(eased === undefined ? {} : { eased }),
  };
}

/** What a comparison says of a customer who falls short of it. */
function failed(node: Atom, wanted: boolean): string {
  switch (node.op) {
    case 'compare':
      return compared(node, wanted ? OPPOSITE[node.comparison] : node.comparison);
    case 'missing':
      return `${source(node.term)} ${wanted ? 'present' : 'missing'}`;
    case 'truth':
      return `${source(node.term)} ${!wanted}`;
    case 'in':
      return `${source(node.term)} ${wanted ? 'not in' : 'in'} ${node.values.join(', ')}`;
    case 'text':
      return `${source(node.term)} ${TEXT_WORDS[node.match][wanted ? 1 : 0]} "${node.value}"`;
  }
}

type Compare = Predicate & { op: 'compare' };

const RANK_WORDS: Readonly<Record<Comparison, string>> = {
  '<': 'below',
  '<=': 'at most',
  '>': 'above',
  '>=': 'at least',
  '=': 'is',
  '!=': 'is not',
};

function compared({ left, right }: Pick<Compare, 'left' | 'right'>, comparison: Comparison): string {
  if (left.op === 'rank' && right.op === 'literal') {
    const limit = left.order[Number(right.value)] ?? shown(right.value);
    return `${left.column} ${RANK_WORDS[comparison]} ${limit}`;
  }
  return `${source(left)} ${comparison} ${source(right)}`;
}

/** A comparison whose threshold makes it easier to pass; none where there is no threshold to move. */
function easedComparison({ wanted, replaced, isWhole }: Place, node: Compare): Shortfall['eased'] {
  const comparison = wanted ? node.comparison : OPPOSITE[node.comparison];
  if (comparison === '=' || comparison === '!=') return undefined;
  // Towards more when the left side has to stay below.
  const upwards = comparison.startsWith('<');
  const right = moved(node.right, upwards, node.left, isWhole);
  const left = right === undefined ? moved(node.left, !upwards, node.right, isWhole) : undefined;
  if (right === undefined && left === undefined) return undefined;
  const sides = { left: left ?? node.left, right: right ?? node.right };
  return { text: compared(sides, comparison), predicate: replaced({ ...node, ...sides }) };
}

/** A threshold moved up or down, where it is a number, a place in an order, or a multiple of a column. */
function moved(term: Term, upwards: boolean, other: Term, isWhole: (column: string) => boolean): Term | undefined {
  if (term.op === '*') {
    const [factor, of] = term.left.op === 'literal' ? [term.left, term.right] : [term.right, term.left];
    if (factor.op !== 'literal' || of.op !== 'column') return undefined;
    const next = moved(factor, upwards, of, () => false);
    return next === undefined ? undefined : { ...term, left: next, right: of };
  }
  if (term.op !== 'literal' || typeof term.value !== 'number') return undefined;
  if (other.op === 'rank') {
    const place = term.value + (upwards ? 1 : -1);
    return other.order[place] === undefined ? undefined : { op: 'literal', value: place };
  }
  const whole = other.op === 'column' && isWhole(other.name) && Number.isInteger(term.value);
  const size = Math.abs(term.value) * EASED_BY;
  const step = whole ? Math.max(1, Math.round(size)) : size;
  if (step === 0) return undefined;
  return { op: 'literal', value: Number((term.value + (upwards ? step : -step)).toPrecision(12)) };
}
