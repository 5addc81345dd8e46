import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { randomNumbers } from '../math/random-numbers.ts';
import { daviesBouldin } from './davies-bouldin.ts';
import type { Labels, Points } from './points.ts';
import { silhouette } from './silhouette.ts';

interface Reference {
  readonly clusterings: readonly {
    readonly name: string;
    readonly points: readonly (readonly number[])[];
    readonly labels: readonly number[];
    readonly silhouette: number;
    readonly ofEach: readonly number[];
    readonly daviesBouldin: number;
  }[];
}

/** By scikit-learn: test/references/clustering.py. */
const { clusterings }: Reference = JSON.parse(
  readFileSync(new URL('../../test/references/clustering.json', import.meta.url), 'utf8'),
);

const pointsOf = (rows: readonly (readonly number[])[]): Points => ({
  rows: rows.length,
  columns: (rows[0] ?? []).map((_, dimension) => Float32Array.from(rows, (row) => row[dimension] as number)),
});

test.each(clusterings)("$name: scikit-learn's figures, to 1e-9", async ({ points, labels, ...expected }) => {
  const given = pointsOf(points);
  const { mean, ofEach } = await silhouette(given, Uint8Array.from(labels), 2);
  expect(mean).toBeCloseTo(expected.silhouette, 9);
  for (const [row, value] of ofEach.entries()) expect(value).toBeCloseTo(expected.ofEach[row] as number, 9);
  expect(daviesBouldin(given, Uint8Array.from(labels))).toBeCloseTo(expected.daviesBouldin, 9);
});

/** The figure of each point by its definition, pair after pair. */
function plainSilhouette({ rows, columns }: Points, labels: Labels): number[] {
  const all = [...Array(rows).keys()];
  const distance = (one: number, other: number) =>
    Math.sqrt(columns.reduce((sum, column) => sum + ((column[one] as number) - (column[other] as number)) ** 2, 0));
  return all.map((row) => {
    const meanTo = (cluster: number) => {
      const others = all.filter((other) => other !== row && labels[other] === cluster);
      return others.reduce((sum, other) => sum + distance(row, other), 0) / others.length;
    };
    const own = labels[row] as number;
    const inside = meanTo(own);
    if (Number.isNaN(inside)) return 0;
    const nearest = Math.min(...[...new Set(labels)].filter((cluster) => cluster !== own).map(meanTo));
    return nearest === inside ? 0 : (nearest - inside) / Math.max(nearest, inside);
  });
}

test('the silhouette of each point is what its definition says, for any number of points, dimensions and clusters', async () => {
  const random = randomNumbers(7);
  for (let trial = 0; trial < 60; trial++) {
    const [rows, dimensions, clusters] = [2 + 2 * trial + (trial % 2), 1 + (trial % 9), 2 + (trial % 7) ** 2];
    const labels = Uint8Array.from({ length: rows }, () => Math.floor(random() * clusters));
    labels.set([0, clusters - 1]);
    const given = pointsOf(
      Array.from({ length: rows }, () => Array.from({ length: dimensions }, () => 100 + random() * (trial % 3))),
    );
    const { ofEach } = await silhouette(given, labels, 1);
    const expected = plainSilhouette(given, labels);
    for (const [row, value] of ofEach.entries()) expect(value).toBeCloseTo(expected[row] as number, 11);
  }
});

test('the silhouette is the same to the bit for 1, 2, 3 and 7 threads, with the most clusters that labels can name', async () => {
  const random = randomNumbers(2);
  const given = pointsOf(Array.from({ length: 517 }, () => Array.from({ length: 7 }, random)));
  const labels = Uint8Array.from({ length: 517 }, (_, row) => row % 256);
  const expected = await silhouette(given, labels, 1);
  expect(expected.clusters).toBe(256);
  for (const parts of [2, 3, 7]) expect(await silhouette(given, labels, parts)).toEqual(expected);
});

test('a point alone in its cluster is 0, and counts in the mean', async () => {
  const { ofEach } = await silhouette(
    pointsOf([
      [0, 0, 0],
      [1, 1, 1],
      [10, 10, 10],
    ]),
    Uint8Array.of(1, 1, 3),
    1,
  );
  expect([...ofEach].map((value) => value.toFixed(4))).toEqual(['0.9000', '0.8889', '0.0000']);
  const two = pointsOf([
    [0, 0],
    [0.1, 0],
    [10, 0],
  ]);
  expect((await silhouette(two, Uint8Array.of(0, 0, 1), 1)).mean).toBeCloseTo(0.66, 4);
});

test('all points in one cluster, or none at all, have no figure', async () => {
  const one = pointsOf([[0], [1], [2]]);
  expect(await silhouette(one, Uint8Array.of(4, 4, 4), 1)).toMatchObject({ mean: undefined, clusters: 1 });
  expect(daviesBouldin(one, Uint8Array.of(4, 4, 4))).toBeUndefined();
  const none: Points = { rows: 0, columns: [new Float32Array(0)] };
  expect(await silhouette(none, new Uint8Array(0), 1)).toMatchObject({ mean: undefined, clusters: 0 });
});

test('clusters in one place are no nearer to one another than to themselves', async () => {
  const same = pointsOf([
    [1, 2],
    [1, 2],
    [1, 2],
    [1, 2],
  ]);
  expect((await silhouette(same, Uint8Array.of(0, 1, 0, 1), 1)).mean).toBe(0);
  expect(daviesBouldin(same, Uint8Array.of(0, 1, 0, 1))).toBe(0);
});

test('a sample that misses a cluster says how many it has', async () => {
  expect((await silhouette(pointsOf([[0], [1], [9]]), Uint8Array.of(0, 0, 5), 1)).clusters).toBe(2);
});

test('labels and points that do not belong together are refused', async () => {
  await expect(silhouette(pointsOf([[0], [1]]), Uint8Array.of(0), 1)).rejects.toThrow('2 points, but 1 labels');
  expect(() => daviesBouldin({ rows: 2, columns: [Float32Array.of(1)] }, Uint8Array.of(0, 1))).toThrow(
    '2 points, but 1 values in dimension 0',
  );
});
