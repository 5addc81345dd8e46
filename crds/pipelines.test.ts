import { expect, test } from '@jest/globals';
import { WITH_CAMPAIGN } from '../test/support/pipelines.ts';
import { program, programSpec, run } from '../test/support/program.ts';
import { loadManifests } from './load.ts';
import type { RetentionRunSpec } from './retention-run.ts';
import { validateManifest } from './validate.ts';

/*
 * What the schemas are of another table of pipelines: the one with a campaign, which reaches people, and a report.
 */
function faultsOf(object: object): readonly string[] {
  const [document] = loadManifests(JSON.stringify(object), 'object.json');
  const { faults } = validateManifest(document!, { pipelines: WITH_CAMPAIGN });
  return faults.map(({ field, reason }) => `${field} ${reason}`);
}

const schedules = (of: object) => program({ ...programSpec(), schedules: { ...of } });

test.each<[string, object, readonly string[]]>([
  ['each pipeline may have a schedule', schedules({ campaign: '0 9 * * *', report: '0 8 * * MON' }), []],
  [
    'only those of the table may have one',
    schedules({ reprot: '0 8 * * MON' }),
    ['spec.schedules.reprot is not a field here'],
  ],
  [
    'what a schedule means is asked of each',
    schedules({ report: '0 0 31 2 *' }),
    [expect.stringMatching(/^spec\.schedules\.report /) as unknown as string],
  ],
  [
    'Replace goes with what reaches nobody',
    program({ ...programSpec(), concurrencyPolicy: 'Replace' }),
    [
      expect.stringMatching(
        /^spec\.concurrencyPolicy is Replace, by which a campaign .*; write Forbid$/,
      ) as unknown as string,
    ],
  ],
])('of programs, %s', (_name, object, faults) => {
  expect(faultsOf(object)).toEqual(faults);
});

const UID = '6f1c2f2e-52f3-4c7a-9d4b-0c8f6d6b2a11';
const retryOf = { name: 'earlier', uid: UID };
const of = (pipeline: string, change: Partial<RetentionRunSpec> = {}) =>
  run('by-hand', { pipeline: pipeline as never, ...change });

test.each<[string, object, readonly string[]]>([
  ['a pipeline of the table may be run', of('campaign'), []],
  [
    'no other may',
    of('mission'),
    [expect.stringMatching(/^spec\.pipeline .*must be one of batch, prune, campaign, report$/) as unknown as string],
  ],
  ['what reaches nobody may be made good for the past', of('report', { trigger: 'backfill' }), []],
  [
    'what reaches people may not',
    of('campaign', { trigger: 'backfill' }),
    ['spec.trigger people would hear of what is past: there is no backfill of campaign'],
  ],
  ['a backfill may be tried again as one', of('report', { trigger: 'backfill', retryOf }), []],
  [
    'nothing may be tried again by hand',
    of('report', { trigger: 'manual', retryOf }),
    [expect.stringContaining('write trigger: retry, or backfill where that run is a backfill') as unknown as string],
  ],
  ['a retry may begin at a stage', of('campaign', { trigger: 'retry', retryOf, fromStage: 'deliver' }), []],
  [
    'but not at that of another pipeline',
    of('report', { trigger: 'retry', retryOf, fromStage: 'deliver' }),
    [expect.stringContaining('plan, deliver of campaign') as unknown as string],
  ],
])('of runs, %s', (_name, object, faults) => {
  expect(faultsOf(object)).toEqual(faults);
});
