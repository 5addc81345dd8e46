import { expect, test } from '@jest/globals';
import { nearest } from './spelling.ts';

const FIELDS = ['filterChain', 'scoringModels', 'channels', 'enabled'];

test.each([
  ['a swapped pair of letters', 'fitlerChain', 'filterChain'],
  ['a missing letter', 'scoringModel', 'scoringModels'],
  ['another case', 'Enabled', 'enabled'],
  ['another word', 'temperature', undefined],
  ['nothing at all', '', undefined],
])('%s finds what was meant, or nothing', (_, word, meant) => {
  expect(nearest(word, FIELDS)).toBe(meant);
});
