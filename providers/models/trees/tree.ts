/** How a node of a tree compares a feature with its threshold; when that is true, the row goes on at `yes`. */
export const SPLITS = ['<=', '<', '>=', '>', '=', '!='] as const;

export type Split = (typeof SPLITS)[number];

/** A binary tree as parallel arrays by node; the root is node 0. */
export interface Tree {
  /** Feature that a node compares; −1 for a leaf. */
  readonly feature: Int32Array;
  /** Place in `SPLITS` of how it compares. */
  readonly split: Uint8Array;
  /** Rounded to float32 as ONNX has it, so that float32 features fall on the same side as in the model. */
  readonly threshold: Float32Array;
  /** 1 where a missing value goes on at `yes`, whatever the comparison says. */
  readonly missingIsYes: Uint8Array;
  readonly yes: Int32Array;
  readonly no: Int32Array;
  /** What a leaf adds to the margin. */
  readonly value: Float64Array;
  /** Rows that came to a node; all 0 when not known. */
  readonly cover: Float64Array;
}

/** Trees whose leaves add up to one number for each row, the raw margin. */
export interface TreeEnsemble {
  readonly trees: readonly Tree[];
  /** Added to the leaves. */
  readonly base: number;
  /** Features of a row. */
  readonly width: number;
}

/** Empty trees of a number of nodes, all of them leaves of value 0. */
export function emptyTree(nodes: number): Tree {
  return {
    feature: new Int32Array(nodes).fill(-1),
    split: new Uint8Array(nodes),
    threshold: new Float32Array(nodes),
    missingIsYes: new Uint8Array(nodes),
    yes: new Int32Array(nodes),
    no: new Int32Array(nodes),
    value: new Float64Array(nodes),
    cover: new Float64Array(nodes),
  };
}

/** Whether a node sends a value of its feature to `yes`; NaN is a missing value. */
export function goesYes(tree: Tree, node: number, value: number): boolean {
  if (Number.isNaN(value) && tree.missingIsYes[node] === 1) return true;
  const threshold = tree.threshold[node] as number;
  switch (tree.split[node]) {
    case 0:
      return value <= threshold;
    case 1:
      return value < threshold;
    case 2:
      return value >= threshold;
    case 3:
      return value > threshold;
    case 4:
      return value === threshold;
    default:
      return value !== threshold;
  }
}

/** The leaf of a row that begins at `offset` of row-major features; `visit` sees each node on the way, the leaf too. */
function leafOf(tree: Tree, features: Float32Array, offset: number, visit: (node: number) => void): number {
  let node = 0;
  for (;;) {
    visit(node);
    const feature = tree.feature[node] as number;
    if (feature < 0) return node;
    node = (goesYes(tree, node, features[offset + feature] as number) ? tree.yes : tree.no)[node] as number;
  }
}

/** Raw margins of rows, row-major float32 features with NaN for what is missing; in double precision. */
export function margins({ trees, base, width }: TreeEnsemble, features: Float32Array, rows: number): Float64Array {
  const sums = new Float64Array(rows).fill(base);
  for (const tree of trees) {
    for (let row = 0; row < rows; row++) {
      (sums[row] as number) += tree.value[leafOf(tree, features, row * width, () => {})] as number;
    }
  }
  return sums;
}

/** The same trees with the covers that these rows give them. */
export function withCovers(ensemble: TreeEnsemble, features: Float32Array, rows: number): TreeEnsemble {
  const trees = ensemble.trees.map((tree) => {
    const cover = new Float64Array(tree.feature.length);
    for (let row = 0; row < rows; row++) {
      leafOf(tree, features, row * ensemble.width, (node) => {
        (cover[node] as number) += 1;
      });
    }
    return { ...tree, cover };
  });
  return { ...ensemble, trees };
}

/**
 * Whether every split shares out the rows that came to it, so that the covers are counts (or sums of weights) and not
 * a filling: exporters that have no counts write 1 everywhere.
 */
export function hasCovers({ trees }: TreeEnsemble): boolean {
  return trees.every(({ feature, cover, yes, no }) =>
    feature.every((split, node) => {
      const rows = cover[node] as number;
      if (split < 0) return rows >= 0;
      const parts = (cover[yes[node] as number] as number) + (cover[no[node] as number] as number);
      return rows > 0 && Math.abs(parts - rows) <= 1e-3 * rows;
    }),
  );
}
