import { expect, test } from '@jest/globals';
import { rfc3339 } from '../../../base/instant.ts';
import { expectProgramSettles } from '../../../test/support/decided-again.ts';
import { KEEP, POSTGRES, run, SNOWFLAKE, STAGE_SETTINGS, storedProgram } from '../../../test/support/program.ts';
import {
  brief,
  FIRST,
  known,
  RUN,
  runAt,
  SECOND,
  snapshot,
  statusOf,
  THIRD,
} from '../../../test/support/program-snapshot.ts';
import { running } from '../../../test/support/references.ts';
import type { ConfigMapObject, ProgramObject, RunObject, StoredMetadata } from '../../kube/objects.ts';
import { buildRevision } from '../../objects/revision.ts';
import { attemptKey } from '../action.ts';
import { decideProgram } from './program.ts';
import type { ProgramSnapshot } from './snapshot.ts';

function revision(program: ProgramObject): ConfigMapObject & { readonly metadata: StoredMetadata } {
  const made = buildRevision(KEEP, program, STAGE_SETTINGS);
  const metadata = {
    ...made.metadata,
    namespace: 'shop',
    uid: `uid of ${made.metadata.name}`,
    resourceVersion: '3',
    creationTimestamp: FIRST,
  };
  return { ...made, metadata };
}

const heldMetadata = { ...runAt(FIRST).metadata, name: 'by-hand', ownerReferences: [] };

interface Row {
  readonly given: ProgramSnapshot;
  readonly at: string;
  readonly does?: readonly string[];
  readonly ready?: string;
  readonly lastSlot?: string;
  readonly skipped?: number;
  readonly next?: string;
  readonly requeue?: string;
}

