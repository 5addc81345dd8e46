import { expect, test } from '@jest/globals';
import { WITH_CAMPAIGN } from '../../test/support/pipelines.ts';
import { storedProgram } from '../../test/support/program.ts';
import { wantedSlot } from './wanted-slot.ts';

const NOW = new Date('2026-11-23T09:30:00Z');
const MONDAY = '2026-11-23T02:00:00Z';
const campaign = { pipeline: 'campaign' as 'batch', dryRun: false };
const told = (lastSucceededSlot: string) => ({
  status: { pipelines: [{ name: 'campaign', lastSucceededSlot }] } as never,
});
const wanted = (change: object, status = {}) =>
  wantedSlot({ ...campaign, slot: undefined, ...change }, storedProgram({}, status), NOW, WITH_CAMPAIGN).toISOString();

test.each<[string, object, object]>([
  ['is the newest', {}, {}],
  ['may be given where it is that', { slot: MONDAY }, {}],
  ['is not done because one before it is', {}, told('2026-11-16T02:00:00Z')],
  ['that people were told of may be gone through again', { dryRun: true }, told(MONDAY)],
])('the slot of a run %s', (_sentence, change, status) => {
  expect(wanted(change, status)).toBe('2026-11-23T02:00:00.000Z');
});

test.each<[string, object, object, string, RegExp]>([
  ['that is past', { slot: '2026-11-16T02:00:00Z' }, {}, 'HF_SLOT_REFUSED', /campaign reaches people.*without a slot$/],
  ['that is none of the schedule', { slot: '2026-11-23T03:00:00Z' }, {}, 'HF_SLOT_REFUSED', /newest slot of 0 2/],
  ['of which people were told', {}, told(MONDAY), 'HF_SLOT_DONE', /nobody is told twice/],
  ['yet to come', { slot: '2026-11-30T02:00:00Z' }, {}, 'HF_SLOT_IN_FUTURE', /yet to come/],
])('what reaches people is not made for a slot %s', (_sentence, change, status, code, message) => {
  expect(() => wanted(change, status)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  );
});
