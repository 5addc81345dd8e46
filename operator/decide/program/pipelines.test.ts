import { expect, test } from '@jest/globals';
import type { PipelineStatus } from '../../../crds/index.ts';
import { expectProgramSettles } from '../../../test/support/decided-again.ts';
import { WITH_CAMPAIGN } from '../../../test/support/pipelines.ts';
import { storedProgram } from '../../../test/support/program.ts';
import {
  brief,
  FIRST,
  known,
  knownAs,
  RUN,
  runAt,
  SCHEDULE,
  SECOND,
  SINCE,
  snapshot,
  statusOf,
} from '../../../test/support/program-snapshot.ts';
import type { ProgramObject, RunObject } from '../../kube/objects.ts';
import { attemptKey } from '../action.ts';
import { decideProgram, programNotRead } from './program.ts';

/*
 * How the schedules of several pipelines are followed, each by itself: with a campaign, which goes with the batch and reaches
 * people, and a report, which has times of its own.
 */
type Spec = Parameters<typeof storedProgram>[0];

const BATCH: PipelineStatus = { name: 'batch', schedule: SCHEDULE, since: SINCE };
const CAMPAIGN: PipelineStatus = { name: 'campaign', schedule: SCHEDULE, since: SINCE };

function decide(program: ProgramObject, at: string, runs: readonly RunObject[] = []) {
  return decideProgram(snapshot(program, { runs, pipelines: WITH_CAMPAIGN }), new Date(at));
}

const settles = (program: ProgramObject, at: string, runs: readonly RunObject[] = []) =>
  expectProgramSettles(snapshot(program, { runs, pipelines: WITH_CAMPAIGN }), new Date(at));

const does = (...given: Parameters<typeof decide>) =>
  decide(...given)
    .actions.map(brief)
    .filter((action) => action.startsWith('create') || action.startsWith('delete'));

const of = (pipeline: string, slot: string, phase?: Parameters<typeof runAt>[1]) =>
  runAt(slot, phase, storedProgram(), pipeline);

const changed = (run: RunObject, spec: Partial<RunObject['spec']>, name = 'by-hand'): RunObject => ({
  ...run,
  metadata: { ...run.metadata, name, uid: `uid of ${name}`, ownerReferences: [] },
  spec: { ...run.spec, ...spec },
});

const elder = storedProgram({}, { metadata: { uid: 'an earlier program' } });

test('a slot whose run was made is not skipped, however late the program is looked at', () => {
  const made = (run: RunObject) => decide(known(), '2026-11-24T00:00:00Z', [run]);
  expect(made(of('batch', FIRST, 'Succeeded')).actions).toEqual([]);
  expect(statusOf('batch', made(of('batch', FIRST)))).toMatchObject({ lastSlot: FIRST });
  expect(statusOf('batch', made(of('batch', FIRST)))).not.toHaveProperty('skippedSlots');
  expect(made(runAt(FIRST, 'Succeeded', elder)).actions.map(brief)).toContain('event SlotsMissed');
});

test('what goes with another is due at its slots, and each is said for itself', () => {
  const program = knownAs([BATCH, CAMPAIGN]);
  expect(does(program, FIRST)).toEqual([`create ${RUN}`, `create ${RUN}-campaign`]);
  const { status } = decide(program, '2026-11-24T00:00:00Z', [
    of('batch', FIRST, 'Succeeded'),
    of('campaign', FIRST, 'Running'),
  ]);
  expect(status.pipelines).toEqual([
    {
      ...BATCH,
      lastSlot: FIRST,
      nextSlot: SECOND,
      lastSucceededSlot: FIRST,
      lastRun: { name: RUN, slot: FIRST, phase: 'Succeeded', startTime: FIRST },
    },
    {
      ...CAMPAIGN,
      lastSlot: FIRST,
      nextSlot: SECOND,
      lastRun: { name: `${RUN}-campaign`, slot: FIRST, phase: 'Running', startTime: FIRST },
    },
  ]);
});

