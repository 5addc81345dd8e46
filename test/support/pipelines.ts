import { PIPELINES, type Pipelines } from '../../contract/pipelines.ts';

/**
 * The table with three more pipelines, by an entry each: one of two stages that reaches people after each batch, one that
 * reports of the batch at times of its own and reaches nobody, and one of a series, which nothing but its owner tells from
 * the batch: not its schedule's field, nor its lane, nor that it publishes.
 */
export const WITH_CAMPAIGN: Pipelines = {
  ...PIPELINES,
  campaign: {
    description: 'the campaign',
    owner: 'program',
    schedule: ['schedules', 'campaign'],
    unscheduled: 'with-after',
    after: 'batch',
    reachesPeople: true,
    lane: 'outreach',
    publishes: false,
    stages: [
      {
        name: 'plan',
        reads: [],
        tasks: [
          { name: 'migrate', description: 'gives the run its number', does: 'prepare' },
          { name: 'plan', description: 'plans', does: 'work' },
        ],
      },
      {
        name: 'deliver',
        reads: ['plan'],
        secrets: ['modelTokens'],
        tasks: [
          { name: 'check', description: 'checks', does: 'prepare' },
          { name: 'deliver', description: 'delivers', does: 'work' },
        ],
      },
    ],
  },
  report: {
    description: 'the report',
    owner: 'program',
    schedule: ['schedules', 'report'],
    after: 'batch',
    lane: 'report',
    publishes: false,
    stages: [{ name: 'report', reads: [], tasks: [{ name: 'report', description: 'reports', does: 'work' }] }],
  },
  cohorts: {
    description: 'the cohorts of a series',
    owner: 'series',
    schedule: ['batchSchedule'],
    lane: 'batch',
    publishes: true,
    stages: [
      {
        name: 'split',
        reads: [],
        tasks: [
          { name: 'migrate', description: 'gives the run its number', does: 'prepare' },
          { name: 'shards', description: 'splits the customers of one shard', does: 'shards' },
          { name: 'split', description: 'splits customers', does: 'work' },
        ],
      },
      { name: 'publish', reads: ['split'], tasks: [{ name: 'publish', description: 'publishes', does: 'work' }] },
    ],
  },
};
