import { expect, test } from '@jest/globals';
import { type ChainCounts, filterCollapse } from './filter-collapse.ts';

const QUALITY = { maxRejectedShare: 0.01, minRowsVersusLastRun: 0.5 };
const CAPS: ReadonlySet<string> = new Set(['cap']);
const chain = (rows: number, removed: Record<string, number>): ChainCounts => ({ rows, removed });
const last = chain(1000, { trust: 100, signal: 700, eligible: 20, cap: 30 });

test.each([
  [
    'a filter that let many through lets nobody through',
    chain(1000, { trust: 100, signal: 700, eligible: 200, cap: 0 }),
  ],
  [
    'one in a hundred of those who reached it is still hardly anybody',
    chain(1000, { trust: 100, signal: 891, eligible: 0, cap: 0 }),
  ],
  ['it was the first of the chain', chain(1000, { trust: 1000, signal: 0, eligible: 0, cap: 0 })],
  ['filters changed their places', chain(1000, { signal: 700, eligible: 300, trust: 0, cap: 0 })],
])('a batch does not take the place of the current one: %s', (_name, now) => {
  expect(filterCollapse(now, last, CAPS, QUALITY)).toMatchObject({ code: 'HF_CANDIDATES_COLLAPSED' });
  expect(filterCollapse(now, last, CAPS, { ...QUALITY, acceptEmptyBatch: true })).toBeUndefined();
  expect(filterCollapse(now, undefined, CAPS, QUALITY)).toBeUndefined();
});

test('the refusal names the filter and both figures', () => {
  const failure = filterCollapse(chain(1000, { trust: 100, signal: 700, eligible: 200 }), last, CAPS, QUALITY);
  expect(failure?.message).toContain(
    'The filter eligible leaves 0 of 200 customers; in the current batch it left 180 of 200.',
  );
});

test.each([
  [
    'a cap removes everybody, a week after their offers',
    chain(1000, { trust: 100, signal: 700, eligible: 20, cap: 180 }),
  ],
  ['each filter lets a little less through', chain(1000, { trust: 500, signal: 400, eligible: 50, cap: 0 })],
  ['a filter is new', chain(1000, { trust: 100, brand: 900, signal: 0 })],
  ['hardly anybody reached it', chain(19, { trust: 19 })],
  ['a filter leaves two in a hundred', chain(1000, { trust: 980, signal: 0 })],
])('a batch takes its place: %s', (_name, now) => {
  expect(filterCollapse(now, last, CAPS, QUALITY)).toBeUndefined();
});

test('a filter that never let many through is no sign', () => {
  const strict = chain(1000, { strict: 950 });
  expect(filterCollapse(chain(1000, { strict: 1000 }), strict, CAPS, QUALITY)).toBeUndefined();
});
