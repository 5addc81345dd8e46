import { expect, test } from '@jest/globals';
import { scoredGroupText } from './explain-group.ts';

const PLACE = { program: 'keep', run: 'keep-1', slot: '2026-11-23T02:00:00Z' };
const shown = (meanSize: number) =>
  scoredGroupText(
    {
      group: 'candidates',
      customers: 2,
      levels: { high: 2 },
      arms: { treatment: 2 },
      nearMisses: [],
      features: [{ feature: 'tickets', raises: 2, lowers: 0, meanSize }],
      sample: [],
    },
    PLACE,
    { top: 3, seed: undefined, measure: 'contributions' },
    [0.7],
  );

test('a group of which no feature moves a score is told so, in place of a table without a row', () => {
  expect(shown(0.2)).toMatch(/mean size +feature\n.*tickets/);
  expect(shown(0)).toContain('reasons  none: no feature moves the score of any of them');
  expect(shown(0)).not.toContain('mean size');
});

test('a score of the sample never looks like a threshold that it does not reach', () => {
  const risks = [0.69996, 0.7, 0.4123456];
  const text = scoredGroupText(
    {
      group: 'candidates',
      customers: 3,
      levels: {},
      arms: {},
      nearMisses: [],
      features: [],
      sample: risks.map((risk, index) => ({ customer: `C${index}`, risk, level: 'medium', arm: 'treatment' })),
    },
    PLACE,
    { top: 3, seed: undefined },
    [0.4, 0.7],
  );
  expect([...text.matchAll(/^ {2}C\d {2}(\S+)/gm)].map(([, risk]) => risk)).toEqual(['0.69996', '0.700', '0.412']);
});
