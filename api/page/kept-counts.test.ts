import { expect, test } from '@jest/globals';
import type { RunRecord } from '../../database/runs/runs.ts';
import { keptCounts } from './kept-counts.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 10, 23, 2, minute));
const batch = (run: string, attempt = 1) =>
  ({ namespace: 'shop', owner: 'churn', run, attempt, publishedAt: at(0) }) as RunRecord;

test('a batch is counted once until the first of it expires, and anew when it was stored anew or the clock went back', async () => {
  let counted = 0;
  const counts = keptCounts(async () => ({ counts: ++counted, until: at(30) }));
  expect(await counts(batch('one'), at(10))).toBe(1);
  expect(await counts(batch('one'), at(29))).toBe(1);
  expect(await counts(batch('two'), at(29))).toBe(2);
  expect(await counts(batch('one', 2), at(29))).toBe(3);
  expect(await counts(batch('one'), at(9))).toBe(4);
  expect(await counts(batch('one'), at(30))).toBe(5);
});
