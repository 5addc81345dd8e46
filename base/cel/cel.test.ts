import { expect, test } from '@jest/globals';
import { HoldfastError } from '../errors.ts';
import { parseCel } from './parse.ts';
import { compileRule } from './rule.ts';

function failureOf(text: string): HoldfastError {
  try {
    parseCel(text);
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error(`parsed: ${text}`);
}

test('an expression becomes a tree whose nodes know where they stand', () => {
  const { ast } = parseCel('lifetime_value >= 500 && verified');
  expect(ast.op).toBe('&&');
  expect([ast.start, ast.end]).toEqual([0, 33]);
});

test.each([
  ['an operator without a right side', 'lifetime_value >=', /character 18/],
  ['an empty expression', '', /character 1/],
  ['an expression longer than the bound', `a == ${'1'.repeat(5000)}`, /at most 4096/],
  ['an expression nested deeper than the bound', `${'('.repeat(60)}a${')'.repeat(60)}`, /character/],
])('%s is refused with its code and position', (_name, text, message) => {
  const failure = failureOf(text);
  expect(failure.code).toBe('HF_EXPRESSION_INVALID');
  expect(failure.message).toMatch(message);
});

test('a rule sees integers and doubles apart, and compares across them', () => {
  expect(compileRule('self.count > 1.5').evaluate({ count: 2n })).toBe(true);
  expect(compileRule('self == oldSelf').evaluate({ share: 0.5 }, { share: 0.25 })).toBe(false);
});

test('whole numbers of a list are added up, as Kubernetes does', () => {
  expect(compileRule('self.map(item, size(item)).sum() == 5').evaluate(['ab', '', 'abc'])).toBe(true);
  expect(compileRule('self.map(item, size(item)).sum() == 0').evaluate([])).toBe(true);
});

test('only a rule that names oldSelf is about updates', () => {
  expect(compileRule('self == oldSelf').isTransition).toBe(true);
  expect(compileRule('self.olds > 1').isTransition).toBe(false);
});