test('a run that failed before it began is the last run as any other, and one that waits is not', () => {
  const before = of('campaign', FIRST, 'Succeeded');
  const unbegun = (phase: 'Failed' | 'Pending') => {
    const run = of('campaign', SECOND, phase);
    const { slot: _slot, startTime: _start, ...status } = run.status ?? {};
    return { ...run, status } as RunObject;
  };
  const last = (run: RunObject) =>
    statusOf('campaign', decide(knownAs([BATCH, CAMPAIGN]), '2026-12-01T00:00:00Z', [before, run])).lastRun;
  expect(last(unbegun('Failed'))).toMatchObject({ slot: SECOND, phase: 'Failed' });
  expect(last(unbegun('Pending'))).toMatchObject({ slot: FIRST, phase: 'Succeeded' });
});

test('of several slots whose runs are refused each is said, and once', () => {
  const refused = new Map(
    [of('batch', FIRST), of('campaign', FIRST)].map((run) => [
      attemptKey(run),
      { status: 403, message: `exceeded quota for ${run.spec.pipeline}` },
    ]),
  );
  const given = snapshot(knownAs([BATCH, CAMPAIGN]), {
    pipelines: WITH_CAMPAIGN,
    attempts: { taken: new Set(), refused },
  });
  const { actions, status } = decideProgram(given, new Date(FIRST));
  expect(actions.map(brief)).toEqual(['event RunRefused', 'event RunRefused']);
  expect(status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
    reason: 'Refused',
    message: expect.stringMatching(/for batch; .*for campaign$/),
  });
  expectProgramSettles(given, new Date(FIRST));
});

const REPORTS = (report: string): Spec => ({ schedules: { report }, timeZone: 'Europe/Berlin' });

test.each<[string, string, string, readonly string[]]>([
  ['in winter, nine in Berlin is eight', '0 9 * * *', '2026-11-24T08:00:00Z', ['create keep-20261124t0800z-report']],
  ['in summer it is seven', '0 9 * * *', '2026-07-24T07:00:00Z', ['create keep-20260724t0700z-report']],
  [
    'a time that spring leaves out is that at its end',
    '30 2 * * *',
    '2026-03-29T01:00:00Z',
    ['create keep-20260329t0100z-report'],
  ],
  [
    'a time that autumn has twice is the first',
    '30 2 * * *',
    '2026-10-25T00:30:00Z',
    ['create keep-20261025t0030z-report'],
  ],
  [
    'every hour goes on through the hour that autumn repeats',
    '0 * * * *',
    '2026-10-25T01:00:00Z',
    ['create keep-20261025t0100z-report'],
  ],
])('the zone of a program holds for each of its schedules: %s', (_name, report, at, expected) => {
  const since = new Date(Date.parse(at) - 30 * 60_000).toISOString();
  const program = knownAs([{ name: 'report', schedule: `${report} Europe/Berlin`, since }], REPORTS(report));
  expect(does(program, at)).toEqual(expected);
  settles(program, at);
});

test('a fixed time that autumn repeats is not due for the second time', () => {
  const first = '2026-10-25T00:30:00Z';
  const progress = { name: 'report', schedule: '30 2 * * * Europe/Berlin', since: SINCE, lastSlot: first };
  expect(does(knownAs([progress], REPORTS('30 2 * * *')), '2026-10-25T01:30:00Z')).toEqual([]);
});

const REPORT: PipelineStatus = { name: 'report', schedule: '0 9 * * * UTC', since: SINCE, skippedSlots: 2 };
const MORNING: Spec = { schedules: { report: '0 9 * * *' } };
const AT = '2026-11-24T09:00:05Z';

