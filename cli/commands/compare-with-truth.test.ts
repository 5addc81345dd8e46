import { expect, test } from '@jest/globals';
import type { TruthComparison } from '../../providers/warehouses/sample/scores-beside-truth.ts';
import { truthLines } from '../terminal/truth-lines.ts';

const auc: TruthComparison['auc'] = { model: null, oracle: null, lastLogin: null, lastPurchase: null };

test.each([
  ['one who stayed', { customers: 1, happened: 0 }, '0.00 ± 0.79 leave, of 1'],
  ['five who all left', { customers: 5, happened: 1 }, '1.00 ± 0.43 leave, of 5'],
  ['two of whom one left', { customers: 2, happened: 0.5 }, '0.50 ± 0.41 leave, of 2'],
  ['many', { customers: 10_000, happened: 0.6 }, '0.60 ± 0.01 leave, of 10,000'],
])('how sure it is what happens, of %s', (_, level, text) => {
  const [, line] = truthLines({ levels: [{ level: 'high', said: 0.7, ...level }], auc } as unknown as TruthComparison);
  expect(line?.[2]).toContain(text);
});
