import { expect, test } from '@jest/globals';
import { funnel, type Places, type ReportedStage } from './report.ts';

const PLACES: Places = {
  command: 'holdfast',
  slot: '2026-11-23T02:00:00Z',
  rejects: undefined,
  data: undefined,
  state: '.holdfast',
  database: 'the embedded Postgres',
  customer: undefined,
  elsewhere: undefined,
  program: 'keep',
  dryRun: false,
};
const stage = (name: string, rowsIn: number, rowsOut: number, counts: ReportedStage['counts']): ReportedStage => ({
  name,
  rowsIn,
  rowsOut,
  counts,
  seconds: 1,
});
const STAGES = [
  stage('score', 9, 9, { riskLevels: { critical: 4, high: 5, medium: 0 } }),
  stage('offer', 9, 9, {
    tiers: { premium: 4, standard: 3 },
    kinds: { discount: 2, upgrade: 7 },
    arms: { treatment: 8, holdout: 1 },
    withoutOffer: 2,
  }),
];
const run = (store: ReportedStage, change: Partial<Places> = {}) =>
  funnel({ run: 'keep-1', phase: 'Succeeded', seconds: 3, stages: [...STAGES, store] }, { ...PLACES, ...change }).split(
    '\n',
  );

test('the figures of what is stored are those that are left after the caps, and who fell out is a line of its own', () => {
  const stored = stage('store', 9, 6, {
    candidates: 6,
    removed: { 'frequency-cap': 3, other: 0 },
    riskLevels: { critical: 1, high: 5, medium: 0 },
    tiers: { premium: 1, standard: 5 },
    kinds: { discount: 2, upgrade: 4 },
    arms: { treatment: 6, holdout: 0 },
  });
  const lines = run(stored);
  expect(lines).toContainEqual(
    expect.stringMatching(/^caps +frequency-cap −3 +whom other programs decided on meanwhile$/),
  );
  expect(lines).toContainEqual(expect.stringMatching(/^stored +6 +critical 1 .*high 5 .*medium 0$/));
  expect(lines).toContainEqual(expect.stringMatching(/^offers +premium 1 +standard 5 +held out 0$/));
});

test('a dry run, which stores nothing, shows what would be offered', () => {
  const lines = run(stage('store', 9, 9, { candidates: 9 }), { dryRun: true });
  expect(lines.join('\n')).not.toContain('caps');
  expect(lines).toContainEqual(expect.stringMatching(/^candidates +9 +critical 4 .*high 5 .*medium 0$/));
  expect(lines).toContainEqual(expect.stringMatching(/^kinds +discount 2 +upgrade 7$/));
  expect(lines).toContainEqual(expect.stringMatching(/^offers +premium 4 +standard 3 +none 2 +held out 1$/));
});

test('without a second model offers are counted by tier, and nothing by kind', () => {
  const counts = { tiers: { premium: 4, standard: 5 }, kinds: {}, arms: { holdout: 1 } };
  const lines = run(stage('store', 9, 9, counts));
  expect(lines).toContainEqual(expect.stringMatching(/^offers +premium 4 +standard 5 +held out 1$/));
  expect(lines.filter((line) => line.startsWith('kinds'))).toEqual([]);
});
