import { expect, test } from '@jest/globals';
import type { RunStanding } from '../../database/expiry/retired-runs.ts';
import { pinsOf } from './run-pins.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const day = (n: number) => new Date(NOW.getTime() + n * 86_400_000);

let sequence = 0;
function run(change: Partial<RunStanding> = {}): RunStanding {
  sequence += 1;
  return {
    run: `run-${sequence}`,
    pipeline: 'batch',
    phase: 'Succeeded',
    sequence,
    endedAt: day(-400),
    prunedAt: undefined,
    isCurrent: false,
    hasLiveCandidates: false,
    onCluster: false,
    ...change,
  };
}

/** Newer succeeded runs, so that what is looked at is not among the newest. */
const later = () => [run(), run()];
const RETENTION = { runs: 2, failedDays: 10 };

test.each<[string, Partial<RunStanding>, string | undefined]>([
  ['an old run that nothing needs may go', {}, undefined],
  ['one under way stays, however old', { phase: 'Running' }, 'running'],
  ['that of the current batch stays', { isCurrent: true }, 'current'],
  ['one whose candidates live stays', { hasLiveCandidates: true }, 'live-candidates'],
  ['one that failed lately stays', { phase: 'Failed', endedAt: day(-9) }, 'recent-failure'],
  ['one that was interrupted lately stays', { phase: 'Interrupted', endedAt: day(-9) }, 'recent-failure'],
  ['one that failed long ago may go', { phase: 'Failed', endedAt: day(-11) }, undefined],
  ['one that succeeded lately may go when newer ones did', { endedAt: day(-1) }, undefined],
])('%s', (_sentence, change, pin) => {
  const looked = run(change);
  expect(pinsOf([looked, ...later()], RETENTION, NOW).get(looked.run)).toBe(pin);
});

test('the newest of each pipeline stay, and runs of one do not push out those of another', () => {
  const runs = [run(), run(), run(), ...[1, 2, 3, 4].map(() => run({ pipeline: 'prune' }))];
  const kept = [...pinsOf(runs, RETENTION, NOW).keys()];
  expect(kept).toEqual([runs[1], runs[2], runs[5], runs[6]].map((one) => one?.run));
});

test('failures do not push out what succeeded', () => {
  const good = run();
  const failures = [1, 2, 3].map(() => run({ phase: 'Failed' }));
  expect([...pinsOf([good, ...failures], RETENTION, NOW).keys()]).toEqual([good.run]);
});
