import { goesYes, type Tree, type TreeEnsemble } from './tree.ts';

/** Rows of an explained batch, each as what every feature adds to the expected margin. */
export interface Contributions {
  /** The margin that is expected when nothing of a row is known. */
  readonly expected: number;
  /** Row-major, `rows × width`; with `expected` each row adds up to its raw margin. */
  readonly values: Float64Array;
}

/**
 * Exact Shapley values of an ensemble's raw margin, path-dependent: what a feature that is not known would have said is
 * averaged by the rows that went each way. This is Algorithm 2 of Lundberg et al., "From local explanations to global
 * understanding with explainable AI for trees" (2020), which needs polynomial time, taken leaf by leaf: a leaf's path
 * gives a row the same contributions as any other row that satisfies the same of its conditions, so these are computed
 * once for each such pattern that occurs (Yang, "Fast TreeSHAP", 2021).
 *
 * A branch that no counted row came to counts both its ways alike.
 * @param features row-major, `rows × ensemble.width`, float32; NaN means missing
 */
export function treeShap(ensemble: TreeEnsemble, features: Float32Array, rows: number): Contributions {
  const { trees, base, width } = ensemble;
  const values = new Float64Array(rows * width);
  let expected = base;
  for (const tree of trees) {
    const paths = pathsOf(tree, rows);
    for (const path of paths) expected += path.share * path.value;
    explainTree(tree, paths, { features, rows, width, values });
  }
  return { expected, values };
}

/**
 * The way to a leaf, conditions on the same feature taken together. Whether a row satisfies the condition `j` is
 * decided on words of bits, one for each branch of the tree: `(word & care) === want` for each of the condition's parts.
 */
interface Path {
  readonly value: number;
  /** Expected share of rows at the leaf. */
  readonly share: number;
  readonly features: Int32Array;
  /** Share of rows that satisfy each condition when its feature is not known. */
  readonly zero: Float64Array;
  /** Where the parts of each condition begin, and where the last one's end. */
  readonly starts: Int32Array;
  readonly word: Int32Array;
  readonly care: Int32Array;
  readonly want: Int32Array;
  /** Contributions by pattern, `2^conditions × conditions`, for short paths. */
  readonly table: Float64Array | undefined;
  readonly known: Uint8Array | undefined;
}

/** Longest path whose patterns are kept: 4,096 × 12 numbers. */
const LONGEST_TABLE = 12;
const BITS = 32;

function pathsOf(tree: Tree, rows: number): Path[] {
  const branches = branchNumbers(tree);
  const kept = Math.min(LONGEST_TABLE, Math.floor(Math.log2(Math.max(1, rows))));
  const paths: Path[] = [];
  const waiting: { node: number; conditions: ReadonlyMap<number, Condition>; share: number }[] = [
    { node: 0, conditions: new Map(), share: 1 },
  ];
  for (let here = waiting.pop(); here !== undefined; here = waiting.pop()) {
    const { node, conditions, share } = here;
    const feature = tree.feature[node] as number;
    if (feature < 0) {
      paths.push(toPath(tree.value[node] as number, share, conditions, kept));
      continue;
    }
    const toYes = shareOfYes(tree, node);
    const branch = branches[node] as number;
    for (const yes of [true, false]) {
      const before = conditions.get(feature);
      const part = yes ? toYes : 1 - toYes;
      const condition = narrowed(before, branch, yes, part);
      const next = (yes ? tree.yes : tree.no)[node] as number;
      waiting.push({ node: next, conditions: new Map([...conditions, [feature, condition]]), share: share * part });
    }
  }
  return paths;
}

/** Branches of a tree in order, so that each has a bit. */
function branchNumbers({ feature }: Tree): Int32Array {
  let next = 0;
  return feature.map((each) => (each < 0 ? -1 : next++));
}

function shareOfYes({ cover, yes, no }: Tree, node: number): number {
  const toYes = cover[yes[node] as number] as number;
  const all = toYes + (cover[no[node] as number] as number);
  return all > 0 ? toYes / all : 0.5;
}

interface Condition {
  readonly zero: number;
  /** By word: which branches matter, and which way each must go. */
  readonly parts: ReadonlyMap<number, { readonly care: number; readonly want: number }>;
}

function narrowed(before: Condition | undefined, branch: number, yes: boolean, part: number): Condition {
  const word = Math.floor(branch / BITS);
  const bit = 1 << (branch % BITS);
  const known = before?.parts.get(word) ?? { care: 0, want: 0 };
  const parts = new Map(before?.parts ?? []);
  parts.set(word, { care: known.care | bit, want: yes ? known.want | bit : known.want });
  return { zero: (before?.zero ?? 1) * part, parts };
}