const ROWS: Readonly<Record<string, Row>> = {
  'before its first slot a program waits for it': {
    given: snapshot(storedProgram()),
    at: '2026-11-23T01:59:59Z',
    next: FIRST,
    requeue: FIRST,
  },
  'at the slot the run is made': {
    given: snapshot(known()),
    at: FIRST,
    does: [`create ${RUN}`, 'event RunCreated'],
    next: FIRST,
    requeue: SECOND,
  },
  'a program that was made after a slot never runs it': {
    given: snapshot(storedProgram({}, { metadata: { creationTimestamp: '2026-11-23T02:00:01Z' } })),
    at: '2026-11-23T02:01:00Z',
    next: SECOND,
    requeue: SECOND,
  },
  'a program that nobody looked at runs the slot since it was made': {
    given: snapshot(storedProgram()),
    at: '2026-11-23T03:00:00Z',
    does: [`create ${RUN}`, 'event RunCreated'],
    next: FIRST,
    requeue: SECOND,
  },
  'after an outage only the newest slot is run': {
    given: snapshot(known({ lastSlot: FIRST })),
    at: '2026-12-07T03:00:00Z',
    does: ['event SlotsMissed', 'create keep-20261207t0200z', 'event RunCreated'],
    lastSlot: FIRST,
    next: THIRD,
    requeue: '2026-12-14T02:00:00Z',
  },
  'a slot past its starting deadline is skipped and counted': {
    given: snapshot(known()),
    at: '2026-11-23T14:00:01Z',
    does: ['event SlotsMissed'],
    lastSlot: FIRST,
    skipped: 1,
    next: SECOND,
    requeue: SECOND,
  },
  'a slot may start until its deadline, and not at it': {
    given: snapshot(known()),
    at: '2026-11-23T14:00:00Z',
    does: ['event SlotsMissed'],
    lastSlot: FIRST,
    skipped: 1,
    next: SECOND,
    requeue: SECOND,
  },
  'a run that was made and not looked at yet is not made again': {
    given: snapshot(known(), { runs: [runAt(FIRST)] }),
    at: '2026-11-23T02:00:01Z',
    next: FIRST,
    requeue: SECOND,
  },
  'once the run has begun its slot is dealt with': {
    given: snapshot(known(), { runs: [runAt(FIRST, 'Running')] }),
    at: '2026-11-23T02:00:02Z',
    lastSlot: FIRST,
    next: SECOND,
    requeue: SECOND,
  },
  'a slot that was dealt with is not run again when its run is deleted': {
    given: snapshot(known({ lastSlot: FIRST })),
    at: '2026-11-23T02:30:00Z',
    lastSlot: FIRST,
    next: SECOND,
    requeue: SECOND,
  },
  'a slot waits while another run goes on, until its deadline': {
    given: snapshot(known({ lastSlot: FIRST }), { runs: [runAt(FIRST, 'Running')] }),
    at: SECOND,
    does: ['event SlotWaiting'],
    lastSlot: FIRST,
    next: SECOND,
    requeue: '2026-11-30T14:00:00Z',
  },
  'a run that a person holds back does not hold the schedule back': {
    given: snapshot(known(), { runs: [{ ...runAt(FIRST, 'Suspended'), metadata: heldMetadata }] }),
    at: FIRST,
    does: [`create ${RUN}`, 'event RunCreated'],
    next: FIRST,
    requeue: SECOND,
  },
  'a run that has begun holds the schedule back, also while a person holds it': {
    given: snapshot(known(), {
      runs: [
        {
          ...runAt(FIRST, 'Suspended'),
          metadata: heldMetadata,
          status: { ...runAt(FIRST, 'Suspended').status, startTime: FIRST },
        },
      ],
    }),
    at: FIRST,
    does: ['event SlotWaiting'],
    next: FIRST,
    requeue: '2026-11-23T14:00:00Z',
  },
  'a slot whose run is refused is an event and a reason not to be ready': {
    given: snapshot(known(), {
      attempts: {
        taken: new Set(),
        refused: new Map([[attemptKey(runAt(FIRST)), { status: 403, message: 'exceeded quota' }]]),
      },
    }),
    at: FIRST,
    does: ['event RunRefused'],
    ready: 'not Refused',
    next: FIRST,
    requeue: '2026-11-23T02:00:15Z',
  },
  'a slot that passes while something is amiss with the program is run once that is mended': {
    given: snapshot(
      storedProgram(
        {},
        {
          status: decideProgram(
            { ...snapshot(known()), settings: { ...STAGE_SETTINGS, artifactsClaim: undefined } },
            new Date('2026-11-23T01:59:00Z'),
          ).status,
        },
      ),
    ),
    at: '2026-11-23T02:01:00Z',
    does: [`create ${RUN}`, 'event RunCreated'],
    next: FIRST,
    requeue: SECOND,
  },
  'a slot that waited is run when the other has ended': {
    given: snapshot(known({ lastSlot: FIRST }), { runs: [runAt(FIRST, 'Succeeded')] }),
    at: '2026-11-30T05:00:00Z',
    does: ['create keep-20261130t0200z', 'event RunCreated'],
    lastSlot: FIRST,
    next: SECOND,
    requeue: THIRD,
  },
  'a foreign run of the name skips the slot': {
    given: snapshot(known(), { attempts: { taken: new Set([attemptKey(runAt(FIRST))]), refused: new Map() } }),
    at: FIRST,
    does: ['event NameTaken'],
    lastSlot: FIRST,
    skipped: 1,
    next: SECOND,
    requeue: SECOND,
  },
  'a run of an earlier program of the name is foreign': {
    given: snapshot(known(), { runs: [runAt(FIRST, 'Running', storedProgram({}, { metadata: { uid: 'another' } }))] }),
    at: FIRST,
    does: ['event NameTaken'],
    lastSlot: FIRST,
    skipped: 1,
    next: SECOND,
    requeue: SECOND,
  },
  'an edited schedule never fires slots of before': {
    given: snapshot(known({}, { batchSchedule: '0 1 * * MON' })),
    at: '2026-11-23T01:30:00Z',
    next: '2026-11-30T01:00:00Z',
    requeue: '2026-11-30T01:00:00Z',
  },
  'an edited time zone never fires slots of before': {
    given: snapshot(known({}, { timeZone: 'Europe/Berlin' })),
    at: '2026-11-23T01:30:00Z',
    next: '2026-11-30T01:00:00Z',
    requeue: '2026-11-30T01:00:00Z',
  },
  'a program that is turned off is ready and runs nothing': {
    given: snapshot(known({}, { enabled: false })),
    at: FIRST,
    ready: 'Disabled',
  },
  'a program that is turned off does not forget how many slots were skipped': {
    given: snapshot(known({ lastSlot: FIRST, skippedSlots: 3 }, { enabled: false })),
    at: SECOND,
    ready: 'Disabled',
    skipped: 3,
  },
  'a program that was off for weeks never fires slots of meanwhile': {
    given: snapshot(known({ schedule: 'off', since: FIRST, skippedSlots: 3 })),
    at: '2026-11-30T02:00:05Z',
    skipped: 3,
    next: THIRD,
    requeue: THIRD,
  },
  'a program that is turned on again never fires slots of before': {
    given: snapshot(storedProgram({}, { status: { observedGeneration: 2 } })),
    at: '2026-11-23T02:00:05Z',
    next: SECOND,
    requeue: SECOND,
  },
  'a program with a fault is not ready and runs nothing': {
    given: snapshot(known({}, { timeZone: 'Mars/Phobos' })),
    at: FIRST,
    ready: 'not SpecInvalid',
  },
  'a program whose warehouse this version has no connector for is not ready': {
    given: snapshot(known({}, { dataConnectors: SNOWFLAKE })),
    at: FIRST,
    ready: 'not ProviderUnavailable',
  },
  'a program whose server a secret says how to connect to is ready': {
    given: snapshot(known({}, { dataConnectors: POSTGRES })),
    at: '2026-11-20T12:00:01Z',
    next: FIRST,
    requeue: FIRST,
  },
  'a program whose server nothing says how to connect to is not ready': {
    given: snapshot(known({}, { dataConnectors: [{ ...POSTGRES[0]!, config: { query: 'SELECT * FROM shop' } }] })),
    at: FIRST,
    ready: 'not SpecInvalid',
  },
  'a program that names a service account which programs may not use is not ready, and makes no run': {
    given: snapshot(known({}, running('deployer'))),
    at: FIRST,
    ready: 'not NotAllowed',
  },
  'nor is one in a namespace of Kubernetes itself': {
    given: snapshot(storedProgram({}, { metadata: { namespace: 'kube-system' } })),
    at: FIRST,
    ready: 'not NotAllowed',
  },
  'a program without storage is not ready': {
    given: { ...snapshot(known()), settings: { ...STAGE_SETTINGS, postgresSecret: undefined } },
    at: FIRST,
    ready: 'not StorageMissing',
  },
  'the younger of two programs with one programId is not ready': {
    given: snapshot(known(), { twins: [storedProgram({}, { metadata: { name: 'elder', uid: 'elder' } })] }),
    at: FIRST,
    ready: 'not ProgramIdTaken',
  },
  'a program that is being deleted does nothing': {
    given: snapshot(storedProgram({}, { metadata: { deletionTimestamp: FIRST } })),
    at: FIRST,
    ready: 'undefined',
  },
};

