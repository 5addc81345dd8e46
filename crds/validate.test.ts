import { expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { connectionVariable } from '../contract/credentials.ts';
import { loadManifests } from './load.ts';
import type { RetentionProgram, RetentionRun } from './objects.ts';
import { type Validation, validateManifest } from './validate.ts';

const MINIMAL = `
apiVersion: holdfast.dev/v1alpha1
kind: RetentionProgram
metadata: {name: minimal}
spec:
  programId: minimal
  programName: Minimal
  marketplaces: [US]
  dataConnectors: [{connectorId: warehouse, type: duckdb, config: {sample: {}, query: SELECT 1}}]
  scoringModels: [{modelId: risk, endpoint: "sagemaker://risk", features: [lifetime_value]}]
  offerStrategy: {segments: [{riskLevel: high, offerType: standard}]}
  batchSchedule: 0 2 * * MON
`;

function validated(text: string): Validation {
  const [document] = loadManifests(text, 'minimal.yaml');
  if (document === undefined) throw new Error('there is no object');
  return validateManifest(document, { now: new Date('2026-11-23T02:00:00Z') });
}

/** The minimal program with fields of its spec replaced. */
function program(fields: object): string {
  const manifest = parse(MINIMAL) as { spec: object };
  return stringify({ ...manifest, spec: { ...manifest.spec, ...fields } });
}

test('what is left out has its default, however deep', () => {
  const { spec } = validated(MINIMAL).resolved as RetentionProgram;
  expect(spec.enabled).toBe(true);
  expect(spec.riskLevels).toEqual({ critical: 0.8, high: 0.6, medium: 0.4 });
  expect(spec.holdout).toEqual({ share: 0.1, epoch: 1 });
  expect(spec.quality).toEqual({ maxRejectedShare: 0.01, minRowsVersusLastRun: 0.5 });
  expect(spec.subscriptionTiers).toEqual(['basic', 'standard', 'premium', 'premium_plus']);
  expect(spec.dataConnectors[0]?.config.sample).toEqual({ customers: 10_000, seed: 1 });
  expect(spec.scoringModels[0]?.batchSize).toBe(1000);
  expect(spec.offerStrategy.segments[0]).toMatchObject({ discount: 0, duration: 1, includeUpgrade: false });
  expect([spec.timeZone, spec.candidateTTLDays, spec.filterChain, spec.channels]).toEqual(['UTC', 30, [], []]);
});

test('defaults of one object never reach another', () => {
  const first = validated(program({ riskLevels: { critical: 0.9 } })).resolved as RetentionProgram;
  const second = validated(MINIMAL).resolved as RetentionProgram;
  expect(first.spec.riskLevels).toEqual({ critical: 0.9, high: 0.6, medium: 0.4 });
  expect(second.spec.riskLevels.critical).toBe(0.8);
});

test.each([
  ['a field with two letters swapped', { batchSchedule: undefined, batchShcedule: '0 2 * * MON' }, 'batchSchedule'],
  [
    'a word that is nearly in the list',
    { offerStrategy: { segments: [{ riskLevel: 'hihg', offerType: 'premium' }] } },
    'high',
  ],
  ['a boolean in quotes', { enabled: 'False' }, 'false'],
  ['a number in quotes', { candidateTTLDays: '30' }, '30'],
  ['a single word for a list', { marketplaces: 'US' }, '["US"]'],
  ['a time zone with a typing error', { timeZone: 'Europe/Berln' }, 'Europe/Berlin'],
])('%s is answered with what was meant', (_name, fields, suggestion) => {
  expect(validated(program(fields)).faults.map((fault) => fault.suggestion)).toEqual([suggestion]);
});

test('a misspelt field that is required is one fault, not two', () => {
  const { faults } = validated(program({ programName: undefined, progranName: 'x' }));
  expect(faults.map((fault) => fault.field)).toEqual(['spec.progranName']);
});

test('a fault in one field hides no rule about others', () => {
  const { faults } = validated(
    program({
      programName: 1,
      riskLevels: { critical: 0.1 },
      featureStore: { type: 'warehouse', connectorId: 'x', table: 't' },
    }),
  );
  expect(faults.map((fault) => fault.field).sort()).toEqual([
    'spec.featureStore.connectorId',
    'spec.programName',
    'spec.riskLevels',
  ]);
});

test('faults come in the order of the file', () => {
  const { faults } = validated(
    MINIMAL.replace('Minimal', '1').replace('[US]', '[usa]').replace('0 2 * * MON', 'never'),
  );
  expect(faults.map((fault) => fault.line)).toEqual([7, 8, 12]);
});

test('to hold everybody out is a warning, since nobody gets an offer', () => {
  const { faults, warnings } = validated(program({ holdout: { share: 1 } }));
  expect(faults).toEqual([]);
  expect(warnings.map(({ field, reason }) => `${field}: ${reason}`)).toContain(
    'spec.holdout.share: everybody is held out: nobody gets an offer',
  );
});

test('memory in which no task starts is a warning, such as half a byte', () => {
  const { faults, warnings } = validated(program({ execution: { memory: '512m' } }));
  expect(faults).toEqual([]);
  expect(warnings.map(({ field, reason }) => `${field}: ${reason}`)).toContain(
    'spec.execution.memory: 512m is 0.512 bytes, in which no task starts on a cluster: write 512Mi or 2Gi',
  );
});

test('what is not built yet, or has no effect, is a warning with its field', () => {
  const { faults, warnings } = validated(
    program({
      holdout: { share: 0 },
      channels: [
        { channelId: 'mail', type: 'email' },
        { channelId: 'silent', type: 'push', enabled: false },
      ],
    }),
  );
  expect(faults).toEqual([]);
  expect(warnings.map(({ field, reason }) => `${field}: ${reason}`).sort()).toEqual([
    'spec.channels[0]: nothing is sent by email yet: offers are decided and stored only',
    'spec.holdout.share: nobody is held out, so the effect of the offers cannot be measured',
    'spec.offerStrategy.segments: no offer for risk level critical, medium',
    'spec.scoringModels[0].endpoint: sagemaker:// is not available yet: a run ends with HF_PROVIDER_UNAVAILABLE',
  ]);
});

test.each([
  ['of the batch', { batchSchedule: 'cron(15 10 ? * 6L 2022-2023)' }, 'spec.batchSchedule', '2023-12-29'],
  ['of prune', { schedules: { prune: 'cron(0 3 1 1 ? 2026)' } }, 'spec.schedules.prune', '2026-01-01'],
  [
    'whose last day is another in its own zone',
    { batchSchedule: 'cron(30 0 1 1 ? 2020)', timeZone: 'Europe/Berlin' },
    'spec.batchSchedule',
    '2020-01-01',
  ],
])('a schedule %s that is over is a warning with the day on which it fired last', (_name, fields, field, day) => {
  const { faults, warnings } = validated(program(fields));
  expect(faults).toEqual([]);
  expect(warnings.filter((warning) => warning.field === field).map(({ reason }) => reason)).toEqual([
    `is over: it fired last on ${day} and never again`,
  ]);
});

test.each([
  ['has its last slot still to come', 'cron(0 3 ? * MON 2026)'],
  ['begins in years to come', 'cron(0 3 ? * MON 2028)'],
])('a schedule that %s is no warning', (_name, batchSchedule) => {
  expect(validated(program({ batchSchedule })).warnings.map(({ field }) => field)).not.toContain('spec.batchSchedule');
});

test.each([
  [{ critical: 0.6, high: 0.6, medium: 0.4 }, 1],
  [{ critical: 0.8, high: 0.4, medium: 0.4 }, 1],
  [{ critical: 0.8, high: 0.3, medium: 0.4 }, 1],
  [{ critical: 0.8, high: 0.400_000_1, medium: 0.4 }, 0],
])('thresholds %j have %i faults: no level may be empty', (riskLevels, count) => {
  expect(validated(program({ riskLevels })).faults.map(({ field }) => field)).toEqual(
    Array.from({ length: count }, () => 'spec.riskLevels'),
  );
});

const connectors = (count: number, characters: number) =>
  Array.from({ length: count }, (_, index) => ({
    connectorId: `c${index}`,
    type: 'duckdb',
    config: { sample: {}, query: `SELECT ${'1'.repeat(characters - 7)}` },
  }));

test('a spec of more than 256 KiB is refused by its size alone', () => {
  const { faults } = validated(program({ dataConnectors: connectors(5, 60_000), batchSchedule: 'never' }));
  expect(faults.map(({ field, reason }) => `${field} ${reason}`)).toEqual([
    expect.stringMatching(/^spec has 30\d{4} bytes; at most 262144 are allowed$/),
  ]);
  expect(validated(program({ dataConnectors: connectors(4, 60_000) })).faults).toEqual([]);
});

test('a spec may have exactly 256 KiB, and not a byte more', () => {
  const sized = (bytes: number) => {
    const spec = { dataConnectors: connectors(5, 1000), programName: 'Name' };
    const rest = Buffer.byteLength(JSON.stringify((parse(program(spec)) as { spec: object }).spec));
    return validated(
      program({ ...spec, unknown: 'é'.repeat((bytes - rest - 13) / 2) + 'x'.repeat((bytes - rest - 13) % 2) }),
    );
  };
  expect(sized(262_144).faults.map(({ field }) => field)).toEqual(['spec.unknown']);
  expect(sized(262_145).faults.map(({ field }) => field)).toEqual(['spec']);
});

const remote = (modelId: string) => ({
  modelId,
  endpoint: 'https://models.example.com/v2/models/risk/versions/1',
  manifest: 'risk.json',
  sha256: '0'.repeat(64),
  features: ['lifetime_value'],
});

test.each([
  ['risk.v1', 'risk-v1'],
  ['risk v1', 'RISK_V1'],
  ['é', 'è'],
])('the remote models %s and %s cannot be in one program: they would share a token', (one, other) => {
  const { faults } = validated(program({ scoringModels: [remote('first'), remote(one), remote(other)] }));
  expect(faults.map(({ field, reason }) => `${field} ${reason}`)).toEqual([
    expect.stringContaining(`spec.scoringModels[2].modelId and the modelId ${one} have one variable`),
  ]);
  const local = { ...remote(one), endpoint: 'sagemaker://risk', manifest: undefined };
  expect(validated(program({ scoringModels: [local, remote(other)] })).faults).toEqual([]);
});

test('connectors of one program never share the variable of a connection', () => {
  const ids = ['a', 'b', 'a-b', 'a--b', 'ab', 'a-b-', '-', 'a1', 'a-1'];
  expect(new Set(ids.map(connectionVariable)).size).toBe(ids.length);
});

test('a status is ignored with a warning', () => {
  const { faults, warnings } = validated(`${MINIMAL}status: {phase: Done}\n`);
  expect([faults.length, warnings.some(({ field }) => field === 'status')]).toEqual([0, true]);
});

test('a run without a name takes the stem that it gives', () => {
  const { resolved } = validated(
    'apiVersion: holdfast.dev/v1alpha1\nkind: RetentionRun\nmetadata: {generateName: now-}\nspec: {programRef: {name: a}, pipeline: batch}\n',
  );
  const run = resolved as RetentionRun;
  expect(run.metadata.name).toBe('now');
  expect(run.spec).toEqual({
    programRef: { name: 'a' },
    pipeline: 'batch',
    trigger: 'manual',
    dryRun: false,
    suspend: false,
    cancel: false,
  });
});
