import { PIPELINES, type Pipelines } from '../../contract/pipelines.ts';

/**
 * The table with two more pipelines, by an entry each: one of two stages that reaches people after each batch, and one that
 * reports of the batch at times of its own and reaches nobody.
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
};