test.each(Object.entries(ROWS))('decided again, nothing more is done: %s', (_name, { given, at }) => {
  expectProgramSettles(given, new Date(at));
});

test.each(Object.entries(ROWS))(
  '%s',
  (_name, { given, at, does = [], ready = 'Scheduled', lastSlot, skipped, next, requeue }) => {
    const decision = decideProgram(given, new Date(at));
    const { actions, status, requeueAt } = decision;
    const batch = statusOf('batch', decision);
    const condition = status.conditions?.find(({ type }) => type === 'Ready');
    const isReady =
      condition === undefined ? 'undefined' : `${condition.status === 'True' ? '' : 'not '}${condition.reason}`;
    expect({
      does: actions.map(brief),
      ready: isReady,
      lastSlot: batch.lastSlot,
      skipped: batch.skippedSlots,
      next: batch.nextSlot,
      requeue: requeueAt && rfc3339(requeueAt),
    }).toEqual({ does, ready, lastSlot, skipped, next, requeue });
  },
);

test('what is decided twice on the same is the same', () => {
  const at = new Date('2026-11-21T00:00:00Z');
  const first = decideProgram(snapshot(storedProgram()), at);
  const again = decideProgram(snapshot(storedProgram({}, { status: first.status })), new Date('2026-11-22T00:00:00Z'));
  expect(again.status).toEqual(first.status);
});

const OLD = ['2026-10-05', '2026-10-12', '2026-10-19', '2026-10-26', '2026-11-02'].map((day) => `${day}T02:00:00Z`);

