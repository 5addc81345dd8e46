import { expect, test } from '@jest/globals';
import { FEATURES, featureOf, sayable, withUnit } from './features.ts';

test('each feature says its value, on both sides, in words of its own', () => {
  const said = FEATURES.flatMap(({ atLeast, under, unit }) => {
    const value = withUnit(7, unit);
    return [atLeast(value), under(value)].map((sentence) => {
      expect(sentence).toContain(value);
      return sentence;
    });
  });
  expect(new Set(said).size).toBe(2 * FEATURES.length);
  expect(() => featureOf('age')).toThrow('no feature is called age');
});

test.each([
  ['days', 94.6, 95, '95 days'],
  ['days', 1, 1, '1 day'],
  ['purchases', 2.4, 2, '2 purchases'],
  ['tickets', 0.9, 1, '1 support ticket'],
  ['money', 1234.5, 1200, '1,200 GBP'],
  ['money', 3.7, 4, '4 GBP'],
  ['share', 0.0671, 0.07, '7 %'],
  ['ratio', 2.349, 2.3, '2.3 times'],
] as const)('%s: of %d a person says %d, as %s', (unit, value, said, words) => {
  expect(sayable(value, unit)).toBe(said);
  expect(withUnit(said, unit, 'GBP')).toBe(words);
});