test.each<[string, ProgramObject, Partial<PipelineStatus>]>([
  [
    'one that was edited',
    knownAs([REPORT], { schedules: { report: '0 8 * * *' } }),
    { nextSlot: '2026-11-25T08:00:00Z', skippedSlots: 2 },
  ],
  ['one that was just given', knownAs([BATCH], MORNING), { nextSlot: '2026-11-25T09:00:00Z' }],
  [
    'one that was taken away once, and given again',
    knownAs([{ name: 'report', lastSucceededSlot: '2026-11-20T09:00:00Z' }], MORNING),
    { nextSlot: '2026-11-25T09:00:00Z', lastSucceededSlot: '2026-11-20T09:00:00Z' },
  ],
  [
    'one of a program that was off for weeks',
    knownAs([{ ...REPORT, schedule: 'off' }], MORNING),
    { nextSlot: '2026-11-25T09:00:00Z', skippedSlots: 2 },
  ],
])('a schedule that is new never runs slots of before: %s', (_name, program, expected) => {
  expect(does(program, AT)).toEqual([]);
  const {
    name: _report,
    schedule: _schedule,
    since,
    ...rest
  } = { name: '', ...statusOf('report', decide(program, AT)) };
  expect([since, rest]).toEqual([AT, expected]);
  settles(program, AT);
});

test('a pipeline that an upgrade brings is new, also where it goes with one that is long known', () => {
  const before = { ...BATCH, lastSlot: '2026-11-16T02:00:00Z' };
  const program = knownAs([before]);
  const at = '2026-11-23T02:00:05Z';
  const { actions, status } = decide(program, at);
  expect(actions.map(brief)).toEqual([`create ${RUN}`, 'event RunCreated']);
  expect(status.pipelines?.[1]).toEqual({ name: 'campaign', schedule: SCHEDULE, since: at, nextSlot: SECOND });
  // Of a program that is new itself, too, each schedule is new since it was made.
  expect(does(storedProgram(), FIRST)).toEqual([`create ${RUN}`, `create ${RUN}-campaign`]);
});

test('a program that is turned off follows no schedule, and what was is remembered', () => {
  const succeeded = { lastSucceededSlot: FIRST };
  const program = knownAs([{ ...BATCH, ...succeeded, lastSlot: FIRST, skippedSlots: 1 }, CAMPAIGN], { enabled: false });
  const at = '2026-11-30T02:00:05Z';
  expect(decide(program, at).status.pipelines).toEqual([
    { name: 'batch', schedule: 'off', since: at, skippedSlots: 1, ...succeeded },
    { name: 'campaign', schedule: 'off', since: at },
  ]);
});

const EARLIER: ProgramObject['status'] = {
  observedGeneration: 1,
  batch: { schedule: SCHEDULE, since: SINCE, lastSlot: FIRST, skippedSlots: 3 },
  prune: { schedule: '30 3 * * * UTC', since: SINCE, lastSlot: '2026-11-29T03:30:00Z' },
  lastRun: { name: 'gone', slot: FIRST, phase: 'Succeeded', candidates: 5 },
  nextSlot: SECOND,
};

test('what an earlier version wrote is taken up: nothing is run twice, no count and no success is lost', () => {
  const program = storedProgram({ schedules: { prune: '30 3 * * *' } }, { status: EARLIER });
  const at = '2026-11-30T03:30:00Z';
  const { actions, status } = decide(program, at, [of('batch', SECOND, 'Running')]);
  expect(actions.map(brief)).toEqual(['event SlotWaiting']);
  expect(Object.keys(status).toSorted()).toEqual(['conditions', 'observedGeneration', 'pipelines']);
  expect(status.pipelines).toMatchObject([
    { ...BATCH, lastSlot: SECOND, skippedSlots: 3, lastSucceededSlot: FIRST },
    { name: 'prune', lastSlot: '2026-11-29T03:30:00Z', nextSlot: at },
    { name: 'campaign', since: at },
  ]);
  // The slot that no version has run yet.
  expect(does(program, SECOND)).toEqual(['create keep-20261130t0200z']);
});

test('once there is a status by pipeline, fields of an earlier version say nothing', () => {
  const status = { ...EARLIER, pipelines: [{ ...BATCH, lastSlot: SECOND }] };
  expect(statusOf('batch', decide(storedProgram({}, { status }), '2026-12-01T00:00:00Z'))).toMatchObject({
    since: SINCE,
    lastSlot: SECOND,
  });
  expect(decide(storedProgram({}, { status }), '2026-12-01T00:00:00Z').status.pipelines).not.toMatchObject([
    { lastSucceededSlot: FIRST },
  ]);
});

