import { expect, test } from '@jest/globals';
import { Type } from 'typebox';
import { queryReader } from './parameters.ts';
import { problemOf } from './problem.ts';

const read = queryReader(Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })) }));

function problem(query: string) {
  try {
    read(query);
  } catch (error) {
    return problemOf(error, 'a request').problem;
  }
  throw new Error('nothing was refused');
}

test('of nine hundred parameters at fault the first ten are told, and how many more there are', () => {
  const names = Array.from({ length: 900 }, (_, index) => `${'x'.repeat(20)}${index}=1`);
  const refusal = problem(names.join('&'));
  expect(refusal.errors).toHaveLength(10);
  expect(refusal.detail).toMatch(/; and 890 more faults$/);
  expect(JSON.stringify(refusal).length).toBeLessThan(5000);
});

test('one parameter at fault is told whole, without a count', () => {
  expect(problem('limit=0')).toMatchObject({
    detail: 'limit is 0; the least is 1',
    errors: [{ parameter: 'limit', reason: 'is 0; the least is 1' }],
  });
});
