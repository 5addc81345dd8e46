import { type Static, Type } from 'typebox';
import { conditions, count, fields, instant, keyedBy, name, oneOf, text } from '../base/schema/fields.ts';
import { RUN_PHASES } from './run-phase.ts';

const followed = {
  schedule: text('The schedule and its zone, as last seen.', 400),
  since: instant('When it took effect: slots before are never run.'),
  lastSlot: Type.Optional(instant('The newest slot that was dealt with, whether it was run or skipped.')),
  skippedSlots: Type.Optional(count('Slots for which no run was made.')),
};

const runSummary = (description: string) =>
  fields(description, {
    name: text('Name of the RetentionRun.'),
    slot: instant('Slot that it is for.'),
    phase: oneOf(RUN_PHASES, 'How far it has come.'),
    startTime: Type.Optional(instant('When it began.')),
    completionTime: Type.Optional(instant('When it ended.')),
    candidates: Type.Optional(count('Candidates stored.')),
  });

const pipelineStatus = fields('How one pipeline is.', {
  name: name('Name of the pipeline.'),
  schedule: Type.Optional(followed.schedule),
  since: Type.Optional(followed.since),
  lastSlot: followed.lastSlot,
  skippedSlots: followed.skippedSlots,
  nextSlot: Type.Optional(instant('When it is due next, or has been since, while its run is yet to be made.')),
  waitsFor: Type.Optional(text('The RetentionRun that has to end before that of nextSlot, which is due, is made.')),
  lastSucceededSlot: Type.Optional(
    instant('The newest slot of which a run succeeded, also when that run is long gone: no dry run, and no backfill.'),
  ),
  lastRun: Type.Optional(runSummary('The newest run of it: no dry run, and no backfill.')),
});

/** Read when an operator takes over from one of before, which may still write them. */
const GONE = 'Of versions before `pipelines`; no longer written.';

export const retentionProgramStatus = fields('What the operator last saw. Written by the operator only.', {
  observedGeneration: Type.Optional(count('Generation of the spec that this is about.')),
  conditions: Type.Optional(conditions()),
  pipelines: Type.Optional(
    Type.Array(pipelineStatus, {
      maxItems: 16,
      description: 'Those pipelines that have a schedule, or have run.',
      ...keyedBy('name'),
    }),
  ),
  lastRun: Type.Optional(runSummary(GONE)),
  nextSlot: Type.Optional(instant(GONE)),
  batch: Type.Optional(fields(GONE, followed)),
  prune: Type.Optional(fields(GONE, followed)),
});

export type RetentionProgramStatus = Static<typeof retentionProgramStatus>;

/** How one pipeline of a program is. */
export type PipelineStatus = Static<typeof pipelineStatus>;
