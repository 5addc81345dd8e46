import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { daviesBouldin } from './davies-bouldin.ts';
import type { Points } from './points.ts';
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

test.each(clusterings)("$name: scikit-learn's figures, to 1e-9", ({ points, labels, ...expected }) => {
  const given = pointsOf(points);
  const { mean, ofEach } = silhouette(given, Uint8Array.from(labels));
  expect(mean).toBeCloseTo(expected.silhouette, 9);
  for (const [row, value] of ofEach.entries()) expect(value).toBeCloseTo(expected.ofEach[row] as number, 9);
  expect(daviesBouldin(given, Uint8Array.from(labels))).toBeCloseTo(expected.daviesBouldin, 9);
});

test('a point alone in its cluster is 0, and counts in the mean', () => {
  const { ofEach } = silhouette(
    pointsOf([
      [0, 0, 0],
      [1, 1, 1],
      [10, 10, 10],
    ]),
    Uint8Array.of(1, 1, 3),
  );
  expect([...ofEach].map((value) => value.toFixed(4))).toEqual(['0.9000', '0.8889', '0.0000']);
  const two = pointsOf([
    [0, 0],
    [0.1, 0],
    [10, 0],
  ]);
  expect(silhouette(two, Uint8Array.of(0, 0, 1)).mean).toBeCloseTo(0.66, 4);
});

test('all points in one cluster, or none at all, have no figure', () => {
  const one = pointsOf([[0], [1], [2]]);
  expect(silhouette(one, Uint8Array.of(4, 4, 4))).toMatchObject({ mean: undefined, clusters: 1 });
  expect(daviesBouldin(one, Uint8Array.of(4, 4, 4))).toBeUndefined();
  const none: Points = { rows: 0, columns: [new Float32Array(0)] };
  expect(silhouette(none, new Uint8Array(0))).toMatchObject({ mean: undefined, clusters: 0 });
});

test('clusters in one place are no nearer to one another than to themselves', () => {
  const same = pointsOf([
    [1, 2],
    [1, 2],
    [1, 2],
    [1, 2],
  ]);
  expect(silhouette(same, Uint8Array.of(0, 1, 0, 1)).mean).toBe(0);
  expect(daviesBouldin(same, Uint8Array.of(0, 1, 0, 1))).toBe(0);
});

test('a sample that misses a cluster says how many it has', () => {
  expect(silhouette(pointsOf([[0], [1], [9]]), Uint8Array.of(0, 0, 5)).clusters).toBe(2);
});

test('labels and points that do not belong together are refused', () => {
  expect(() => silhouette(pointsOf([[0], [1]]), Uint8Array.of(0))).toThrow('2 points, but 1 labels');
  expect(() => daviesBouldin({ rows: 2, columns: [Float32Array.of(1)] }, Uint8Array.of(0, 1))).toThrow(
    '2 points, but 1 values in dimension 0',
  );
});