test('finished runs of the schedule beyond the history are deleted, the oldest first', () => {
  const runs = [...OLD.map((slot) => runAt(slot, 'Succeeded')), runAt('2026-11-09T02:00:00Z', 'Failed')];
  const { actions } = decideProgram(
    snapshot(known({ lastSlot: '2026-11-16T02:00:00Z', lastSucceededSlot: OLD.at(-1)! }), { runs }),
    new Date('2026-11-17T00:00:00Z'),
  );
  expect(actions.map(brief)).toEqual(['delete keep-20261012t0200z', 'delete keep-20261005t0200z']);
});

test('of failed runs as many are kept as the history says of those, and not of the others', () => {
  const runs = OLD.map((slot, index) => runAt(slot, index % 2 === 0 ? 'Failed' : 'Cancelled'));
  const program = known({ lastSlot: '2026-11-16T02:00:00Z' }, { runHistory: { successful: 1, failed: 4 } });
  const { actions } = decideProgram(snapshot(program, { runs }), new Date('2026-11-17T00:00:00Z'));
  expect(actions.map(brief)).toEqual(['delete keep-20261005t0200z']);
});

test('a revision that is on its way out is not deleted again', () => {
  const unused = revision(known({}, { programName: 'Unused' }));
  const leaving = { ...unused, metadata: { ...unused.metadata, deletionTimestamp: FIRST } };
  const given = snapshot(known({ lastSlot: FIRST }), { revisions: [leaving] });
  expect(decideProgram(given, new Date('2026-11-24T00:00:00Z')).actions).toEqual([]);
});

test('a run that is on its way out is not deleted again', () => {
  const runs = OLD.map((slot) => runAt(slot, 'Succeeded')).map((one) => ({
    ...one,
    metadata: { ...one.metadata, deletionTimestamp: FIRST },
  }));
  const given = snapshot(known({ lastSlot: '2026-11-16T02:00:00Z' }), { runs });
  expect(decideProgram(given, new Date('2026-11-17T00:00:00Z')).actions).toEqual([]);
});

test('a run whose slot is not yet recorded as dealt with is kept: nothing else says that the slot was run', () => {
  const slots = ['2026-11-23T02:00:00Z', '2026-11-16T02:00:00Z', '2026-11-09T02:00:00Z'];
  const runs = [...slots, ...OLD].map((slot) => runAt(slot, 'Succeeded'));
  const { actions } = decideProgram(
    snapshot(known({ lastSlot: '2026-10-12T02:00:00Z', lastSucceededSlot: slots[0]! }), { runs }),
    new Date('2026-11-24T00:00:00Z'),
  );
  expect(actions.filter((action) => action.do === 'delete')).toEqual([]);
});

test('runs that people made are theirs to delete', () => {
  const byHand = OLD.map(
    (slot) =>
      ({
        ...runAt(slot, 'Succeeded'),
        metadata: { ...run().metadata, uid: slot, resourceVersion: '1', creationTimestamp: slot },
      }) as RunObject,
  );
  const { actions } = decideProgram(
    snapshot(known({ lastSlot: FIRST }), { runs: byHand }),
    new Date('2026-11-24T00:00:00Z'),
  );
  expect(actions).toEqual([]);
});

test('a revision goes when no run is pinned to it and the next would not be', () => {
  const program = known({ lastSlot: FIRST });
  const [current, used, unused] = [
    program,
    known({}, { programName: 'Used' }),
    known({}, { programName: 'Unused' }),
  ].map(revision);
  const pinned = runAt(FIRST, 'Succeeded');
  const runs = [{ ...pinned, status: { ...pinned.status, revision: used!.metadata.name } } as RunObject];
  const given = snapshot(program, { runs, revisions: [current!, used!, unused!] });
  const { actions } = decideProgram(given, new Date('2026-11-24T00:00:00Z'));
  expect(actions.map(brief)).toEqual([`delete ${unused!.metadata.name}`]);
});

test('no revision goes while a run is about to begin: a Job of it, made before a crash, may be pinned to any', () => {
  const program = known({ lastSlot: FIRST });
  const unused = revision(known({}, { programName: 'Unused' }));
  const given = (run: RunObject) => snapshot(program, { runs: [run], revisions: [unused] });
  const at = new Date('2026-11-24T00:00:00Z');
  expect(decideProgram(given(runAt(FIRST)), at).actions).toEqual([]);
  expect(decideProgram(given(runAt(FIRST, 'Pending')), at).actions).toEqual([]);
  // One that ended before it was pinned to anything begins no more.
  expect(decideProgram(given(runAt(FIRST, 'Failed')), at).actions.map(brief)).toEqual([
    `delete ${unused.metadata.name}`,
  ]);
});

