import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { randomNumbers } from '../../../base/math/random-numbers.ts';
import { writeModel } from '../../../test/support/models.ts';
import { loadModel } from '../index.ts';
import { type LogisticModel, logisticOnnx, predict } from './logistic-model.ts';
import { type Scorecard, scorecardOnnx, scorecardRisk } from './scorecard-model.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-written-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Scores of the file, by the runtime that a run uses. */
async function scores(
  bytes: Buffer,
  features: readonly string[],
  rows: readonly (readonly number[])[],
): Promise<number[]> {
  const reference = await writeModel(folder, bytes, { modelId: 'written', features });
  const model = await loadModel({ ...reference, baseFolder: folder, threads: 1 });
  try {
    return [...(await model.score(Float32Array.from(rows.flat()), rows.length))];
  } finally {
    await model.close();
  }
}

/** Rows of ordinary, missing and absurd values. */
function rowsOf(width: number): number[][] {
  const random = randomNumbers(4);
  const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1e30, -1e30];
  const value = () => (random() < 0.2 ? odd[Math.floor(random() * odd.length)]! : Math.fround(random() * 20 - 10));
  return Array.from({ length: 500 }, () => Array.from({ length: width }, value));
}

const LOGISTIC: LogisticModel = {
  features: ['a', 'b', 'c'],
  means: [1, -2, 0.5],
  scales: [2, 5, 0.1],
  limit: 4,
  weights: [0.7, -1.1, 0.2],
  missingWeights: [0.4, 0, -0.3],
  hinges: [
    { feature: 0, knot: -0.5, weight: 0.9 },
    { feature: 2, knot: 1, weight: -0.6 },
    { feature: 0, knot: 0.5, weight: -1.4 },
  ],
  intercept: -0.8,
};

test.each([
  ['with bends', LOGISTIC],
  ['without', { ...LOGISTIC, hinges: [] }],
])(
  'the file of a logistic regression %s says what its plain version says, of missing and absurd values too',
  async (_, model) => {
    const rows = rowsOf(3);
    const written = await scores(logisticOnnx(model), model.features, rows);
    rows.forEach((row, index) => expect(written[index]).toBeCloseTo(predict(model, row), 5));
  },
);

test('the file of a scorecard says what its plain version says', async () => {
  const card: Scorecard = {
    figures: [
      { feature: 'days', highIsRisky: true, cuts: [-5, 0, 0, 0, 5] },
      { feature: 'score', highIsRisky: false, cuts: [-8, -3, 2] },
    ],
  };
  const rows = rowsOf(2);
  const written = await scores(scorecardOnnx(card), ['days', 'score'], rows);
  rows.forEach((row, index) => expect(written[index]).toBeCloseTo(scorecardRisk(card, row), 5));
  expect(written.every((risk) => risk >= 0 && risk <= 1)).toBe(true);
});

test('a scorecard ranks by the percentile, counts ties half, and takes what is missing for average', () => {
  const card: Scorecard = { figures: [{ feature: 'days', highIsRisky: true, cuts: [1, 2, 3, 4] }] };
  expect([0, 1, 2.5, 9, Number.NaN].map((days) => scorecardRisk(card, [days]))).toEqual([0, 0.125, 0.5, 1, 0.625]);
});
