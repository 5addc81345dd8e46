import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { randomEnsemble, randomRows, shapley } from '../../../test/support/trees.ts';
import { readGraph } from '../onnx/graph.ts';
import { treeColumns } from './ensemble.ts';
import { treeShap } from './shap.ts';
import { emptyTree, hasCovers, margins, type TreeEnsemble, withCovers } from './tree.ts';

const FIXTURES = join(import.meta.dirname, '../../../test/fixtures/tree-shap');

function largestDifference(one: ArrayLike<number>, other: ArrayLike<number>): number {
  let most = 0;
  for (let index = 0; index < one.length; index++) most = Math.max(most, Math.abs(one[index]! - other[index]!));
  // NaN is no agreement.
  return one.length === other.length && !Array.from(one).some(Number.isNaN) ? most : Number.POSITIVE_INFINITY;
}

/** Largest difference between each row's margin and what its contributions add up to. */
function unexplained(ensemble: TreeEnsemble, features: Float32Array, rows: number): number {
  const { expected, values } = treeShap(ensemble, features, rows);
  const sums = Array.from({ length: rows }, (_, row) =>
    values.subarray(row * ensemble.width, (row + 1) * ensemble.width).reduce((sum, each) => sum + each, expected),
  );
  return largestDifference(sums, margins(ensemble, features, rows));
}

describe('contributions are the Shapley values of every subset of the features', () => {
  test.each([
    ['of one feature only', { width: 1, branches: 4, trees: 2 }],
    ['of few features, which paths repeat', { width: 3, branches: 12, trees: 3 }],
    ['of many features', { width: 9, branches: 14, trees: 3 }],
    ['with every kind of split', { width: 4, branches: 10, trees: 4, splits: 6 }],
    ['with missing values', { width: 4, branches: 10, trees: 3, missing: 0.4 }],
    ['with branches that no row came to', { width: 4, branches: 10, trees: 3, emptyBranches: 0.3 }],
    ['with more branches than a word has bits', { width: 5, branches: 90, trees: 1 }],
    ['of single leaves', { width: 2, branches: 0, trees: 3 }],
  ])('for trees %s', (_kind, shape) => {
    for (let seed = 1; seed <= 8; seed++) {
      const ensemble = randomEnsemble(seed, shape);
      // One row has no table of patterns, twenty do.
      for (const rows of [1, 20]) {
        const features = randomRows(seed + 100, rows, shape);
        const { expected, values } = treeShap(ensemble, features, rows);
        const oracle = Array.from({ length: rows }, (_, row) =>
          shapley(ensemble, features.subarray(row * shape.width, (row + 1) * shape.width)),
        );
        expect(
          largestDifference(
            values,
            oracle.flatMap(({ values }) => values),
          ),
        ).toBeLessThan(1e-10);
        expect(Math.abs(expected - oracle[0]!.expected)).toBeLessThan(1e-10);
        expect(unexplained(ensemble, features, rows)).toBeLessThan(1e-10);
      }
    }
  });
});

test('paths longer than any table still add up', () => {
  const shape = { width: 40, branches: 60, trees: 2, chain: true };
  const ensemble = randomEnsemble(5, shape);
  expect(unexplained(ensemble, randomRows(6, 100, shape), 100)).toBeLessThan(1e-6);
});

test('a row is explained the same alone and among thousands', () => {
  const shape = { width: 8, branches: 40, trees: 4, missing: 0.1, splits: 3 };
  const ensemble = randomEnsemble(9, shape);
  const features = randomRows(10, 2500, shape);
  const together = treeShap(ensemble, features, 2500).values;
  for (const row of [0, 1, 1023, 1024, 2047, 2499]) {
    const [from, to] = [row * shape.width, (row + 1) * shape.width];
    const alone = treeShap(ensemble, features.subarray(from, to), 1).values;
    expect(largestDifference(alone, together.subarray(from, to))).toBeLessThan(1e-12);
  }
});

describe('LightGBM', () => {
  async function fixture() {
    const { rows, contributions } = JSON.parse(await readFile(join(FIXTURES, 'lightgbm.json'), 'utf8')) as {
      rows: (number | null)[][];
      contributions: number[][];
    };
    const width = rows[0]!.length;
    const { nodes } = readGraph(await readFile(join(FIXTURES, 'lightgbm.onnx')));
    const { ensemble } = treeColumns(nodes[0]!, width)[0]!;
    const features = Float32Array.from(rows.flat(), (value) => value ?? Number.NaN);
    return { ensemble, features, rows: rows.length, width, contributions };
  }

  test('prints the same contributions, to a millionth', async () => {
    const { ensemble, features, rows, width, contributions } = await fixture();
    expect(hasCovers(ensemble)).toBe(true);
    const { expected, values } = treeShap(ensemble, features, rows);
    expect(
      largestDifference(
        values,
        contributions.flatMap((row) => row.slice(0, width)),
      ),
    ).toBeLessThan(1e-6);
    expect(Math.abs(expected - contributions[0]![width]!)).toBeLessThan(1e-6);
    expect(unexplained(ensemble, features, rows)).toBeLessThan(1e-10);
  });

  test('and so do trees without counts, once its training rows are dropped through them', async () => {
    const { ensemble, features, rows, width, contributions } = await fixture();
    const filled = { ...ensemble, trees: ensemble.trees.map((tree) => ({ ...tree, cover: tree.cover.map(() => 1) })) };
    expect(hasCovers(filled)).toBe(false);
    const { values } = treeShap(withCovers(filled, features, rows), features, rows);
    expect(
      largestDifference(
        values,
        contributions.flatMap((row) => row.slice(0, width)),
      ),
    ).toBeLessThan(1e-6);
  });
});

test('a value on a threshold goes where float32 sends it', () => {
  const tree = emptyTree(3);
  tree.feature[0] = 0;
  tree.threshold[0] = 0.1;
  tree.yes[0] = 1;
  tree.no[0] = 2;
  tree.value.set([0, -1, 1]);
  tree.cover.set([2, 1, 1]);
  const ensemble = { trees: [tree], base: 0, width: 1 };
  // 0.1 as a double is below the float32 that is nearest to it; the model compares float32 with float32.
  const rows = Float32Array.of(0.1, 0.100_000_01, Number.NaN);
  expect([...margins(ensemble, rows, 3)]).toEqual([-1, 1, 1]);
  expect([...treeShap(ensemble, rows, 3).values]).toEqual([-1, 1, 1]);
});
