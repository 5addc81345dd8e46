import { expect, test } from '@jest/globals';
import { rfc3339 } from '../../../base/instant.ts';
import { STAGE_SETTINGS, storedProgram } from '../../../test/support/program.ts';
import { runSnapshot, storedRun } from '../../../test/support/run-snapshot.ts';
import { decideRun } from './run.ts';
import type { RunSnapshot } from './snapshot.ts';

/*
 * What a run waits for before it begins, and goes on once it was held.
 */
const NOW = new Date('2026-11-23T02:10:00Z');
const SLOT = '2026-11-23T02:00:00Z';

interface Row {
  readonly given: RunSnapshot;
  readonly now?: Date;
  readonly phase: string;
  readonly reason: string;
  readonly message?: string;
  readonly requeue?: string;
}

const backfill = (name: string, slot: string, created: string) =>
  storedRun(name, { trigger: 'backfill', slot }, undefined, created);

const SPREAD = { ...STAGE_SETTINGS, startJitterSeconds: 60 };
/** Of this uid a run begins 18.597 s after its slot. */
const SPREAD_PROGRAM = storedProgram({}, { metadata: { uid: 'program-uid' } });
const spread = (trigger: 'schedule' | 'manual') =>
  runSnapshot({ run: storedRun('weekly', { trigger, slot: SLOT }), program: SPREAD_PROGRAM, settings: SPREAD });

const begun = decideRun(runSnapshot(), NOW).status;
const resumed = storedRun('weekly', { slot: SLOT }, { ...begun, phase: 'Suspended' });

const ROWS: Readonly<Record<string, Row>> = {
  'a run waits while as many are at work as may be': {
    given: runSnapshot({ hasRoom: false }),
    phase: 'Pending',
    reason: 'WaitingForCapacity',
    message: 'as many runs are at work as may be at once: the oldest begins when one of them ends',
  },
  'what else is in the way is said before that': {
    given: runSnapshot({ hasRoom: false, others: [storedRun('older', {}, undefined, SLOT)] }),
    phase: 'Pending',
    reason: 'WaitingForRun',
  },
  'a run that was suspended waits for a place to go on': {
    given: runSnapshot({ run: resumed, hasRoom: false }),
    phase: 'Suspended',
    reason: 'WaitingForCapacity',
  },
  'a run of the schedule begins a while after its slot': {
    given: spread('schedule'),
    now: new Date('2026-11-23T02:00:01Z'),
    phase: 'Pending',
    reason: 'StartSpread',
    message: 'begins by 2026-11-23T02:00:19Z',
    requeue: '2026-11-23T02:00:18.597Z',
  },
  'and after it, at once': { given: spread('schedule'), phase: 'Running', reason: 'Running' },
  'one that a person makes begins at once': {
    given: spread('manual'),
    now: new Date('2026-11-23T02:00:01Z'),
    phase: 'Running',
    reason: 'Running',
  },
  'a backfill goes after a run that was made later': {
    given: runSnapshot({
      run: backfill('old', '2026-11-09T02:00:00Z', '2026-11-22T00:00:00Z'),
      others: [storedRun('new', {}, undefined, '2026-11-23T02:09:00Z')],
    }),
    phase: 'Pending',
    reason: 'WaitingForRun',
  },
  'a run goes before a backfill that was made earlier': {
    given: runSnapshot({ others: [backfill('old', '2026-11-09T02:00:00Z', '2026-11-22T00:00:00Z')] }),
    phase: 'Running',
    reason: 'Running',
  },
  'of backfills that of the oldest slot goes first, whichever was made first': {
    given: runSnapshot({
      run: backfill('one', '2026-11-16T02:00:00Z', '2026-11-22T00:00:00Z'),
      others: [backfill('other', '2026-11-09T02:00:00Z', '2026-11-22T00:00:01Z')],
    }),
    phase: 'Pending',
    reason: 'WaitingForRun',
  },
};

test.each(Object.entries(ROWS))('%s', (_name, { given, now = NOW, phase, reason, message, requeue }) => {
  const { status, requeueAt } = decideRun(given, now);
  const condition = status.conditions?.find(({ type }) => type === 'Reconciling');
  expect({ phase: status.phase, reason: condition?.reason }).toEqual({ phase, reason });
  if (message !== undefined) expect(condition?.message).toBe(message);
  expect(requeueAt && rfc3339(requeueAt)).toBe(requeue);
  // What was decided once is not decided anew.
  const again = decideRun({ ...given, run: { ...given.run, status } }, now);
  if (phase !== 'Running') expect(again).toEqual({ ...decideRun(given, now), actions: [] });
});

test('runs of many programs at one slot begin all over the time that they are spread over, each always at its own', () => {
  const starts = Array.from({ length: 200 }, (_, index) => {
    const program = storedProgram({}, { metadata: { uid: `program-${index}` } });
    const given = { ...spread('schedule'), program };
    const { requeueAt } = decideRun(given, new Date(SLOT));
    return ((requeueAt ?? new Date(SLOT)).getTime() - Date.parse(SLOT)) / 1000;
  });
  expect(Math.max(...starts)).toBeLessThan(60);
  const perTenth = Array.from({ length: 6 }, (_, tenth) => starts.filter((s) => Math.floor(s / 10) === tenth).length);
  expect(Math.min(...perTenth)).toBeGreaterThan(15);
});
