import { expect, test } from '@jest/globals';
import type { PipelineStatus } from '../../../crds/index.ts';
import { storedProgram } from '../../../test/support/program.ts';
import {
  FIRST,
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
import { decideProgram, programNotRead } from './program.ts';

/*
 * A slot that is due, and whose run is not made while another goes on.
 */
const NIGHT = '2026-11-23T03:00:00Z';
const BATCH: PipelineStatus = { name: 'batch', schedule: SCHEDULE, since: SINCE, lastSlot: FIRST };
const PRUNE: PipelineStatus = { name: 'prune', schedule: '0 3 * * MON UTC', since: SINCE, lastSlot: NIGHT };
const PROGRAM = knownAs([BATCH, PRUNE], { schedules: { prune: '0 3 * * MON' } });
const RUNNING = runAt(FIRST, 'Running');

const decide = (program: ProgramObject, runs: readonly RunObject[], at = SECOND) =>
  decideProgram(snapshot(program, { runs }), new Date(at));
const events = ({ actions }: ReturnType<typeof decide>) =>
  actions.flatMap((action) => (action.do === 'event' ? [`${action.reason}: ${action.message}`] : []));
const after = (program: ProgramObject, { status }: ReturnType<typeof decide>): ProgramObject => ({
  ...program,
  status,
});

test('the program says by status, condition and event which slot waits, and for which run', () => {
  const decision = decide(PROGRAM, [RUNNING]);
  expect(statusOf('batch', decision)).toMatchObject({ nextSlot: SECOND, waitsFor: RUN });
  const message = `the slot ${SECOND} waits for the run ${RUN} to end`;
  expect(decision.status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'True', message });
  expect(events(decision)).toEqual([`SlotWaiting: batch: ${message}`]);
});

test('so it does of a pipeline that waits for another of its lane', () => {
  const three = '2026-11-30T03:00:00Z';
  const decision = decide(PROGRAM, [RUNNING], three);
  expect(statusOf('prune', decision)).toMatchObject({ nextSlot: three, waitsFor: RUN });
  expect(events(decision)).toContain(`SlotWaiting: prune: the slot ${three} waits for the run ${RUN} to end`);
});

test('it is said once, and anew only where something else is waited for', () => {
  const first = decide(PROGRAM, [RUNNING]);
  const again = decide(after(PROGRAM, first), [RUNNING], '2026-11-30T02:10:00Z');
  expect([again.actions, again.status]).toEqual([[], first.status]);
  const byHand = { ...RUNNING, metadata: { ...RUNNING.metadata, name: 'by-hand', ownerReferences: [] } };
  expect(events(decide(after(PROGRAM, first), [byHand]))).toEqual([
    `SlotWaiting: batch: the slot ${SECOND} waits for the run by-hand to end`,
  ]);
});

test('of several it is the one at work, in whatever order they come', () => {
  const byHand = (name: string): RunObject => {
    const made = runAt('2026-11-16T02:00:00Z', 'Pending');
    return { ...made, metadata: { ...made.metadata, name, uid: name, ownerReferences: [] } };
  };
  const [one, other] = [byHand('a'), byHand('b')];
  for (const runs of [
    [one, other, RUNNING],
    [RUNNING, other, one],
  ]) {
    expect(statusOf('batch', decide(PROGRAM, runs)).waitsFor).toBe(RUN);
  }
  expect(statusOf('batch', decide(PROGRAM, [other, one])).waitsFor).toBe('a');
});

test('once the other has ended the run is made, and nothing is said to wait', () => {
  const waiting = after(PROGRAM, decide(PROGRAM, [RUNNING]));
  const made = decide(waiting, [runAt(FIRST, 'Succeeded')], '2026-11-30T02:10:00Z');
  expect(made.actions.map((action) => action.do)).toEqual(['create', 'event']);
  expect(statusOf('batch', made)).not.toHaveProperty('waitsFor');
  const late = decide(waiting, [RUNNING], '2026-11-30T14:00:00Z');
  expect(statusOf('batch', late)).not.toHaveProperty('waitsFor');
  expect(events(late)[0]).toMatch(/^SlotsMissed/);
  const { pipelines } = programNotRead(waiting, 'SpecInvalid', 'too large', new Date(SECOND));
  expect(pipelines?.[0]).not.toHaveProperty('waitsFor');
  const off = storedProgram({ enabled: false }, { status: waiting.status });
  expect(statusOf('batch', decide(off, [RUNNING]))).not.toHaveProperty('waitsFor');
});
