import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { keysOf, type Rows, spaceOf } from '../../test/support/points.ts';
import { randomNumbers } from '../math/random-numbers.ts';
import {
  fitMixture,
  fitMixtureFrom,
  type Mixture,
  type MixtureFit,
  type MixtureOptions,
  softAssignments,
  VARIANCE_FLOOR,
} from './mixture.ts';
import { TooFewDistinct } from './seeding.ts';
import { openTeam } from './team.ts';

const OPTIONS: MixtureOptions = {
  components: 3,
  mostIterations: 500,
  tolerance: 1e-3,
  start: { seed: 'test', restarts: 3, mostIterations: 300, tolerance: 1e-4 },
};

/** Three clouds of unequal size and width, far enough apart that everybody finds them. */
function clouds(rows: number): number[][] {
  const random = randomNumbers(4);
  const width = () => random() + random() + random() - 1.5;
  return Array.from({ length: rows }, (_, row) => {
    const cloud = row % 6 === 0 ? 0 : row % 3 === 0 ? 1 : 2;
    return [8 * cloud + (1 + cloud) * width(), -5 * cloud + width()];
  });
}

async function fit(rows: Rows, options: Partial<MixtureOptions> = {}, parts = 1, keys = keysOf([...rows.keys()])) {
  const space = spaceOf(rows, parts);
  await using team = openTeam(space);
  return { fit: await fitMixture(space, keys, team, { ...OPTIONS, ...options }), labels: [...space.labels] };
}

function mixtureOf(first: Rows): Mixture {
  const [components, dimensions] = [first.length, first[0]?.length ?? 0];
  return {
    components,
    dimensions,
    weights: new Float64Array(components).fill(1 / components),
    means: Float64Array.from(first.flat()),
    variances: new Float64Array(components * dimensions).fill(1),
  };
}

interface Reference {
  readonly mixtures: readonly {
    readonly name: string;
    readonly points: Rows;
    readonly first: Rows;
    readonly weights: readonly number[];
    readonly means: Rows;
    readonly variances: Rows;
    readonly iterations: number;
    readonly logLikelihood: number;
    readonly bic: number;
    readonly labels: readonly number[];
    readonly probabilities: Rows;
    readonly logDensities: readonly number[];
  }[];
}

/** By scikit-learn: test/references/clustering.py. */
const { mixtures }: Reference = JSON.parse(
  readFileSync(new URL('../../test/references/clustering.json', import.meta.url), 'utf8'),
);

function expectClose(found: Iterable<number>, expected: readonly number[]) {
  for (const [place, value] of [...found].entries()) expect(value).toBeCloseTo(expected[place] as number, 7);
}

test.each(mixtures)("$name: scikit-learn's mixture from the same first one, to 1e-7", async (reference) => {
  const { points, first, ...expected } = reference;
  const space = spaceOf(points);
  const found = await fitMixtureFrom(space, keysOf([...points.keys()]), mixtureOf(first), OPTIONS);
  expect([...space.labels]).toEqual(expected.labels);
  expect(found).toMatchObject({ iterations: expected.iterations, converged: true });
  expectClose(found.weights, expected.weights);
  expectClose(found.means, expected.means.flat());
  expectClose(found.variances, expected.variances.flat());
  expectClose([found.logLikelihood, found.bic], [expected.logLikelihood, expected.bic]);
  const soft = softAssignments(spaceOf(points.slice(0, 10)), found);
  expectClose(soft.probabilities, expected.probabilities.flat());
  expectClose(soft.logDensities, expected.logDensities);
  expect([...soft.labels]).toEqual(expected.labels.slice(0, 10));
});

test('it begins with the shares, means and variances of the clusters of k-means', async () => {
  const rows = clouds(300);
  const { fit: begun } = await fit(rows, { mostIterations: 0 });
  for (let component = 0; component < 3; component++) {
    const near = (row: readonly number[]) =>
      Math.hypot(
        (row[0] as number) - (begun.means[2 * component] as number),
        (row[1] as number) - (begun.means[2 * component + 1] as number),
      ) < 6;
    const own = rows.filter(near);
    expect(begun.weights[component]).toBeCloseTo(own.length / rows.length, 12);
    for (const dimension of [0, 1]) {
      const values = own.map((row) => Math.fround(row[dimension] as number));
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      expect(begun.means[2 * component + dimension]).toBeCloseTo(mean, 12);
      expect(begun.variances[2 * component + dimension]).toBeCloseTo(variance + VARIANCE_FLOOR, 12);
    }
  }
});

test('it is the same to the bit for 1, 2 and 3 threads, and in any order of the points', async () => {
  const rows = clouds(701);
  const digest = ({ fit: found, labels }: { fit: MixtureFit; labels: readonly number[] }) =>
    createHash('sha256')
      .update(found.weights)
      .update(found.means)
      .update(found.variances)
      .update(Uint8Array.from(labels))
      .update(`${found.bic} ${found.iterations}`)
      .digest('hex');
  const expected = digest(await fit(rows));
  for (const parts of [2, 3]) expect(digest(await fit(rows, {}, parts))).toBe(expected);
  const places = [...rows.keys()].map((row) => (row * 317) % rows.length);
  const shuffled = await fit(
    places.map((place) => rows[place] as number[]),
    {},
    2,
    keysOf(places),
  );
  const labels = rows.map((_, place) => shuffled.labels[places.indexOf(place)] as number);
  expect(digest({ fit: shuffled.fit, labels })).toBe(expected);
});

