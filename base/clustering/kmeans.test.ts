import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { keysOf, type Rows, spaceOf } from '../../test/support/points.ts';
import { randomNumbers } from '../math/random-numbers.ts';
import { keyedRandom } from './keyed-random.ts';
import { assignAll, type Centres, fitFrom, fitKMeans, type KMeansFit, type KMeansOptions } from './kmeans.ts';
import { firstCentres, TooFewDistinct } from './seeding.ts';
import { openTeam } from './team.ts';

const OPTIONS: KMeansOptions = { clusters: 4, seed: 'test', restarts: 3, mostIterations: 300, tolerance: 1e-4 };

function clouds(rows: number, dimensions: number, seed: number): number[][] {
  const random = randomNumbers(seed);
  return Array.from({ length: rows }, (_, row) =>
    Array.from(
      { length: dimensions },
      (_, d) => ((row % 5) - 2) * (d % 2 === 0 ? 1.5 : -0.7) + random() + random() - 1,
    ),
  );
}

async function fit(rows: Rows, options: KMeansOptions, parts = 1, keys = keysOf([...rows.keys()])) {
  const space = spaceOf(rows, parts);
  await using team = openTeam(space);
  return { fit: await fitKMeans(space, keys, team, options), labels: [...space.labels] };
}

/** The nearest centre of each point by its definition, in double precision. */
function nearest(rows: Rows, { values, dimensions, clusters }: Centres): number[] {
  return rows.map((point) => {
    const distances = Array.from({ length: clusters }, (_, cluster) =>
      point.reduce(
        (sum, value, d) => sum + (Math.fround(value) - (values[cluster * dimensions + d] as number)) ** 2,
        0,
      ),
    );
    return distances.indexOf(Math.min(...distances));
  });
}

const costOf = (rows: Rows, labels: readonly number[], { values, dimensions }: Centres) =>
  rows.reduce(
    (sum, point, row) =>
      sum +
      point.reduce(
        (squares, value, d) =>
          squares + (Math.fround(value) - (values[(labels[row] as number) * dimensions + d] as number)) ** 2,
        0,
      ),
    0,
  );

test('every label is that of the nearest centre in double precision, the lower of equals', async () => {
  const random = randomNumbers(3);
  for (let trial = 0; trial < 150; trial++) {
    const [rows, dimensions, clusters] = [1 + trial, 1 + (trial % 9), 1 + (trial % 11)];
    // On a grid many are as far from one centre as from another; far from 0 single precision sees no difference.
    const grid = trial % 3 === 0;
    const away = trial % 3 === 1 ? 1000 : 0;
    const draw = () => away + (grid ? Math.floor(random() * 4) : random() * 3);
    const points = Array.from({ length: rows }, () => Array.from({ length: dimensions }, draw));
    const centres: Centres = {
      clusters,
      dimensions,
      values: Float32Array.from({ length: clusters * dimensions }, draw),
    };
    const space = spaceOf(points, 1);
    await using team = openTeam(space);
    const sizes = await assignAll(space, team, centres);
    const expected = nearest(points, centres);
    expect([...space.labels]).toEqual(expected);
    expect(sizes).toEqual(Array.from({ length: clusters }, (_, c) => expected.filter((label) => label === c).length));
  }
});

test('centres, labels and cost are the same to the bit for 1, 2, 3 and 7 threads, and in any order of the points', async () => {
  const rows = clouds(1003, 5, 11);
  const digest = ({ fit, labels }: { fit: KMeansFit; labels: readonly number[] }) =>
    createHash('sha256')
      .update(fit.values)
      .update(Uint8Array.from(labels))
      .update(`${fit.cost} ${fit.iterations}`)
      .digest('hex');
  const expected = digest(await fit(rows, OPTIONS));
  for (const parts of [2, 3, 7]) expect(digest(await fit(rows, OPTIONS, parts))).toBe(expected);
  const random = randomNumbers(1);
  const order = [...rows.keys()].map((place) => ({ place, by: random() })).sort((a, b) => a.by - b.by);
  const places = order.map(({ place }) => place);
  const shuffled = await fit(
    places.map((place) => rows[place] as number[]),
    OPTIONS,
    3,
    keysOf(places),
  );
  const labels = rows.map((_, place) => shuffled.labels[places.indexOf(place)] as number);
  expect(digest({ fit: shuffled.fit, labels })).toBe(expected);
});

interface Reference {
  readonly kmeans: readonly {
    readonly name: string;
    readonly points: Rows;
    readonly first: Rows;
    readonly centres: Rows;
    readonly labels: readonly number[];
    readonly inertia: number;
  }[];
}

const { kmeans }: Reference = JSON.parse(
  readFileSync(new URL('../../test/references/clustering.json', import.meta.url), 'utf8'),
);

test.each(kmeans)("$name: scikit-learn's clusters from the same first centres", async (reference) => {
  const { points, first, labels, centres, inertia } = reference;
  const space = spaceOf(points, 2);
  await using team = openTeam(space);
  const found = await fitFrom(space, keysOf([...points.keys()]), team, Float32Array.from(first.flat()), {
    ...OPTIONS,
    clusters: first.length,
    tolerance: 0,
  });
  expect([...space.labels]).toEqual(labels);
  for (const [place, value] of found.values.entries()) expect(value).toBeCloseTo(centres.flat()[place] as number, 5);
  expect(found.cost / inertia).toBeCloseTo(1, 6);
  expect(found.converged).toBe(true);
});

