import { expect, test } from '@jest/globals';
import { scoreText } from './figures.ts';

test.each([
  [0.4, '0.400'],
  [0.41234, '0.412'],
  [0.39996, '0.39996'],
  [0.40000004, '0.40000004'],
  [0.8, '0.800'],
])('the score %d is shown as %s, and never as a threshold that it is not', (score, text) => {
  expect(scoreText(score, [0.4, 0.6, 0.8])).toBe(text);
});
