import { PIPELINES, type Pipelines, publishingOf } from '../contract/pipelines.ts';
import { PROVIDERS, type Providers } from '../providers/registry.ts';
import { retentionProgramStatus } from './program-status.ts';
import { retentionProgramSpec } from './retention-program.ts';
import { retentionRunSpec, retentionRunStatus } from './retention-run.ts';
import { type StructuralSchema, structural } from './structural.ts';

export const GROUP = 'holdfast.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}` as const;

/** A column of `kubectl get`; those with priority 1 only with `-o wide`. */
interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  readonly priority?: 1;
}

/** A custom resource: everything of its definition that is not the same for all. */
export interface Kind {
  readonly kind: 'RetentionProgram' | 'RetentionRun';
  readonly plural: string;
  readonly shortName: string;
  readonly description: string;
  readonly spec: StructuralSchema;
  readonly status: StructuralSchema;
  readonly columns: readonly PrinterColumn[];
}

const age: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since it was made.',
};

/** Every kind, made anew: call once and keep. */
export function kinds(providers: Providers = PROVIDERS, pipelines: Pipelines = PIPELINES): readonly Kind[] {
  const publishing = publishingOf('program', pipelines);
  const inStatus = (field: string) => `.status.pipelines[?(@.name=="${publishing}")].${field}`;
  return [
    {
      kind: 'RetentionProgram',
      plural: 'retentionprograms',
      shortName: 'rp',
      description: 'A program that finds customers who are about to leave and decides what to offer them.',
      spec: structural(retentionProgramSpec(providers, pipelines)),
      status: structural(retentionProgramStatus),
      columns: [
        {
          name: 'Ready',
          type: 'string',
          jsonPath: '.status.conditions[?(@.type=="Ready")].status',
          description: 'Whether it is accepted and scheduled.',
        },
        {
          name: 'Reason',
          type: 'string',
          jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
          description: 'Why it is so, such as Scheduled, Disabled or SpecInvalid.',
        },
        { name: 'Schedule', type: 'string', jsonPath: '.spec.batchSchedule', description: 'When the batch runs.' },
        {
          name: 'Zone',
          type: 'string',
          jsonPath: '.spec.timeZone',
          description: 'Time zone of the schedule.',
          priority: 1,
        },
        {
          name: 'Last Run',
          type: 'string',
          jsonPath: inStatus('lastRun.phase'),
          description: 'How far the newest batch is that was to become the current one.',
        },
        {
          name: 'Candidates',
          type: 'integer',
          jsonPath: inStatus('lastRun.candidates'),
          description: 'Candidates that it stored.',
        },
        {
          name: 'Outcome',
          type: 'string',
          jsonPath: '.status.conditions[?(@.type=="LastRunSucceeded")].reason',
          description: 'How the newest of them ended that says how the program is, such as NoCandidates.',
        },
        { name: 'Next', type: 'string', jsonPath: inStatus('nextSlot'), description: 'When the next batch is due.' },
        {
          name: 'Run',
          type: 'string',
          jsonPath: inStatus('lastRun.name'),
          description: 'The run of Last Run.',
          priority: 1,
        },
        {
          name: 'Message',
          type: 'string',
          jsonPath: '.status.conditions[?(@.type=="LastRunSucceeded")].message',
          description: 'What came of it, in a sentence.',
          priority: 1,
        },
        {
          name: 'Why',
          type: 'string',
          jsonPath: '.status.conditions[?(@.type=="Ready")].message',
          description: 'Reason in a sentence.',
          priority: 1,
        },
        age,
      ],
    },
    {
      kind: 'RetentionRun',
      plural: 'retentionruns',
      shortName: 'rr',
      description: 'One run of a RetentionProgram, made by the operator at a slot or by a person.',
      spec: structural(retentionRunSpec(pipelines)),
      status: structural(retentionRunStatus),
      columns: [
        { name: 'Program', type: 'string', jsonPath: '.spec.programRef.name', description: 'The program that is run.' },
        { name: 'Pipeline', type: 'string', jsonPath: '.spec.pipeline', description: 'What is run.' },
        { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'How far the run has come.' },
        {
          name: 'Stage',
          type: 'string',
          jsonPath: '.status.stages[?(@.phase=="Running")].name',
          description: 'The stage that is under way.',
        },
        {
          name: 'Reason',
          type: 'string',
          jsonPath: '.status.conditions[?(@.type=="Reconciling")].reason',
          description: 'How it is, or what it waits for.',
        },
        { name: 'Slot', type: 'string', jsonPath: '.status.slot', description: 'The instant that the run is as of.' },
        {
          name: 'Trigger',
          type: 'string',
          jsonPath: '.spec.trigger',
          description: 'Why there is this run.',
          priority: 1,
        },
        {
          name: 'Retry Of',
          type: 'string',
          jsonPath: '.spec.retryOf.name',
          description: 'The run that it is another try of.',
          priority: 1,
        },
        {
          name: 'Revision',
          type: 'string',
          jsonPath: '.status.revision',
          description: 'The program as this run sees it.',
          priority: 1,
        },
        {
          name: 'Message',
          type: 'string',
          jsonPath: '.status.conditions[?(@.type=="Reconciling")].message',
          description: 'The same in a sentence.',
          priority: 1,
        },
        age,
      ],
    },
  ];
}