test('a program that cannot be read is due at no time, and else as it was', () => {
  const program = knownAs([{ ...BATCH, lastSucceededSlot: FIRST, nextSlot: SECOND }]);
  const status = programNotRead(program, 'SpecInvalid', 'too large', new Date(FIRST));
  expect(status.pipelines).toEqual([{ ...BATCH, lastSucceededSlot: FIRST }]);
  expect(programNotRead({ ...program, status }, 'SpecInvalid', 'too large', new Date(SECOND))).toEqual(status);
});

test.each<[string, readonly RunObject[], string | undefined]>([
  ['none has', [of('batch', SECOND, 'Failed')], FIRST],
  ['one has', [of('batch', SECOND, 'Succeeded')], SECOND],
  ['a retry has', [changed(of('batch', SECOND, 'Succeeded'), { trigger: 'retry' })], SECOND],
  ['one by hand has', [changed(of('batch', SECOND, 'Succeeded'), { trigger: 'manual' })], SECOND],
  ['one of a slot long before has', [of('batch', '2026-11-16T02:00:00Z', 'Succeeded')], FIRST],
  ['a backfill has', [changed(of('batch', SECOND, 'Succeeded'), { trigger: 'backfill' })], FIRST],
  ['a dry run has', [changed(of('batch', SECOND, 'Succeeded'), { trigger: 'manual', dryRun: true })], FIRST],
  ['one of an earlier program of the name has', [runAt(SECOND, 'Succeeded', elder)], FIRST],
  ['one of another pipeline has', [of('campaign', SECOND, 'Succeeded')], FIRST],
])('the newest slot that succeeded, where %s', (_name, runs, expected) => {
  const program = knownAs([{ ...BATCH, lastSlot: FIRST, lastSucceededSlot: FIRST }]);
  expect(statusOf('batch', decide(program, '2026-12-01T00:00:00Z', runs)).lastSucceededSlot).toBe(expected);
});

/** Every night at half past three, beside the batch of Monday at two. */
const NIGHTLY: Spec = { schedules: { prune: '30 3 * * *' } };
const PRUNE: PipelineStatus = { name: 'prune', schedule: '30 3 * * * UTC', since: SINCE };

const DAYS = ['19', '20', '21', '22', '23'];
const NIGHTS = DAYS.map((day) => `2026-11-${day}T03:30:00Z`);

test('each pipeline has a history of its own, also once its schedule was taken away', () => {
  const runs = [of('batch', FIRST, 'Succeeded'), ...NIGHTS.map((slot) => of('prune', slot, 'Succeeded'))];
  const batch = { ...BATCH, lastSlot: FIRST, lastSucceededSlot: FIRST };
  const last = { lastSlot: NIGHTS[4]!, lastSucceededSlot: NIGHTS[4]! };
  const runHistory = { successful: 2, failed: 1 };
  const oldest = ['21', '20', '19'].map((day) => `delete keep-202611${day}t0330z-prune`);
  const followed = knownAs([batch, { ...PRUNE, ...last }], { ...NIGHTLY, runHistory });
  expect(does(followed, '2026-11-23T12:00:00Z', runs)).toEqual(oldest);
  const unfollowed = knownAs([batch, { name: 'prune', ...last }], { runHistory });
  expect(does(unfollowed, '2026-11-23T12:00:00Z', runs)).toEqual(oldest);
});

const batches = (...days: readonly string[]) => days.map((day) => `2026-11-${day}T02:00:00Z`);
const deleted = (...days: readonly string[]) => days.map((day) => `delete keep-202611${day}t0200z`);

