import { expect, test } from '@jest/globals';
import { HoldfastError } from '../../base/errors.ts';
import { evaluate, type Row } from './evaluate.ts';
import { parseExpression } from './language.ts';
import { checkKinds, type ValueKind } from './types.ts';

test.each<[string, string, Row, boolean | undefined]>([
  ['&& binds tighter than ||', 'a > 5 || b > 5 && c > 5', { a: 6, b: 0, c: 0 }, true],
  ['parentheses win', '(a > 5 || b > 5) && c > 5', { a: 6, b: 0, c: 0 }, false],
  ['a boolean column stands by itself', 'verified && !opted_out', { verified: true, opted_out: false }, true],
  ['division is not whole-numbered as in CEL', 'a / 2 == 0.5', { a: 1 }, true],
  ['division by zero is a missing value', 'a / b > 1', { a: 1, b: 0 }, undefined],
  ['negative numbers are numbers', 'a < -0.3', { a: -0.35 }, true],
  ['a column can be negated', '-a > 3', { a: -4 }, true],
  ['a list of texts', 'm in ["US", "UK"]', { m: 'UK' }, true],
  ['a list of numbers', 'n in [1, 2.5, -3]', { n: -3 }, true],
  ['the end of a text', 'e.endsWith(".de")', { e: 'x.de' }, true],
  ['the middle of a text', 'e.contains("?")', { e: 'a?b' }, true],
  ['a column that is there', 'has(a)', { a: 0 }, true],
  ['a column that is missing', '!has(a)', { a: null }, true],
  ['a missing value makes a comparison unknown', '!(a > 5)', { a: null }, undefined],
  ['what is known can decide in spite of it', 'a > 5 || b', { a: null, b: true }, true],
  ['a number too long for JSON is still a number', 'n > 10 && n / 2 > 40 && n in [90]', { n: '90' }, true],
  ['texts compare by code point, as in the database', 't < "\uFFFD"', { t: '\u{1F600}' }, false],
])('%s', (_, text, row, expected) => {
  expect(evaluate(parseExpression(text), row)).toBe(expected);
});

test.each([
  ['a conditional', 'a ? b : c', 'character 1', 'write (a && b) || (!a && c)'],
  ['a function that does not exist', 'a > 1 && size(b) > 2', 'character 10', 'cannot be compared'],
  ['a regular expression', 't.matches("x+")', 'character 1', 'use startsWith'],
  ['a field of a column', 'a > 1 && b.c > 1', 'character 10', 'a plain name'],
  ['null', 'a == null', 'character 6', 'has(column)'],
  ['a bare number', 'a + 1', 'character 1', 'is a number, not a condition'],
  ['a bare text', '"a"', 'character 1', 'not a condition'],
  ['a condition as an operand', '(a > 1) == true', 'character 2', 'cannot be compared'],
  ['membership of a column', 'a in b', 'character 6', 'is not a list'],
  ['a mixed list', 'a in [1, "b"]', 'character 6', 'mixes'],
  ['an empty list', 'a in []', 'character 6', 'empty'],
  ['an unsigned number', 'a == 1u', 'character 6', 'write numbers as'],
  ['has of more than a column', 'has(a + 1)', 'character 1', 'has takes one column'],
  ['a prefix that is a column', 'a.startsWith(b)', 'character 1', 'takes one text'],
  ['a prototype name as a function', 'a.constructor("b")', 'character 1', 'constructor is not part of the language'],
  ['half an expression', 'a >', 'character 4', 'EOF'],
  ['an assignment', 'a = 1', 'character 3', 'Unexpected'],
  ['SQL', 'a > 1; DROP TABLE candidates', 'character 6', 'Unexpected'],
])('%s is refused with its position and a hint', (_, text, position, hint) => {
  const error = thrown(() => parseExpression(text));
  expect(error.code).toBe('HF_EXPRESSION_INVALID');
  expect(error.message).toContain(position);
  expect(error.message).toContain(hint);
});

test('a hostile expression is refused before it can exhaust the stack', () => {
  for (const text of [
    '('.repeat(2000) + 'a' + ')'.repeat(2000),
    `a${' && a'.repeat(1000)}`,
    '!'.repeat(4000) + 'a',
    'a'.repeat(5000),
  ]) {
    expect(thrown(() => parseExpression(text)).code).toBe('HF_EXPRESSION_INVALID');
  }
});

const columns = new Map<string, ValueKind>([
  ['plan', 'text'],
  ['age', 'number'],
  ['active', 'boolean'],
  ['since', 'other'],
]);

test.each([
  ['text compared with a number', 'plan > 5', 'HF_EXPRESSION_INVALID', 'column plan is text, 5 is number'],
  [
    'a number that stands for a condition',
    'age && active',
    'HF_EXPRESSION_INVALID',
    'column age is number, not true or false',
  ],
  ['arithmetic on text', 'plan + 1 > 2', 'HF_EXPRESSION_INVALID', 'column plan is text, and + needs numbers'],
  ['a prefix of a number', 'age.startsWith("1")', 'HF_EXPRESSION_INVALID', 'column age is number, not text'],
  ['a number in a list of texts', 'age in ["1"]', 'HF_EXPRESSION_INVALID', 'the list holds text'],
  ['an order of booleans', 'active > false', 'HF_EXPRESSION_INVALID', 'use == or !='],
  ['a date', 'since == since', 'HF_EXPRESSION_INVALID', 'cannot compare'],
  [
    'a column that is not there',
    'agee > 5',
    'HF_COLUMN_MISSING',
    'column agee is missing, filter mine needs it (did you mean age?)',
  ],
])('%s is refused before any row is read', (_, text, code, message) => {
  const error = thrown(() => checkKinds(parseExpression(text), columns, 'mine'));
  expect(error.code).toBe(code);
  expect(error.message).toContain(message);
});

function thrown(action: () => unknown): HoldfastError {
  try {
    action();
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
