import { emptyTree, goesYes, SPLITS, type Tree, type TreeEnsemble } from '../../providers/models/trees/tree.ts';

/** What trees a test wants. */
export interface EnsembleShape {
  readonly width: number;
  readonly branches: number;
  readonly trees: number;
  /** Kinds of splits, from the first. */
  readonly splits?: number;
  /** Share of missing values in rows. */
  readonly missing?: number;
  /** Share of branches with a way that no row went. */
  readonly emptyBranches?: number;
  /** Every branch grows out of the one before. */
  readonly chain?: boolean;
}

/** Numbers from 0 to 1 that a seed determines (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), bits | 61)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function randomEnsemble(seed: number, shape: EnsembleShape): TreeEnsemble {
  const next = random(seed);
  return {
    trees: Array.from({ length: shape.trees }, () => randomTree(next, shape)),
    base: next(),
    width: shape.width,
  };
}

/** Grows a tree by splitting one of its leaves, again and again. Values have one decimal, so that rows hit thresholds. */
function randomTree(next: () => number, shape: EnsembleShape): Tree {
  const tree = emptyTree(2 * shape.branches + 1);
  const leaves = [0];
  tree.cover[0] = 1000;
  tree.value[0] = next();
  for (let nodes = 1; nodes < tree.feature.length; nodes += 2) {
    const place = shape.chain === true ? leaves.length - 1 : Math.floor(next() * leaves.length);
    const [leaf = 0] = leaves.splice(place, 1);
    tree.feature[leaf] = Math.floor(next() * shape.width);
    tree.split[leaf] = Math.floor(next() * (shape.splits ?? 1)) % SPLITS.length;
    tree.threshold[leaf] = Math.round(next() * 10) / 10;
    tree.missingIsYes[leaf] = next() < 0.5 ? 1 : 0;
    tree.yes[leaf] = nodes;
    tree.no[leaf] = nodes + 1;
    tree.value[leaf] = 0;
    const empty = next() < (shape.emptyBranches ?? 0);
    const share = empty ? Math.round(next()) : 0.1 + 0.8 * next();
    tree.cover[nodes] = tree.cover[leaf]! * share;
    tree.cover[nodes + 1] = tree.cover[leaf]! * (1 - share);
    tree.value[nodes] = next() - 0.5;
    tree.value[nodes + 1] = next() - 0.5;
    leaves.push(nodes, nodes + 1);
  }
  return tree;
}

export function randomRows(seed: number, rows: number, { width, missing = 0 }: EnsembleShape): Float32Array {
  const next = random(seed);
  return Float32Array.from({ length: rows * width }, () =>
    next() < missing ? Number.NaN : Math.round(next() * 10) / 10,
  );
}

/** Shapley values by their definition: over every subset of the features. Exponential; for small ensembles. */
export function shapley(ensemble: TreeEnsemble, row: Float32Array): { expected: number; values: number[] } {
  const { width, trees, base } = ensemble;
  const known = Array.from(
    { length: 2 ** width },
    (_, subset) => base + trees.reduce((sum, tree) => sum + expectation(tree, 0, row, subset), 0),
  );
  const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));
  const values = Array.from({ length: width }, (_, feature) => {
    let sum = 0;
    for (let subset = 0; subset < known.length; subset++) {
      if ((subset >> feature) & 1) continue;
      const size = subset.toString(2).replaceAll('0', '').length;
      const weight = (factorial(size) * factorial(width - size - 1)) / factorial(width);
      sum += weight * (known[subset | (1 << feature)]! - known[subset]!);
    }
    return sum;
  });
  return { expected: known[0]!, values };
}

/** What a tree says of a row of which only a subset of the features is known. */
function expectation(tree: Tree, node: number, row: Float32Array, subset: number): number {
  const feature = tree.feature[node]!;
  if (feature < 0) return tree.value[node]!;
  const [yes, no] = [tree.yes[node]!, tree.no[node]!];
  if ((subset >> feature) & 1) {
    return expectation(tree, goesYes(tree, node, row[feature]!) ? yes : no, row, subset);
  }
  const [toYes, toNo] = [tree.cover[yes]!, tree.cover[no]!];
  const share = toYes + toNo > 0 ? toYes / (toYes + toNo) : 0.5;
  return share * expectation(tree, yes, row, subset) + (1 - share) * expectation(tree, no, row, subset);
}
