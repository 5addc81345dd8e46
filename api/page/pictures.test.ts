import { expect, test } from '@jest/globals';
import type { CandidateGroup } from '../../database/batches/batch-figures.ts';
import { offers } from './pictures.ts';

const group = (change: Partial<CandidateGroup>): CandidateGroup => ({
  riskLevel: 'high',
  bin: 30,
  offerKind: null,
  offerTier: 'standard',
  arm: 'treatment',
  candidates: 1,
  ...change,
});

/** Rows of a table of offers, as somebody reads them. */
const rows = (groups: readonly CandidateGroup[]) =>
  [...offers(groups).html.matchAll(/<tr>\s*<th scope="row">.*?<\/tr>/gs)].map(([row]) =>
    row
      .replaceAll(/<[^>]*>/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim(),
  );

test('offers are counted by tier, whether or not a second model recommends anything', () => {
  const groups = [
    group({ offerTier: 'premium', candidates: 40 }),
    group({ offerTier: 'premium', arm: 'holdout', candidates: 4 }),
    group({ candidates: 200 }),
    group({ offerTier: null, candidates: 8 }),
  ];
  expect(rows(groups)).toEqual(['Standard 200 0 held out', 'Premium 44 4 held out', 'No offer 8 0 held out']);
});

test('where a second model recommends, its kinds are counted as well', () => {
  const groups = [group({ offerKind: 'discount', candidates: 3 }), group({ offerKind: 'upgrade', candidates: 5 })];
  expect(rows(groups)).toEqual(['Standard 8 0 held out', 'Upgrade 5 0 held out', 'Discount 3 0 held out']);
});
