import { expect, test } from '@jest/globals';
import { storedProgram } from '../../../test/support/program.ts';
import { brief, FIRST, known, runAt, SECOND, snapshot, THIRD } from '../../../test/support/program-snapshot.ts';
import type { ProgramObject, RunObject } from '../../kube/objects.ts';
import type { ConditionReason } from '../reasons.ts';
import { decideProgram } from './program.ts';

/*
 * Which runs say how a program is, by LastRunSucceeded.
 */
const AT = new Date(THIRD);
/** Before the next slot, so that nothing is due. */
const QUIET = new Date('2026-12-01T00:00:00Z');
const UID = 'uid of the first';

interface Ended {
  readonly phase: 'Succeeded' | 'Failed' | 'Cancelled' | 'Pending' | 'Suspended' | 'Running';
  readonly begun?: boolean;
  readonly retries?: boolean;
}

function ended(slot: string, reason: ConditionReason, { phase, begun = true, retries = false }: Ended): RunObject {
  const made = runAt(slot, phase);
  const conditions = made.status!.conditions!.map((one) => ({ ...one, reason, message: 'because' }));
  const spec = retries ? { ...made.spec, trigger: 'retry', retryOf: { name: 'first', uid: UID } } : made.spec;
  return {
    ...made,
    spec: spec as RunObject['spec'],
    status: { ...made.status, conditions, ...(begun ? { startTime: slot } : {}) },
  };
}

const said = (program: ProgramObject, runs: readonly RunObject[], at = AT) =>
  decideProgram(snapshot(program, { runs }), at).status.conditions?.find(({ type }) => type === 'LastRunSucceeded');

const SUCCEEDED = ended(FIRST, 'Succeeded', { phase: 'Succeeded' });
const FAILED = ended(FIRST, 'Failed', { phase: 'Failed' });

test.each<[ConditionReason, Ended, 'True' | 'False' | 'nothing']>([
  ['Succeeded', { phase: 'Succeeded' }, 'True'],
  ['NoCandidates', { phase: 'Succeeded' }, 'True'],
  ['Failed', { phase: 'Failed' }, 'False'],
  ['DeadlineExceeded', { phase: 'Failed' }, 'False'],
  ['JobLost', { phase: 'Failed' }, 'False'],
  ['RevisionLost', { phase: 'Failed' }, 'False'],
  ['ProgramDeleted', { phase: 'Failed' }, 'False'],
  // Right to ask for, and nothing came of it.
  ['BatchMissed', { phase: 'Failed', begun: false }, 'False'],
  ['NameTaken', { phase: 'Failed', begun: false }, 'False'],
  ['Refused', { phase: 'Failed', begun: false }, 'False'],
  ['InternalError', { phase: 'Failed', begun: false }, 'False'],
  // Not to be had as it was asked for.
  ['NothingToRetry', { phase: 'Failed', begun: false, retries: true }, 'nothing'],
  ['RevisionLost', { phase: 'Failed', begun: false, retries: true }, 'nothing'],
  ['OldSlot', { phase: 'Failed', begun: false }, 'nothing'],
  ['SlotDone', { phase: 'Failed', begun: false }, 'nothing'],
  ['NoSlot', { phase: 'Failed', begun: false }, 'nothing'],
  ['SlotInFuture', { phase: 'Failed', begun: false }, 'nothing'],
  // Somebody's wish.
  ['Cancelled', { phase: 'Cancelled' }, 'nothing'],
  ['Cancelled', { phase: 'Cancelled', begun: false }, 'nothing'],
  ['Replaced', { phase: 'Cancelled' }, 'nothing'],
  // Not over.
  ['Running', { phase: 'Running' }, 'nothing'],
  ['Suspended', { phase: 'Suspended' }, 'nothing'],
  ['WaitingForRun', { phase: 'Pending', begun: false }, 'nothing'],
  ['WaitingForCapacity', { phase: 'Pending', begun: false }, 'nothing'],
  ['WaitingForCapacity', { phase: 'Suspended' }, 'nothing'],
  ['WaitingForBatch', { phase: 'Pending', begun: false }, 'nothing'],
])('a run that is %s, %j, says of its program: %s', (reason, how, expected) => {
  const newer = ended(SECOND, reason, how);
  const message = `${newer.metadata.name}: because`;
  for (const [before, otherwise] of [
    [SUCCEEDED, 'True'],
    [FAILED, 'False'],
  ] as const) {
    const status = expected === 'nothing' ? otherwise : expected;
    const name = expected === 'nothing' ? `${before.metadata.name}: because` : message;
    expect(said(known(), [newer, before])).toMatchObject({ status, message: name });
  }
});

const remembered = (program: ProgramObject, runs: readonly RunObject[]): ProgramObject => ({
  ...program,
  status: { ...program.status, ...decideProgram(snapshot(program, { runs }), QUIET).status },
});

test('a run that is gone is still what the program says, until another says more', () => {
  const program = remembered(known({ lastSlot: SECOND }), [FAILED]);
  expect(said(program, [])).toMatchObject({ status: 'False', message: `${FAILED.metadata.name}: because` });
  expect(said(program, [ended(SECOND, 'Cancelled', { phase: 'Cancelled' })])?.status).toBe('False');
  expect(said(program, [ended(SECOND, 'Succeeded', { phase: 'Succeeded' })])?.status).toBe('True');
});

test('the run that says how the program is outlives those of a longer history that say nothing', () => {
  const cancelled = ended(SECOND, 'Cancelled', { phase: 'Cancelled' });
  const program = known({ lastSlot: SECOND }, { runHistory: { successful: 1, failed: 1 } });
  const deleted = (runs: readonly RunObject[]) =>
    decideProgram(snapshot(program, { runs }), QUIET).actions.map((action) => brief(action));
  expect(deleted([cancelled, FAILED])).toEqual([]);
  expect(deleted([ended(SECOND, 'Failed', { phase: 'Failed' }), FAILED])).toEqual([`delete ${FAILED.metadata.name}`]);
});

/** Made by a person, at the first slot. */
const byHand = ({ metadata, ...rest }: RunObject): RunObject => ({
  ...rest,
  metadata: { ...metadata, ownerReferences: [] },
});
const madeAt = (creationTimestamp: string) => storedProgram({}, { metadata: { uid: 'later', creationTimestamp } });

test.each<[string, string, RunObject, boolean]>([
  ['made by an earlier program of the name', '2026-11-25T00:00:00Z', SUCCEEDED, false],
  ['that a person had made for it', '2026-11-25T00:00:00Z', byHand(SUCCEEDED), false],
  ['that a person made since', '2026-11-20T00:00:00Z', byHand(SUCCEEDED), true],
  [
    'that a person made before, and that began since',
    FIRST.replace('02:00:00', '02:00:05'),
    { ...byHand(SUCCEEDED), status: { ...SUCCEEDED.status, startTime: FIRST.replace('02:00:00', '02:00:06') } },
    true,
  ],
])('whether a run counts for a program: one %s', (_name, created, run, counts) => {
  const { status } = decideProgram(snapshot(madeAt(created), { runs: [run] }), QUIET);
  const batch = status.pipelines?.find(({ name }) => name === 'batch');
  expect({
    outcome: status.conditions?.some(({ type }) => type === 'LastRunSucceeded'),
    lastRun: batch?.lastRun !== undefined,
    lastSucceededSlot: batch?.lastSucceededSlot,
  }).toEqual({ outcome: counts, lastRun: counts, lastSucceededSlot: counts ? FIRST : undefined });
});