test('the restart of least cost is kept, with labels of its centres', async () => {
  const rows = clouds(400, 3, 5);
  const each = await Promise.all(
    [1, 2, 3, 4, 5, 6].map(async (restarts) => (await fit(rows, { ...OPTIONS, clusters: 7, restarts })).fit.cost),
  );
  for (const [place, cost] of each.entries()) expect(cost).toBeLessThanOrEqual(each[place - 1] ?? cost);
  const kept = await fit(rows, { ...OPTIONS, clusters: 7, restarts: 6 });
  expect(kept.labels).toEqual(nearest(rows, kept.fit));
  expect(kept.fit.cost).toBeCloseTo(costOf(rows, kept.labels, kept.fit), 3);
});

test('other seeds begin elsewhere', async () => {
  const rows = clouds(300, 2, 9);
  const [space, keys] = [spaceOf(rows), keysOf([...rows.keys()])];
  const first = (seed: string, restart: number) => [...firstCentres(space, keys, { clusters: 5, seed, restart })];
  expect(first('a', 0)).toEqual(first('a', 0));
  expect(first('a', 0)).not.toEqual(first('b', 0));
  expect(first('a', 0)).not.toEqual(first('a', 1));
});

test.each([
  ['9 of 17 points differ', Array.from({ length: 17 }, (_, row) => [row % 9, 1]), 10, 9],
  ['one customer a thousand times', Array.from({ length: 1000 }, () => [1, 2, 3]), 6, 1],
  ['5 customers', clouds(5, 2, 1), 6, 5],
])('%s: no more clusters than points that differ', async (_, rows, clusters, distinct) => {
  await expect(fit(rows, { ...OPTIONS, clusters })).rejects.toEqual(new TooFewDistinct(distinct, clusters));
});

test('as many clusters as different points end with no cost, however many there are of each', async () => {
  const { fit: found, labels } = await fit(
    Array.from({ length: 900 }, (_, row) => [row % 9, (row % 9) ** 2]),
    { ...OPTIONS, clusters: 9 },
  );
  expect(found.cost).toBe(0);
  expect(new Set(labels).size).toBe(9);
});

test('as many clusters as a space may have keep their sums apart', async () => {
  const rows = Array.from({ length: 640 }, (_, row) => [row % 64, (row % 64) % 8]);
  const { fit: found, labels } = await fit(rows, { ...OPTIONS, clusters: 64, restarts: 1 });
  expect(found.cost).toBe(0);
  expect(labels).toEqual(nearest(rows, found));
  expect(found.sizes).toEqual(Array.from({ length: 64 }, () => 10));
});

test('one point that differs among a hundred thousand is found, though few are looked among', async () => {
  const rows = Array.from({ length: 100_000 }, (_, row) => [row === 77_777 ? 5 : 0]);
  const { fit: found } = await fit(rows, { ...OPTIONS, clusters: 2, restarts: 1 });
  expect([...found.sizes].sort((a, b) => a - b)).toEqual([1, 99_999]);
});

test('a centre without points takes the one that is farthest from its own', async () => {
  const rows = [[0], [1], [2], [50]];
  const space = spaceOf(rows);
  await using team = openTeam(space);
  const found = await fitFrom(space, keysOf([0, 1, 2, 3]), team, Float32Array.of(1, 9e3, -9e3), {
    ...OPTIONS,
    clusters: 3,
  });
  expect(found.sizes.every((size) => size > 0)).toBe(true);
  expect([...space.labels]).toEqual(nearest(rows, found));
});

test.each([
  ['not a number', Number.NaN],
  ['infinite', Number.NEGATIVE_INFINITY],
  ['too large to be summed exactly', 1e30],
])('a value that is %s is refused', async (_, value) => {
  await expect(fit([[1], [value], [3]], { ...OPTIONS, clusters: 2 })).rejects.toThrow(/dimension 0 is not finite/);
});

test('threads that have ended give no answer, and are not waited for', async () => {
  const team = openTeam(spaceOf(clouds(64, 2, 1), 2));
  await team[Symbol.asyncDispose]();
  await expect(team.do({ does: 'lengths' })).rejects.toMatchObject({
    cause: new Error('a thread of the clustering has ended'),
  });
});

test('an abort ends it', async () => {
  const signal = AbortSignal.abort(new Error('stopped'));
  await expect(fit(clouds(50, 2, 1), { ...OPTIONS, signal })).rejects.toThrow('stopped');
});

test('numbers that belong to keys are even, and those of one purpose tell nothing of another', () => {
  const keys = BigUint64Array.from({ length: 20_000 }, (_, place) => BigInt(place));
  const [one, other] = [keyedRandom(keys, 'a', 0), keyedRandom(keys, 'a', 1)];
  const cells = new Uint32Array(100);
  for (const place of keys.keys()) {
    const cell = 10 * Math.floor(10 * one(place)) + Math.floor(10 * other(place));
    cells[cell] = (cells[cell] as number) + 1;
  }
  const chiSquare = cells.reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
  // 99.9th percentile with 99 degrees of freedom.
  expect(chiSquare).toBeLessThan(148.2);
});

test('the next centre is drawn by the square of the distance to the nearest', () => {
  // Weights of 1, 4 and 9 around a first centre at 0.
  const rows = [[0], [1], [2], [3]];
  const space = spaceOf(rows);
  const counts = [0, 0, 0, 0];
  for (let restart = 0; restart < 4000; restart++) {
    const centres = firstCentres(space, keysOf([0, 1, 2, 3]), { clusters: 2, seed: 'weights', restart });
    if (centres[0] === 0) counts[centres[1] as number] = (counts[centres[1] as number] as number) + 1;
  }
  // Of two draws the better is kept, so that 1 is only where both draws are it: once in 14 × 14.
  expect(counts[0]).toBe(0);
  expect(counts[1] as number).toBeLessThan(0.03 * counts.reduce((sum, count) => sum + count, 0));
});
