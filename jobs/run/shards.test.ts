import { expect, test } from '@jest/globals';
import { shareOf } from './shards.ts';

test.each([
  [{ threads: 8, memoryMb: 4096 }, 1, { threads: 8, memoryMb: 4096 }],
  [{ threads: 8, memoryMb: 4096 }, 4, { threads: 2, memoryMb: 1024 }],
  [{ threads: 8, memoryMb: 1000 }, 3, { threads: 2, memoryMb: 333 }],
  [{ threads: 2, memoryMb: 512 }, 16, { threads: 1, memoryMb: 128 }],
])('of %j each of %i shards on one machine may use %j', (all, count, each) => {
  expect(shareOf(all, count)).toEqual(each);
  if (each.threads > 1) expect(count * each.threads).toBeLessThanOrEqual(all.threads);
  if (each.memoryMb > 128) expect(count * each.memoryMb).toBeLessThanOrEqual(all.memoryMb);
});
