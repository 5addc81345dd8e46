import { type Static, type TSchema, Type } from 'typebox';
import {
  conditions,
  count,
  fields,
  instant,
  keyedBy,
  name,
  objectName,
  oneOf,
  rules,
  text,
} from '../base/schema/fields.ts';
import { PIPELINE_NAMES } from '../contract/pipelines.ts';
import { RUN_PHASES } from './run-phase.ts';

const properties = {
  programRef: fields('The program that is run, in the same namespace.', {
    name: objectName('Name of the RetentionProgram.'),
  }),
  pipeline: oneOf(PIPELINE_NAMES, 'What is run: the batch, or the removal of what the program no longer needs.'),
  slot: Type.Optional(instant('The instant that the run is as of. Default: the newest slot of the schedule.')),
  trigger: oneOf(
    ['schedule', 'manual', 'backfill', 'retry'],
    'Why there is this run. A backfill never becomes the current batch.',
    {
      default: 'manual',
    },
  ),
  dryRun: Type.Boolean({
    default: false,
    description: 'Whether to go through the stages without publishing anything.',
  }),
  suspend: Type.Boolean({
    default: false,
    description: 'Whether the run is to start no further work. May be changed.',
  }),
  cancel: Type.Boolean({
    default: false,
    description: 'Whether the run is to stop for good. May be set, never taken back.',
  }),
} satisfies Record<string, TSchema>;

/** Fields that a user may change while the run exists. */
const MUTABLE = new Set(['suspend', 'cancel']);

/** One rule for the whole spec, so that adding or removing an optional field is a change like any other. */
const unchanged = Object.keys(properties)
  .filter((field) => !MUTABLE.has(field))
  .map(
    (field) =>
      `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`,
  )
  .join(' && ');

export const retentionRunSpec = fields(
  'One run of a program. Immutable but for suspend and cancel.',
  properties,
  rules({
    rule: `${unchanged} && (self.cancel || !oldSelf.cancel)`,
    message: 'a run is immutable: only suspend may change, and cancel may be set but never taken back',
  }),
);

/** A run's spec after the schema has filled in its defaults. */
export type RetentionRunSpec = Static<typeof retentionRunSpec>;

const stage = fields('One stage of the pipeline.', {
  name: name('Name of the stage.'),
  phase: oneOf(RUN_PHASES, 'How far the stage has come.'),
  task: Type.Optional(name('Task of the stage that runs, or ran last.')),
  job: Type.Optional(text('Name of its Job.', 63)),
  attempt: Type.Optional(count('Attempt, from 1.')),
  startTime: Type.Optional(instant('When the stage began.')),
  completionTime: Type.Optional(instant('When the stage ended.')),
  nextTryTime: Type.Optional(
    instant('When the Job makes another pod at the latest, after one was evicted or its node was lost.'),
  ),
  rowsIn: Type.Optional(count('Rows that it read.')),
  rowsOut: Type.Optional(count('Rows that it passed on.')),
  counts: Type.Optional(
    Type.Unsafe<Record<string, number>>({
      type: 'object',
      description: 'Further counts, such as `removed.trust`.',
      maxProperties: 64,
      additionalProperties: count('A count.'),
    }),
  ),
  errorCode: Type.Optional(text('Stable code of the failure, such as HF_MODEL_MISSING.', 63)),
  message: Type.Optional(Type.String({ maxLength: 1024, description: 'What went wrong, or was in the way.' })),
});

export const retentionRunStatus = fields('What the operator last saw. Written by the operator only.', {
  observedGeneration: Type.Optional(count('Generation of the spec that this is about.')),
  phase: Type.Optional(oneOf(RUN_PHASES, 'How far the run has come.')),
  revision: Type.Optional(text('Name of the ConfigMap that holds the program as this run sees it.')),
  revisionDigest: Type.Optional(
    text('SHA-256 of what it holds, image and program, in hexadecimal: the name has only its beginning.', 64),
  ),
  slot: Type.Optional(instant('The instant that the run is as of.')),
  startTime: Type.Optional(instant('When the run began.')),
  completionTime: Type.Optional(instant('When the run ended.')),
  stages: Type.Optional(Type.Array(stage, { maxItems: 16, description: 'The stages, in order.', ...keyedBy('name') })),
  conditions: Type.Optional(conditions()),
});

export type RetentionRunStatus = Static<typeof retentionRunStatus>;