test('a failed run is told apart from a program that is not ready', () => {
  const { status } = decideProgram(
    snapshot(known({ lastSlot: FIRST }), { runs: [runAt(FIRST, 'Failed')] }),
    new Date('2026-11-24T00:00:00Z'),
  );
  expect(status.conditions?.map(({ type, status: holds }) => `${type}=${holds}`)).toEqual([
    'Ready=True',
    'Stalled=False',
    'LastRunSucceeded=False',
  ]);
});

test('a prune that succeeds after a failed batch does not hide that failure', () => {
  const pruned = runAt(SECOND, 'Succeeded');
  const prune = { ...pruned, spec: { ...pruned.spec, pipeline: 'prune' as const } };
  const decision = decideProgram(snapshot(known(), { runs: [prune, runAt(FIRST, 'Failed')] }), new Date(THIRD));
  expect(statusOf('batch', decision).lastRun?.phase).toBe('Failed');
  expect(statusOf('prune', decision).lastRun?.phase).toBe('Succeeded');
  expect(decision.status.conditions?.find(({ type }) => type === 'LastRunSucceeded')?.status).toBe('False');
});

test.each<[string, Partial<RunObject['spec']>]>([
  ['a dry run, which stores nothing', { dryRun: true }],
  ['a backfill, which is no current batch', { trigger: 'backfill' }],
])('%s, does not hide how the last batch went', (_name, spec) => {
  const past = runAt(SECOND, 'Failed');
  const trial = { ...past, spec: { ...past.spec, ...spec } };
  const decision = decideProgram(snapshot(known(), { runs: [trial, runAt(FIRST, 'Succeeded')] }), new Date(THIRD));
  expect(statusOf('batch', decision).lastRun).toMatchObject({ name: RUN, phase: 'Succeeded' });
  expect(decision.status.conditions?.find(({ type }) => type === 'LastRunSucceeded')?.status).toBe('True');
});

test('a run by hand is the last run as any other, and a want of candidates is its reason', () => {
  const made = runAt(SECOND, 'Succeeded');
  const conditions = [{ ...made.status!.conditions![0]!, reason: 'NoCandidates', message: 'nobody is a candidate' }];
  const stages = [{ name: 'store', phase: 'Succeeded' as const, counts: { candidates: 0 } }];
  const byHand: RunObject = {
    ...made,
    metadata: { ...made.metadata, name: 'by-hand' },
    spec: { ...made.spec, trigger: 'manual' },
    status: { ...made.status, conditions, stages },
  };
  const decision = decideProgram(snapshot(known(), { runs: [byHand, runAt(FIRST, 'Succeeded')] }), new Date(THIRD));
  expect(statusOf('batch', decision).lastRun).toMatchObject({ name: 'by-hand', candidates: 0 });
  expect(decision.status.conditions?.find(({ type }) => type === 'LastRunSucceeded')).toMatchObject({
    status: 'True',
    reason: 'NoCandidates',
    message: 'by-hand: nobody is a candidate',
  });
});

test.each([
  ['the newest runs', '2026-11-23T02:00:00Z', '2026-12-07T03:00:00Z', '1 slot up to 2026-11-30T02:00:00Z was skipped'],
  [
    'the newest is late',
    '2026-11-23T02:00:00Z',
    '2026-12-08T03:00:00Z',
    '2 slots up to 2026-12-07T02:00:00Z were skipped',
  ],
  [
    'of twenty years each is counted',
    '2006-11-20T02:00:00Z',
    '2026-12-07T03:00:00Z',
    '1045 slots up to 2026-11-30T02:00:00Z were skipped',
  ],
])('what is told as skipped are slots that never run: %s', (_name, lastSlot, at, told) => {
  const { actions } = decideProgram(snapshot(known({ since: lastSlot, lastSlot })), new Date(at));
  const messages = actions.flatMap((action) =>
    action.do === 'event' && action.reason === 'SlotsMissed' ? [action.message] : [],
  );
  expect(messages).toEqual([`${told}: no run could be started in time`]);
});