test.each<[string, Partial<PipelineStatus>, readonly string[]]>([
  ['of none', {}, []],
  ['of an older', { lastSucceededSlot: batches('21')[0]! }, deleted('20', '19')],
  ['of the newest', { lastSucceededSlot: FIRST }, deleted('22', '21', '20', '19')],
])(
  'a run that succeeded is kept until the status says so, for what comes after it: here %s',
  (_name, said, expected) => {
    const runs = batches(...DAYS).map((slot) => of('batch', slot, 'Succeeded'));
    const spec = { batchSchedule: '0 2 * * *', runHistory: { successful: 1, failed: 1 } };
    const program = knownAs([{ ...BATCH, schedule: '0 2 * * * UTC', lastSlot: FIRST, ...said }], spec);
    expect(does(program, '2026-11-23T12:00:00Z', runs)).toEqual(expected);
  },
);

test('a failed run is kept while another takes it up again', () => {
  const failed = ['09', '16'].map((day) => of('batch', `2026-11-${day}T02:00:00Z`, 'Failed'));
  const program = known({ lastSlot: FIRST }, { runHistory: { successful: 1, failed: 1 } });
  const retry = (phase?: 'Failed') => {
    const retryOf = { name: failed[0]!.metadata.name, uid: failed[0]!.metadata.uid };
    return changed(of('batch', '2026-11-09T02:00:00Z', phase), { trigger: 'retry', retryOf });
  };
  const at = '2026-11-24T00:00:00Z';
  expect(does(program, at, failed)).toEqual(['delete keep-20261109t0200z']);
  expect(does(program, at, [...failed, retry()])).toEqual([]);
  expect(does(program, at, [...failed, retry('Failed')])).toEqual(['delete keep-20261109t0200z']);
});

const begun = (run: RunObject): RunObject => ({ ...run, status: { ...run.status, startTime: FIRST } });
const backfill = changed(of('batch', '2026-10-05T02:00:00Z', 'Pending'), { trigger: 'backfill' });
const NEW = 'create keep-20261130t0200z';

test.each<[string, 'Forbid' | 'Replace', RunObject, readonly string[]]>([
  ['Forbid: an older one of the schedule', 'Forbid', of('batch', FIRST, 'Running'), []],
  ['Replace: an older one of the schedule', 'Replace', of('batch', FIRST, 'Running'), [NEW]],
  ['Replace: one that has not begun', 'Replace', of('batch', FIRST, 'Pending'), [NEW]],
  ['Replace: one that a person made', 'Replace', changed(of('batch', FIRST, 'Running'), { trigger: 'manual' }), []],
  ['Replace: one that says it is of the schedule', 'Replace', changed(of('batch', FIRST, 'Running'), {}), []],
  ['Replace: another pipeline of its lane', 'Replace', of('prune', FIRST, 'Running'), []],
  ['Forbid: another pipeline of another lane', 'Forbid', of('report', FIRST, 'Running'), [NEW]],
  ['Forbid: a backfill that has not begun', 'Forbid', backfill, [NEW]],
  ['Forbid: a backfill that has begun', 'Forbid', begun(backfill), []],
  ['Replace: a backfill that has begun', 'Replace', begun(backfill), []],
  ['Forbid: one of a pipeline that nobody knows', 'Forbid', of('unheard-of', FIRST), [NEW]],
  ['Forbid: one of a pipeline that is no more, under way', 'Forbid', of('unheard-of', FIRST, 'Running'), [NEW]],
  [
    "Forbid: one of a series' pipeline, whose lane is called the same",
    'Forbid',
    of('cohorts', FIRST, 'Pending'),
    [NEW],
  ],
])('whether a slot that is due waits for %s', (_name, concurrencyPolicy, other, expected) => {
  // Without a campaign to go with it, which Replace is not for.
  const { campaign: _campaign, ...pipelines } = WITH_CAMPAIGN;
  const program = known({ lastSlot: FIRST }, { concurrencyPolicy });
  const given = snapshot(program, { runs: [other], pipelines });
  const { actions, status } = decideProgram(given, new Date(SECOND));
  expect(actions.map(brief).filter((action) => action.startsWith('create'))).toEqual(expected);
  // That slot is still the next, whatever becomes of the other.
  expect(status.pipelines?.find(({ name }) => name === 'batch')?.nextSlot).toBe(SECOND);
  expectProgramSettles(given, new Date(SECOND));
});