test('BIC is least for as many components as there are clouds', async () => {
  const rows = clouds(600);
  const each = await Promise.all([1, 2, 3, 4, 5].map(async (components) => (await fit(rows, { components })).fit.bic));
  expect(each.indexOf(Math.min(...each)) + 1).toBe(3);
});

test('probabilities of a point are 1 together, and its label is the greatest of them', async () => {
  const rows = clouds(90);
  const { fit: found, labels } = await fit(rows);
  const { probabilities } = softAssignments(spaceOf(rows), found);
  for (const [row, label] of labels.entries()) {
    const own = [...probabilities.subarray(3 * row, 3 * row + 3)];
    expect(own.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 14);
    expect(label).toBe(own.indexOf(Math.max(...own)));
  }
  expect(found.sizes).toEqual([0, 1, 2].map((component) => labels.filter((label) => label === component).length));
});

test('of components that are as probable, a point is of the lower', () => {
  const { labels, probabilities } = softAssignments(spaceOf([[0], [1], [-1]]), mixtureOf([[1], [-1]]));
  expect([...labels]).toEqual([0, 0, 1]);
  expect([...probabilities.subarray(0, 2)]).toEqual([0.5, 0.5]);
});

test.each([
  ['so far that nothing is left', 1e6],
  ['where 10^-180 of a point is left', 40],
])('a component that loses its points, %s, keeps its place, has no share, and nobody is of it', async (_, place) => {
  const space = spaceOf([[0], [1], [2], [9], [10], [11]]);
  const found = await fitMixtureFrom(space, keysOf([0, 1, 2, 3, 4, 5]), mixtureOf([[1], [place], [10]]), OPTIONS);
  expect([...found.weights].map((weight) => weight.toFixed(6))).toEqual(['0.500000', '0.000000', '0.500000']);
  expect(found.weights[1]).toBe(0);
  expect([found.means[1], found.variances[1]]).toEqual([place, 1]);
  expect(found.sizes).toEqual([3, 0, 3]);
  expect(Number.isFinite(found.bic)).toBe(true);
});

test('points that are all equal are one component of the least variance', async () => {
  const rows = Array.from({ length: 40 }, () => [0.3, -7]);
  const { fit: found } = await fit(rows, { components: 1 });
  expect([...found.means]).toEqual([Math.fround(0.3), -7]);
  expect([...found.variances]).toEqual([VARIANCE_FLOOR, VARIANCE_FLOOR]);
  const two = await fitMixtureFrom(
    spaceOf(rows),
    keysOf([...rows.keys()]),
    mixtureOf([
      [0, -7],
      [1, -7],
    ]),
    OPTIONS,
  );
  expect([...two.means, ...two.variances, two.logLikelihood].every(Number.isFinite)).toBe(true);
});

test.each([
  ['all equal', Array.from({ length: 40 }, () => [1, 2]), 1],
  ['two places', Array.from({ length: 40 }, (_, row) => [row % 2]), 2],
  ['nobody', [], 0],
])('%s: no more components than points that differ', async (_, rows, distinct) => {
  await expect(fit(rows)).rejects.toEqual(new TooFewDistinct(distinct, 3));
});

test('a given mixture has no more components than there are points', async () => {
  const some = fitMixtureFrom(spaceOf([[1]]), keysOf([0]), mixtureOf([[1], [2]]), OPTIONS);
  await expect(some).rejects.toEqual(new TooFewDistinct(1, 2));
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
  'a value of %d is refused',
  async (value) => {
    const rows = [[1], [value], [3]];
    const refused = /dimension 0 is not finite/;
    await expect(fit(rows, { components: 2 })).rejects.toThrow(refused);
    await expect(fitMixtureFrom(spaceOf(rows), keysOf([0, 1, 2]), mixtureOf([[1]]), OPTIONS)).rejects.toThrow(refused);
    expect(() => softAssignments(spaceOf(rows), mixtureOf([[1]]))).toThrow(refused);
  },
);

test('it says where it has not converged, and an abort ends it', async () => {
  expect((await fit(clouds(200), { mostIterations: 1 })).fit).toMatchObject({ iterations: 1, converged: false });
  const space = spaceOf(clouds(200));
  const signal = AbortSignal.abort(new Error('stopped'));
  const aborted = fitMixtureFrom(space, keysOf([...Array(200).keys()]), mixtureOf([[0, 0]]), { ...OPTIONS, signal });
  await expect(aborted).rejects.toThrow('stopped');
  await expect(fit(clouds(200), { signal })).rejects.toThrow('stopped');
});
