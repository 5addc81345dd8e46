import { expect, test } from '@jest/globals';
import { PIPELINES, type Pipelines } from '../../contract/pipelines.ts';
import { WITH_CAMPAIGN } from '../../test/support/pipelines.ts';
import { STAGE_SETTINGS, storedProgram } from '../../test/support/program.ts';
import { NO_ATTEMPTS } from './action.ts';
import { decideProgram } from './program/program.ts';

const NOW = new Date('2026-11-23T02:00:00Z');

/** What the status of a program says about whether it is ready. */
function readiness(spec: Parameters<typeof storedProgram>[0], pipelines: Pipelines = PIPELINES): string {
  const program = storedProgram(spec);
  const snapshot = {
    program,
    runs: [],
    pinned: new Set<string>(),
    revisions: [],
    twins: [],
    attempts: NO_ATTEMPTS,
    settings: STAGE_SETTINGS,
    pipelines,
  };
  const ready = decideProgram(snapshot, NOW).status.conditions?.find(({ type }) => type === 'Ready');
  return `${ready?.status} ${ready?.reason}: ${ready?.message}`;
}

test.each<[string, Parameters<typeof storedProgram>[0], string]>([
  [
    'a schedule of years by a step of nothing',
    { batchSchedule: 'cron(0 2 ? * MON 2026/00)' },
    'False SpecInvalid: spec.batchSchedule schedule "cron(0 2 ? * MON 2026/00)": year (1970–2199) "2026/00": a step is 1 or more',
  ],
  [
    'a schedule of a million characters, which no CRD of this version lets in',
    { batchSchedule: '1,'.repeat(100_000) },
    'it is 200000 characters long; at most 128 are read',
  ],
  ['more than 256 KiB', { programName: 'x'.repeat(300_000) }, 'False SpecInvalid: spec has 30'],
  [
    'two models that would share a token',
    {
      scoringModels: ['risk.v1', 'risk-v1', 'risk v1'].map((modelId) => ({
        modelId,
        endpoint: 'https://models.example.com/v2/models/risk/versions/1',
        features: ['lifetime_value'],
        batchSize: 1000,
      })),
    },
    'have one variable for their tokens, HOLDFAST_MODEL_TOKEN_RISK_V1; name one of them otherwise; and 1 more fault',
  ],
  [
    'a schedule that is over',
    { batchSchedule: 'cron(15 10 ? * 6L 2022-2023)' },
    'True ScheduleOver: spec.batchSchedule is over: it fired last on 2023-12-29 and never again',
  ],
])('%s is a condition of the program', (_name, spec, said) => {
  const found = readiness(spec);
  expect(found).toContain(said);
  expect(found.length).toBeLessThan(1000);
});

test('a program whose runs take each other’s place is ready, but for one that reaches people', () => {
  expect(readiness({ concurrencyPolicy: 'Replace' })).toMatch(/^True Scheduled/);
  expect(readiness({ concurrencyPolicy: 'Replace' }, WITH_CAMPAIGN)).toMatch(
    /^False SpecInvalid: spec\.concurrencyPolicy is Replace, by which a campaign under way would be ended/,
  );
});
