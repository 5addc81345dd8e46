import { expect, test } from '@jest/globals';
import { rfc3339 } from '../../../base/instant.ts';
import type { RetentionProgramSpec } from '../../../crds/index.ts';
import { expectRunSettles } from '../../../test/support/decided-again.ts';
import { WITH_CAMPAIGN } from '../../../test/support/pipelines.ts';
import { KEEP, STAGE_SETTINGS, storedProgram } from '../../../test/support/program.ts';
import { runSnapshot, storedRun } from '../../../test/support/run-snapshot.ts';
import type { RunObject } from '../../kube/objects.ts';
import { buildRevision } from '../../objects/revision.ts';
import { decideRun } from './run.ts';
import type { RunSnapshot } from './snapshot.ts';

/*
 * What a run waits for before it begins, and goes on once it was held.
 */
const NOW = new Date('2026-11-23T02:10:00Z');
const SLOT = '2026-11-23T02:00:00Z';
const REVISION = buildRevision(KEEP, storedProgram(), STAGE_SETTINGS);

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

const underWay = (name: string, created: string) =>
  storedRun(name, {}, { phase: 'Running', startTime: '2026-11-23T02:05:00Z' }, created);

const ROWS: Readonly<Record<string, Row>> = {
  'of many the one that it comes right after is named': {
    given: runSnapshot({
      others: [
        storedRun('second', {}, undefined, '2026-11-23T01:00:00Z'),
        underWay('first', '2026-11-23T02:00:02Z'),
        storedRun('first-of-all', {}, undefined, '2026-11-23T00:00:00Z'),
        storedRun('later', {}, undefined, '2026-11-23T02:09:00Z'),
      ],
    }),
    phase: 'Pending',
    reason: 'WaitingForRun',
    message: 'the run second goes first: they go one after the other, the oldest first',
  },
  'or else the one that has begun, whenever it was made': {
    given: runSnapshot({ others: [underWay('first', '2026-11-23T02:00:02Z')] }),
    phase: 'Pending',
    reason: 'WaitingForRun',
    message: 'the run first goes first: they go one after the other, the oldest first',
  },
  'a run waits while as many are at work as may be': {
    given: runSnapshot({ hasRoom: false }),
    phase: 'Pending',
    reason: 'WaitingForCapacity',
    message:
      'as many runs are at work as may be at once, of all namespaces or of its own: the run has its turn as they end',
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

const campaign = (change: Partial<RunSnapshot> = {}, spec: Partial<RunObject['spec']> = {}, created?: string) =>
  runSnapshot({
    run: storedRun('campaign', { pipeline: 'campaign' as never, slot: SLOT, ...spec }, undefined, created),
    pipelines: WITH_CAMPAIGN,
    ...change,
  });
const report = (spec: Partial<RunObject['spec']>, change: Partial<RunSnapshot> = {}) =>
  campaign(change, { pipeline: 'report' as never, ...spec });
/** A run of the batch that has succeeded. */
const done = (spec: Partial<RunObject['spec']> = {}, slot = SLOT, phase: 'Succeeded' | 'Failed' = 'Succeeded') =>
  storedRun('batch', spec, { phase, slot, startTime: slot });
const ownedBy = (uid: string, run: RunObject): RunObject => {
  const owner = { apiVersion: 'holdfast.dev/v1alpha1', kind: 'RetentionProgram', name: 'keep', uid, controller: true };
  return { ...run, metadata: { ...run.metadata, ownerReferences: [owner] } };
};
const recorded = (lastSucceededSlot: string, name = 'batch') => {
  const pipelines = [{ name, lastSucceededSlot }] as never;
  return storedProgram({}, { status: { pipelines } });
};
/** Deleted after its batch and made again, with the same programId. */
const REMADE_AT = '2026-11-23T02:05:00Z';
const REMADE = storedProgram({}, { metadata: { uid: 'remade', creationTimestamp: REMADE_AT } });
const waits: Omit<Row, 'given'> = {
  phase: 'Pending',
  reason: 'WaitingForBatch',
  message: 'the run begins when batch has succeeded for the slot 2026-11-23T02:00:00Z, until 2026-11-23T14:00:01Z',
  requeue: '2026-11-23T14:00:01Z',
};
const begins = { phase: 'Running', reason: 'Running' };

const AFTER: Readonly<Record<string, Row>> = {
  'a run waits for the batch of its slot': { given: campaign(), ...waits },
  'a batch that has succeeded lets it begin': { given: campaign({ succeeded: [done()] }), ...begins },
  'whoever made that, and for whatever instant since its slot': {
    given: report(
      { slot: '2026-11-23T02:09:00Z' },
      { succeeded: [done({ trigger: 'manual' }, '2026-11-23T02:05:00Z')] },
    ),
    ...begins,
  },
  'one of the slot before does not': { given: campaign({ succeeded: [done({}, '2026-11-16T02:00:00Z')] }), ...waits },
  'nor one that was as of later': { given: campaign({ succeeded: [done({}, '2026-11-23T02:00:01Z')] }), ...waits },
  'nor a dry run': { given: campaign({ succeeded: [done({ dryRun: true })] }), ...waits },
  'nor a backfill': { given: campaign({ succeeded: [done({ trigger: 'backfill' })] }), ...waits },
  'but for a backfill': {
    given: report({ trigger: 'backfill' }, { succeeded: [done({ trigger: 'backfill' })] }),
    ...begins,
  },
  'nor another pipeline': { given: campaign({ succeeded: [done({ pipeline: 'prune' })] }), ...waits },
  'one of the program counts, and none of an earlier program of the name': {
    given: campaign({ succeeded: [ownedBy('program-uid', done())] }),
    ...begins,
  },
  'which is deleted with its runs': { given: campaign({ succeeded: [ownedBy('elder-uid', done())] }), ...waits },
  'one by hand of an earlier program of the name, which outlives it, does not count': {
    given: campaign({ succeeded: [done({ trigger: 'manual' })], program: REMADE }),
    ...waits,
  },
  'unless it began under this one': {
    given: campaign({
      succeeded: [{ ...done({ trigger: 'manual' }), status: { phase: 'Succeeded', slot: SLOT, startTime: REMADE_AT } }],
      program: REMADE,
    }),
    ...begins,
  },
  'a batch whose run is gone is known by the program': { given: campaign({ program: recorded(SLOT) }), ...begins },
  'and one of another slot is none': { given: campaign({ program: recorded('2026-11-16T02:00:00Z') }), ...waits },
  'one of the schedule waits until so long after its slot': {
    given: campaign({}, { trigger: 'schedule' }),
    ...waits,
    message: 'the run begins when batch has succeeded for the slot 2026-11-23T02:00:00Z, until 2026-11-23T14:00:00Z',
    requeue: '2026-11-23T14:00:00Z',
  },
  'at its deadline it has failed': {
    given: campaign({}, { trigger: 'schedule' }),
    now: new Date('2026-11-23T14:00:00Z'),
    phase: 'Failed',
    reason: 'BatchMissed',
    message: 'not until 2026-11-23T14:00:00Z, its deadline: batch has succeeded for the slot 2026-11-23T02:00:00Z',
  },
  'what else is in its way matters only then': {
    given: campaign({
      hasRoom: false,
      others: [storedRun('older', { pipeline: 'campaign' as never }, undefined, SLOT)],
    }),
    ...waits,
  },
  'a run that waits so holds up no other': {
    given: campaign({
      succeeded: [done()],
      others: [storedRun('older', { pipeline: 'campaign' as never }, decideRun(campaign(), NOW).status, SLOT)],
    }),
    ...begins,
  },
};

const OLD: Readonly<Record<string, Row>> = {
  'what reaches people is not run for a slot that is past': {
    given: campaign({ succeeded: [done()] }, { slot: '2026-11-16T02:00:00Z' }),
    phase: 'Failed',
    reason: 'OldSlot',
    message:
      'campaign reaches people, and so runs only for the newest slot of 0 2 * * MON, which was 2026-11-23T02:00:00Z when the ' +
      "run was made; the run's is 2026-11-16T02:00:00Z: make a run without a slot",
  },
  'nor for an instant of its own': {
    given: campaign({ succeeded: [done()] }, { slot: '2026-11-23T02:00:01Z' }),
    phase: 'Failed',
    reason: 'OldSlot',
  },
  'nor is there a backfill of it': {
    given: campaign({ succeeded: [done()] }, { trigger: 'backfill' }),
    phase: 'Failed',
    reason: 'OldSlot',
    message: 'campaign reaches people, who are never told of what is past: there is no backfill of it',
  },
  'nor is a slot of it done twice': {
    given: campaign({ succeeded: [done(), done({ pipeline: 'campaign' as never })] }),
    phase: 'Failed',
    reason: 'SlotDone',
    message:
      'campaign reaches people, and has succeeded for the slot 2026-11-23T02:00:00Z: nobody is told twice, so run it at its next slot',
  },
  'nor one of which only the program still knows': {
    given: campaign({ succeeded: [done()], program: recorded(SLOT, 'campaign') }),
    phase: 'Failed',
    reason: 'SlotDone',
  },
  'nor one after a later slot of it': {
    given: campaign({ succeeded: [done()], program: recorded('2026-11-30T02:00:00Z', 'campaign') }),
    phase: 'Failed',
    reason: 'SlotDone',
  },
  'a dry run of it tells nobody': {
    given: campaign({ succeeded: [done()], program: recorded(SLOT, 'campaign') }, { dryRun: true }),
    ...begins,
  },
  'and none was told by one': {
    given: campaign({ succeeded: [done(), done({ pipeline: 'campaign' as never, dryRun: true })] }),
    ...begins,
  },
  'what reaches nobody may be of any slot': {
    given: report({ slot: '2026-11-16T02:00:00Z' }, { succeeded: [done({}, '2026-11-16T02:00:00Z')] }),
    ...begins,
  },
  'by a clock that is behind the slot is of the newest': {
    given: campaign({ succeeded: [done()] }, {}, '2026-11-23T01:58:00Z'),
    ...begins,
  },
};

const UID = 'original-uid';
const original = (phase: 'Failed' | 'Succeeded' | 'Running' | 'Cancelled', spec: Partial<RunObject['spec']> = {}) =>
  storedRun('original', { slot: SLOT, ...spec }, { ...begun, phase });
const retry = (of: RunObject | undefined, change: Partial<RunSnapshot> = {}, spec: Partial<RunObject['spec']> = {}) =>
  runSnapshot({
    run: storedRun('again', { trigger: 'retry', retryOf: { name: 'original', uid: UID }, ...spec }),
    original: of,
    revision: REVISION,
    ...change,
  });
const refused = (given: RunSnapshot, message: string): Row => ({
  given,
  phase: 'Failed',
  reason: 'NothingToRetry',
  message,
});

const RETRY: Readonly<Record<string, Row>> = {
  'a run that failed is tried again': { given: retry(original('Failed')), ...begins },
  'as is one that was cancelled': { given: retry(original('Cancelled')), ...begins },
  'one that is not there is not': refused(
    retry(undefined),
    'there is no RetentionRun original with the uid original-uid in this namespace',
  ),
  'nor another one of its name': refused(
    retry({ ...original('Failed'), metadata: { ...original('Failed').metadata, uid: 'another' } }),
    'there is no RetentionRun original with the uid original-uid in this namespace',
  ),
  'nor one that goes on': refused(
    retry(original('Running')),
    'the run original is not over (Running): wait for it, or cancel it',
  ),
  'nor one that has succeeded': refused(
    retry(original('Succeeded')),
    'the run original has succeeded: begin another in its place',
  ),
  'nor one of another program': refused(
    retry(original('Failed', { programRef: { name: 'other' } })),
    'the run original is of the program other',
  ),
  'nor one of another pipeline': refused(
    retry(original('Failed', { pipeline: 'prune' })),
    'the run original is of the pipeline prune',
  ),
  'nor a backfill as what becomes current': refused(
    retry(original('Failed', { trigger: 'backfill' })),
    'the run original is a backfill, and so is its retry: write trigger: backfill',
  ),
  'a backfill is tried again as one': {
    given: retry(original('Failed', { trigger: 'backfill' }), {}, { trigger: 'backfill' }),
    ...begins,
  },
  'but nothing else as one': refused(
    retry(original('Failed'), {}, { trigger: 'backfill' }),
    'the run original is no backfill: write trigger: retry',
  ),
  'nor a dry run as one that publishes': refused(
    retry(original('Failed', { dryRun: true })),
    'the run original is a dry run: write dryRun: true',
  ),
  'nor the other way round': refused(
    retry(original('Failed'), {}, { dryRun: true }),
    'the run original is no dry run: leave out spec.dryRun',
  ),
  'nor one from a stage on, of which nothing is recorded': refused(
    retry(original('Failed', { dryRun: true }), {}, { dryRun: true, fromStage: 'score' }),
    'the run original is a dry run, which leaves nothing to go on from: leave out spec.fromStage',
  ),
  'a dry run is tried again as a whole': {
    given: retry(original('Failed', { dryRun: true }), {}, { dryRun: true }),
    ...begins,
  },
  'nor for another slot': refused(
    retry(original('Failed'), {}, { slot: '2026-11-16T02:00:00Z' }),
    'the run original is of the slot 2026-11-23T02:00:00Z: leave out spec.slot',
  ),
  'nor one of a program that had the name before': refused(
    retry(original('Failed'), { program: storedProgram({ programId: 'another' }) }),
    'the run original is of an earlier program keep, with another programId',
  ),
  'without the revision that it was pinned to nobody knows what to do': {
    given: retry(original('Failed'), { revision: undefined, program: storedProgram({ programName: 'Changed' }) }),
    phase: 'Failed',
    reason: 'RevisionLost',
  },
  'unless the program is what it was': { given: retry(original('Failed'), { revision: undefined }), ...begins },
  'one that never began is tried with the program as it is': {
    given: retry(storedRun('original', { slot: SLOT }, { phase: 'Failed' }), {
      revision: undefined,
      program: storedProgram({ programName: 'Changed' }),
    }),
    ...begins,
  },
  'what reaches people is tried again while its slot is the newest': {
    given: retry(
      original('Failed', { pipeline: 'campaign' as never }),
      { pipelines: WITH_CAMPAIGN },
      { pipeline: 'campaign' as never },
    ),
    ...begins,
  },
};

test.each([...Object.entries(ROWS), ...Object.entries(AFTER), ...Object.entries(OLD), ...Object.entries(RETRY)])(
  '%s',
  (_name, { given, now = NOW, phase, reason, message, requeue }) => {
    const { status, requeueAt } = decideRun(given, now);
    const condition = status.conditions?.find(({ type }) => type === 'Reconciling');
    expect({ phase: status.phase, reason: condition?.reason }).toEqual({ phase, reason });
    if (message !== undefined) expect(condition?.message).toBe(message);
    expect(requeueAt && rfc3339(requeueAt)).toBe(requeue);
    expectRunSettles(given, now);
  },
);

test.each<[string, RunSnapshot, string | undefined]>([
  ['that is named', spread('schedule'), SLOT],
  ['of the calendar, where none is named', runSnapshot({ run: storedRun('by-hand', { suspend: true }) }), SLOT],
  ['of the run that is tried again', retry(original('Failed'), { hasRoom: false }), SLOT],
  [
    'by the schedule as it is now',
    runSnapshot({
      run: storedRun('by-hand', { suspend: true }, { phase: 'Suspended', slot: SLOT }),
      program: storedProgram({ batchSchedule: '0 1 * * MON' }),
    }),
    '2026-11-23T01:00:00Z',
  ],
  ['that is named, without a program', runSnapshot({ program: undefined }), SLOT],
  [
    'that is yet to come',
    runSnapshot({ run: storedRun('early', { slot: '2027-01-01T00:00:00Z' }) }),
    '2027-01-01T00:00:00Z',
  ],
  ['of none, without a program', runSnapshot({ run: storedRun('by-hand'), program: undefined }), undefined],
  [
    'of none, by a schedule that cannot be read',
    runSnapshot({ run: storedRun('by-hand'), program: storedProgram({ timeZone: 'Mars/Phobos' }) }),
    undefined,
  ],
])('a run that has not begun says of which slot it will be: one %s', (_name, given, slot) => {
  const { status } = decideRun(given, new Date('2026-11-23T02:00:01Z'));
  expect({ begun: status.startTime, slot: status.slot }).toEqual({ begun: undefined, slot });
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

test('a run that is tried again is pinned to what the first try was, whatever the program says by now', () => {
  const program = storedProgram({ programName: 'Changed' });
  const { actions, status } = decideRun(retry(original('Failed'), { program }), NOW);
  expect(status.revision).toBe(REVISION.metadata.name);
  expect(actions.map((action) => action.do === 'create' && action.object.kind)).toEqual(['Job']);
});

const pending = (reason: string, phase: 'Pending' | 'Suspended' = 'Pending') =>
  ({ phase, conditions: [{ type: 'Reconciling', status: 'True', reason, message: 'm' }] }) as RunObject['status'];

test.each<[string, RunObject['status'], boolean]>([
  ['that it alone is in the way of', pending('WaitingForRun'), true],
  ['whose time is about to come', pending('StartSpread'), true],
  ['that waits for a place', pending('WaitingForCapacity'), true],
  ['that has begun', { phase: 'Running', startTime: SLOT }, true],
  ['that nobody has looked at', undefined, false],
  ['that waits for a batch', pending('WaitingForBatch'), false],
  ['that a person holds', pending('Suspended', 'Suspended'), false],
  ['of a program that is turned off', pending('ProgramDisabled', 'Suspended'), false],
  ['of a program with a fault', pending('SpecInvalid'), false],
  ['for which there is no storage', pending('StorageMissing'), false],
])('a run is replaced by a newer one only if that can begin: one %s', (_name, status, isReplaced) => {
  expect(besideNewer({}, {}, status).status.phase === 'Cancelled').toBe(isReplaced);
});

test.each<[string, Partial<RunObject['spec']>, Partial<RetentionProgramSpec>, boolean]>([
  ['ends where the program replaces', {}, {}, true],
  ['goes on where runs wait for each other', {}, { concurrencyPolicy: 'Forbid' }, false],
  ['goes on beside one that a person made', { trigger: 'manual' }, {}, false],
  ['goes on beside one of an older slot', { slot: '2026-11-16T02:00:00Z' }, {}, false],
  ['goes on beside one of another pipeline', { pipeline: 'prune' }, {}, false],
  ['goes on beside one that is being cancelled', { cancel: true }, {}, false],
  ['goes on beside one that a person is about to hold', { suspend: true }, {}, false],
])('a run of the schedule, beside a newer one, %s', (_name, other, spec, isReplaced) => {
  const { actions, status, again } = besideNewer(other, spec, pending('WaitingForRun'));
  const condition = status.conditions?.find(({ type }) => type === 'Failed');
  expect(status.phase === 'Cancelled').toBe(isReplaced);
  if (!isReplaced) return;
  expect(condition).toMatchObject({ status: 'True', reason: 'Replaced', message: expect.stringContaining('newer') });
  expect(actions.map((action) => action.do === 'event' && action.reason)).toEqual(['RunReplaced']);
  expect(again().actions).toEqual([]);
});

/** What is decided about a run of the schedule that goes on, beside one of a week later. */
function besideNewer(
  other: Partial<RunObject['spec']>,
  spec: Partial<RetentionProgramSpec>,
  newerStatus: RunObject['status'],
) {
  const program = storedProgram({ concurrencyPolicy: 'Replace', ...spec });
  const older = ownedBy(program.metadata.uid, storedRun('older', { trigger: 'schedule', slot: SLOT }, begun));
  const newer = storedRun('newer', { trigger: 'schedule', slot: '2026-11-30T02:00:00Z', ...other }, newerStatus);
  const others = [ownedBy(program.metadata.uid, newer)];
  const given = runSnapshot({ run: older, program, others, revision: REVISION });
  const { actions, status } = decideRun(given, NOW);
  return { actions, status, again: () => decideRun({ ...given, run: { ...older, status } }, NOW) };
}