const waiting = (pipeline: string, slot: string): RunObject => {
  const run = of(pipeline, slot, 'Pending');
  const why = {
    type: 'Reconciling',
    status: 'True',
    reason: 'WaitingForBatch',
    message: 'm',
    lastTransitionTime: slot,
  } as const;
  return { ...run, status: { ...run.status, conditions: [why] } };
};

test.each<[string, readonly RunObject[], readonly string[]]>([
  ['the same batch', [waiting('report', '2026-11-24T09:00:00Z')], []],
  ['the one of a week before', [waiting('report', '2026-11-20T09:00:00Z')], ['create keep-20261125t0900z-report']],
  ['none', [of('report', '2026-11-24T09:00:00Z', 'Pending')], []],
])('a slot waits for an older run of its pipeline that waits for %s', (_name, runs, expected) => {
  const program = knownAs([{ ...REPORT, lastSlot: '2026-11-24T09:00:00Z' }], MORNING);
  expect(does(program, '2026-11-25T09:00:00Z', runs)).toEqual(expected);
});

test.each<[string, Spec]>([
  ['a campaign that goes with the batch', {}],
  ['one with times of its own', { schedules: { campaign: '0 9 * * *' } }],
])('Replace is not for what reaches people: %s', (_name, spec) => {
  const { actions, status } = decide(known({}, { ...spec, concurrencyPolicy: 'Replace' }), FIRST);
  expect(actions).toEqual([]);
  expect(status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
    status: 'False',
    reason: 'SpecInvalid',
    message:
      'spec.concurrencyPolicy is Replace, by which a campaign under way would be ended and people be reached twice; write Forbid',
  });
});

test('what keeps any pipeline from being run is a reason not to be ready', () => {
  const program = knownAs([{ ...BATCH, lastSlot: FIRST }, CAMPAIGN]);
  const refused = new Map([[attemptKey(of('campaign', FIRST)), { status: 403, message: 'exceeded quota' }]]);
  const attempts = { taken: new Set<string>(), refused };
  const { status } = decideProgram(snapshot(program, { attempts, pipelines: WITH_CAMPAIGN }), new Date(FIRST));
  expect(status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'False', reason: 'Refused' });
});

test('a prune is made at its own slots, under a name of its own, and the batch keeps to its', () => {
  const given = snapshot(knownAs([{ ...BATCH, lastSlot: FIRST }, PRUNE], NIGHTLY), {
    runs: [runAt(FIRST, 'Succeeded')],
  });
  const decision = decideProgram(given, new Date('2026-11-24T03:30:00Z'));
  const created = decision.actions.flatMap((action) => (action.do === 'create' ? [action.object as RunObject] : []));
  expect(created).toMatchObject([
    { metadata: { name: 'keep-20261124t0330z-prune' }, spec: { pipeline: 'prune', slot: '2026-11-24T03:30:00Z' } },
  ]);
  expect(statusOf('batch', decision)).toMatchObject({ lastSlot: FIRST, nextSlot: SECOND });
  expect(decision.requeueAt).toEqual(new Date('2026-11-25T03:30:00Z'));
});

test('a pipeline without a schedule that never ran is not spoken of', () => {
  const { status } = decideProgram(snapshot(known({ lastSlot: FIRST })), new Date('2026-11-24T04:00:00Z'));
  expect(status.pipelines?.map(({ name }) => name)).toEqual(['batch']);
});

test('a batch and a prune that are due at once are made one after the other', () => {
  const program = knownAs([BATCH, { ...PRUNE, schedule: '0 2 * * * UTC' }], { schedules: { prune: '0 2 * * *' } });
  const made = (runs: readonly RunObject[]) =>
    decideProgram(snapshot(program, { runs }), new Date(FIRST)).actions.flatMap((action) =>
      action.do === 'create' ? [action.object.metadata.name] : [],
    );
  expect(made([])).toEqual([RUN]);
  expect(made([runAt(FIRST, 'Running')])).toEqual([]);
  expect(made([runAt(FIRST, 'Succeeded')])).toEqual([`${RUN}-prune`]);
});
