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
  type Rule,
  rules,
  text,
} from '../base/schema/fields.ts';
import {
  PIPELINES,
  type PipelineDefinition,
  type PipelineName,
  type Pipelines,
  pipelinesOf,
} from '../contract/pipelines.ts';
import { TRIGGERS } from '../contract/trigger.ts';
import { RUN_PHASES } from './run-phase.ts';

/** Fields that a user may change while the run exists. */
const MUTABLE = new Set(['suspend', 'cancel']);

/** The spec of a run of what this version, or a test, has of pipelines. */
export function retentionRunSpec(pipelines: Pipelines = PIPELINES) {
  const owned = Object.entries(pipelinesOf('program', pipelines));
  const properties = {
    programRef: fields('The program that is run, in the same namespace.', {
      name: objectName('Name of the RetentionProgram.'),
    }),
    pipeline: oneOf(
      owned.map(([name]) => name as PipelineName),
      `What is run: ${owned.map(([, { description }]) => description).join(', or ')}.`,
    ),
    slot: Type.Optional(instant('The instant that the run is as of. Default: the newest slot of the schedule.')),
    trigger: oneOf(TRIGGERS, 'Why there is this run. A backfill never becomes the current batch.', {
      default: 'manual',
    }),
    retryOf: Type.Optional(
      fields(
        'The run that this one is another try of, with its program, pipeline and slot, and the artifacts that it committed.',
        { name: objectName('Name of the RetentionRun, which has failed.'), uid: text('Its uid.', 63) },
      ),
    ),
    fromStage: Type.Optional(
      name('With retryOf: stage that is the first to be done anew. Default: the first whose artifact is not whole.'),
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
  return fields(
    'One run of a program. Immutable but for suspend and cancel.',
    properties,
    rules(immutable(properties), ...retrying(owned), ...reachingPeople(owned)),
  );
}

/** One rule for the whole spec, so that adding or removing an optional field is a change like any other. */
function immutable(properties: object): Rule {
  const unchanged = Object.keys(properties)
    .filter((field) => !MUTABLE.has(field))
    .map(
      (field) =>
        `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`,
    )
    .join(' && ');
  return {
    rule: `${unchanged} && (self.cancel || !oldSelf.cancel)`,
    message: 'a run is immutable: only suspend may change, and cancel may be set but never taken back',
  };
}

function retrying(pipelines: readonly (readonly [string, PipelineDefinition])[]): readonly Rule[] {
  const stages = pipelines.map(
    ([name, { stages }]) =>
      `(self.pipeline == '${name}' && self.fromStage in ${list(stages.map((stage) => stage.name))})`,
  );
  return [
    {
      rule: "!has(self.retryOf) || self.trigger in ['retry', 'backfill']",
      message: 'a run with retryOf is a retry: write trigger: retry, or backfill where that run is a backfill',
      fieldPath: '.trigger',
    },
    {
      rule: '!has(self.fromStage) || has(self.retryOf)',
      message: 'fromStage says where another run is taken up: name that run in retryOf',
      fieldPath: '.fromStage',
    },
    {
      rule: `!has(self.fromStage) || ${stages.join(' || ')}`,
      message: `fromStage must be a stage of the pipeline: ${pipelines.map(([name, { stages }]) => `${stages.map((stage) => stage.name).join(', ')} of ${name}`).join('; ')}`,
      fieldPath: '.fromStage',
    },
  ];
}

function reachingPeople(pipelines: readonly (readonly [string, PipelineDefinition])[]): readonly Rule[] {
  const names = pipelines.filter(([, { reachesPeople }]) => reachesPeople).map(([name]) => name);
  if (names.length === 0) return [];
  return [
    {
      rule: `self.trigger != 'backfill' || !(self.pipeline in ${list(names)})`,
      message: `people would hear of what is past: there is no backfill of ${names.join(', ')}`,
      fieldPath: '.trigger',
    },
  ];
}

const list = (names: readonly string[]) => `[${names.map((name) => `'${name}'`).join(', ')}]`;

/** A run's spec after the schema has filled in its defaults. */
export type RetentionRunSpec = Static<ReturnType<typeof retentionRunSpec>>;

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
