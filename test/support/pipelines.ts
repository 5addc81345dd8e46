import { PIPELINES, type Pipelines } from '../../contract/pipelines.ts';

/** The table with one more pipeline, of two stages and in a lane of its own, by one entry. */
export const WITH_CAMPAIGN: Pipelines = {
  ...PIPELINES,
  campaign: {
    owner: 'program',
    schedule: ['schedules', 'campaign'],
    lane: 'outreach',
    publishes: false,
    stages: [
      { name: 'plan', reads: [], tasks: [{ name: 'plan', description: 'plans', does: 'work' }] },
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
};