function toPath(value: number, share: number, conditions: ReadonlyMap<number, Condition>, kept: number): Path {
  const parts = [...conditions.values()].map((condition) => [...condition.parts]);
  const starts = new Int32Array(parts.length + 1);
  for (const [index, each] of parts.entries()) starts[index + 1] = (starts[index] as number) + each.length;
  const flat = parts.flat();
  const length = conditions.size;
  return {
    value,
    share,
    features: Int32Array.from(conditions.keys()),
    zero: Float64Array.from([...conditions.values()], ({ zero }) => zero),
    starts,
    word: Int32Array.from(flat, ([word]) => word),
    care: Int32Array.from(flat, ([, { care }]) => care),
    want: Int32Array.from(flat, ([, { want }]) => want),
    table: length <= kept ? new Float64Array(2 ** length * length) : undefined,
    known: length <= kept ? new Uint8Array(2 ** length) : undefined,
  };
}

interface Batch {
  readonly features: Float32Array;
  readonly rows: number;
  readonly width: number;
  readonly values: Float64Array;
}

function explainTree(tree: Tree, paths: readonly Path[], { features, rows, width, values }: Batch): void {
  const branches = [...tree.feature.keys()].filter((node) => (tree.feature[node] as number) >= 0);
  const bits = new Int32Array(Math.max(1, Math.ceil(branches.length / BITS)));
  const longest = Math.max(0, ...paths.map((path) => path.features.length));
  const scratch = new Scratch(longest);
  for (let row = 0; row < rows; row++) {
    const offset = row * width;
    bits.fill(0);
    for (let branch = 0; branch < branches.length; branch++) {
      const node = branches[branch] as number;
      if (goesYes(tree, node, features[offset + (tree.feature[node] as number)] as number)) {
        (bits[branch >> 5] as number) |= 1 << (branch & 31);
      }
    }
    for (const path of paths) addPath(path, bits, values, offset, scratch);
  }
}

/** What one leaf contributes to one row. */
function addPath(path: Path, bits: Int32Array, values: Float64Array, offset: number, scratch: Scratch): void {
  const { features, starts, word, care, want, table, known } = path;
  const { one } = scratch;
  const length = features.length;
  let pattern = 0;
  for (let condition = 0; condition < length; condition++) {
    let satisfied = 1;
    const end = starts[condition + 1] as number;
    for (let part = starts[condition] as number; part < end; part++) {
      if (((bits[word[part] as number] as number) & (care[part] as number)) !== want[part]) satisfied = 0;
    }
    one[condition] = satisfied;
    pattern |= satisfied << condition;
  }
  if (table === undefined || known === undefined) {
    contribute(path, scratch, scratch.contributions, 0);
    for (let j = 0; j < length; j++)
      (values[offset + (features[j] as number)] as number) += scratch.contributions[j] as number;
    return;
  }
  const start = pattern * length;
  if (known[pattern] === 0) {
    contribute(path, scratch, table, start);
    known[pattern] = 1;
  }
  for (let j = 0; j < length; j++) (values[offset + (features[j] as number)] as number) += table[start + j] as number;
}

/** Room for one path's pattern. */
class Scratch {
  /** 1 for each condition that the row satisfies. */
  readonly one: Uint8Array;
  /** Of the permutations in which a number of the path's features is known, the weighted share that reaches the leaf. */
  readonly weight: Float64Array;
  readonly contributions: Float64Array;

  constructor(longest: number) {
    this.one = new Uint8Array(longest);
    this.weight = new Float64Array(longest + 1);
    this.contributions = new Float64Array(longest);
  }
}

/** The contributions of a leaf for one pattern, to `target` from `start` on: EXTEND for each feature, UNWIND for each. */
function contribute({ value, zero }: Path, { one, weight }: Scratch, target: Float64Array, start: number): void {
  const length = zero.length;
  for (let j = 0; j < length; j++) {
    target[start + j] = 0;
    // Neither the row nor any counted one satisfies this condition: the leaf is never reached.
    if (one[j] === 0 && zero[j] === 0) {
      target.fill(0, start, start + length);
      return;
    }
  }
  weight[0] = 1;
  for (let depth = 1; depth <= length; depth++) {
    const z = zero[depth - 1] as number;
    const o = one[depth - 1] as number;
    weight[depth] = 0;
    for (let i = depth - 1; i >= 0; i--) {
      const w = weight[i] as number;
      (weight[i + 1] as number) += (o * w * (i + 1)) / (depth + 1);
      weight[i] = (z * w * (depth - i)) / (depth + 1);
    }
  }
  for (let j = 0; j < length; j++) {
    const z = zero[j] as number;
    const o = one[j] as number;
    let total = 0;
    if (o === 1) {
      let next = weight[length] as number;
      for (let i = length - 1; i >= 0; i--) {
        const w = next / (i + 1);
        total += w;
        next = (weight[i] as number) - w * z * (length - i);
      }
    } else {
      for (let i = length - 1; i >= 0; i--) total += (weight[i] as number) / (z * (length - i));
    }
    target[start + j] = total * (length + 1) * (o - z) * value;
  }
}
