import { type CelNode, MAX_EXPRESSION_LENGTH, parseCel } from '../../base/cel/parse.ts';
import { HoldfastError } from '../../base/errors.ts';
import type { Comparison, Predicate, Term } from './predicate.ts';

export { MAX_EXPRESSION_LENGTH };

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  '==': '=',
  '!=': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

const TEXT_FUNCTIONS = { startsWith: 'starts-with', endsWith: 'ends-with', contains: 'contains' } as const;

/** What to write instead of the parts of CEL that are not in the language, by operator or function. */
const HINTS: Readonly<Record<string, string>> = {
  '?:': 'write (a && b) || (!a && c) for a ? b : c',
  '%': 'there is no remainder',
  '.': 'a column is a plain name, without a dot',
  '[]': 'columns cannot be indexed',
  map: 'there are no maps',
  matches: 'use startsWith, endsWith, contains or in',
  size: 'there is no size',
};

/**
 * Parses the language of `expression` filters, a subset of CEL over the columns of a candidate: `&& || !`,
 * comparisons, `+ - * /` on numbers, `in [ … ]`, `startsWith endsWith contains` on texts, `has(column)`, and a
 * boolean column by its bare name. Numbers are double precision: 1 / 2 is 0.5; division by zero is a missing value.
 * Nothing of the text reaches SQL.
 * @throws HF_EXPRESSION_INVALID with the position, counted in characters from 1, and a hint
 */
export function parseExpression(text: string): Predicate {
  return predicate(parseCel(text).ast);
}

function predicate(node: CelNode): Predicate {
  const comparison = COMPARISONS[node.op];
  if (comparison !== undefined) {
    const [left, right] = node.args as [CelNode, CelNode];
    return { op: 'compare', comparison, left: term(left), right: term(right) };
  }
  switch (node.op) {
    case '&&':
      return { op: 'and', predicates: operands(node, '&&').map(predicate) };
    case '||':
      return { op: 'or', predicates: operands(node, '||').map(predicate) };
    case '!_':
      return { op: 'not', predicate: predicate(node.args) };
    case 'in':
      return { op: 'in', term: term(node.args[0]), values: list(node.args[1]) };
    case 'rcall':
      return textMatch(node, node.args);
    case 'call':
      return call(node, node.args);
    case 'id':
      return { op: 'truth', term: term(node) };
    case 'value':
      if (typeof node.args === 'boolean') return { op: 'truth', term: { op: 'literal', value: node.args } };
      throw refused(node, 'is a value, not a condition', 'compare it with a column');
    case '+':
    case '-':
    case '*':
    case '/':
    case '-_':
      throw refused(node, 'is a number, not a condition', 'compare it, as in a + b > 3');
    default:
      throw unsupported(node, node.op);
  }
}

function term(node: CelNode): Term {
  switch (node.op) {
    case 'id':
      return { op: 'column', name: node.args };
    case 'value':
      return { op: 'literal', value: literal(node) };
    case '-_':
      return negative(node.args);
    case '+':
    case '-':
    case '*':
    case '/':
      return { op: node.op, left: term(node.args[0]), right: term(node.args[1]) };
    default:
      if (node.op in COMPARISONS || ['&&', '||', '!_', 'in', 'call', 'rcall'].includes(node.op)) {
        throw refused(node, 'cannot be compared or calculated with', 'use columns, numbers and texts');
      }
      throw unsupported(node, node.op);
  }
}

function negative(node: CelNode): Term {
  const inner = term(node);
  if (inner.op === 'literal' && typeof inner.value === 'number') return { op: 'literal', value: -inner.value };
  return { op: '-', left: { op: 'literal', value: 0 }, right: inner };
}

function literal(node: CelNode): string | number | boolean {
  const value: unknown = node.args;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' || typeof value === 'bigint') {
    const number = Number(value);
    if (Number.isFinite(number)) return number;
  }
  if (value === null) throw refused(node, 'null is not a value here', 'write has(column) or !has(column)');
  throw refused(node, 'is not a text, a number, true or false', 'write numbers as 1 or 1.5');
}

function list(node: CelNode): (string | number)[] {
  if (node.op !== 'list') throw refused(node, 'is not a list', 'write the values out: column in ["a", "b"]');
  const values = node.args.map((item) => {
    const { op, value } = term(item) as { op: string; value?: unknown };
    if (op === 'literal' && (typeof value === 'string' || typeof value === 'number')) return value;
    throw refused(item, 'a list holds texts or numbers', 'write the values out');
  });
  if (values.length === 0) throw refused(node, 'the list is empty', 'nothing can be in it');
  if (new Set(values.map((value) => typeof value)).size > 1) {
    throw refused(node, 'the list mixes texts and numbers', 'keep to one');
  }
  return values;
}

function textMatch(node: CelNode, [name, receiver, parameters]: [string, CelNode, CelNode[]]): Predicate {
  if (!Object.hasOwn(TEXT_FUNCTIONS, name)) throw unsupported(node, name);
  const match = TEXT_FUNCTIONS[name as keyof typeof TEXT_FUNCTIONS];
  const [value] = parameters;
  if (parameters.length !== 1 || value?.op !== 'value' || typeof value.args !== 'string') {
    throw refused(node, `${name} takes one text`, `write column.${name}("text")`);
  }
  if (receiver.op !== 'id') throw refused(receiver, `${name} applies to a column`, `write column.${name}("text")`);
  return { op: 'text', match, term: term(receiver), value: value.args };
}

function call(node: CelNode, [name, parameters]: [string, CelNode[]]): Predicate {
  if (name !== 'has') throw unsupported(node, name);
  const [column] = parameters;
  if (parameters.length !== 1 || column?.op !== 'id') throw refused(node, 'has takes one column', 'write has(column)');
  return { op: 'not', predicate: { op: 'missing', term: term(column) } };
}

/** `a && b && c` is nested to the left; its parts, in order. */
function operands(node: CelNode, op: '&&' | '||'): CelNode[] {
  if (node.op !== op) return [node];
  const [left, right] = node.args;
  return [...operands(left, op), ...operands(right, op)];
}

function unsupported(node: CelNode, what: string): HoldfastError {
  const hint = HINTS[what] ?? 'use && || ! comparisons + - * / in startsWith endsWith contains has';
  return refused(node, `${what} is not part of the language of filters`, hint);
}

function refused(node: CelNode, what: string, hint: string): HoldfastError {
  const part = node.input.slice(node.start, node.end);
  const shown = part.length > 40 ? `${part.slice(0, 39)}…` : part;
  return new HoldfastError(
    'HF_EXPRESSION_INVALID',
    `expression, character ${node.start + 1}, at \`${shown}\`: ${what}; ${hint}`,
  );
}
