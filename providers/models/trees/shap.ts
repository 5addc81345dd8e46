import { BITS, type Path, pathsOf } from './paths.ts';
import { goesYes, type Tree, type TreeEnsemble } from './tree.ts';

/** Rows of an explained batch, each as what every feature adds to the expected margin. */
export interface Contributions {
  /** The margin that is expected when nothing of a row is known. */
  readonly expected: number;
  /** Row-major, `rows × width`; with `expected` each row adds up to its raw margin. */
  readonly values: Float64Array;
}

/** Rows whose columns stay in the processor's cache while all paths of a tree are walked. */
const BLOCK = 1024;

/** Longest path whose patterns are kept, and most branches of a tree whose ways are: 4,096 × 12 numbers. */
const LONGEST_TABLE = 12;

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
export function treeShap({ trees, base, width }: TreeEnsemble, features: Float32Array, rows: number): Contributions {
  const columns = columnsOf(features, rows, width);
  const sums = Array.from({ length: width }, () => new Float64Array(rows));
  const scratch = new Scratch(Math.min(BLOCK, rows));
  let expected = base;
  for (const tree of trees) {
    const paths = pathsOf(tree);
    for (const path of paths) expected += path.share * path.value;
    const tables = paths.map((path) => tableOf(path, rows));
    const ways = waysOf(paths, rows);
    for (let start = 0; start < rows; start += BLOCK) {
      const block = { start, end: Math.min(start + BLOCK, rows) };
      const words = decide(tree, columns, block);
      if (ways !== undefined) addTree(paths, tables, ways, words, sums, block);
      else for (const [index, path] of paths.entries()) addPath(path, tables[index], words, sums, block, scratch);
    }
  }
  const values = new Float64Array(rows * width);
  for (const [feature, sum] of sums.entries()) {
    for (let row = 0; row < rows; row++) values[row * width + feature] = sum[row] as number;
  }
  return { expected, values };
}

function columnsOf(features: Float32Array, rows: number, width: number): Float32Array[] {
  return Array.from({ length: width }, (_, feature) => {
    const column = new Float32Array(rows);
    for (let row = 0; row < rows; row++) column[row] = features[row * width + feature] as number;
    return column;
  });
}

/** Contributions of a path by pattern, `conditions × 2^conditions`, and which patterns have been computed. */
interface Table {
  readonly contributions: Float64Array;
  readonly known: Uint8Array;
}

/** None for a path so long, or for so few rows, that hardly any pattern would occur twice. */
function tableOf({ features }: Path, rows: number): Table | undefined {
  const patterns = 2 ** features.length;
  if (features.length > LONGEST_TABLE || patterns > rows) return undefined;
  return { contributions: new Float64Array(patterns * features.length), known: new Uint8Array(patterns) };
}

interface RowBlock {
  readonly start: number;
  readonly end: number;
}

/** Which way each row of a block goes at each branch: a bit for each branch, in as many words as it takes. */
function decide(tree: Tree, columns: readonly Float32Array[], { start, end }: RowBlock): Int32Array[] {
  const words: Int32Array[] = [new Int32Array(end - start)];
  let branch = 0;
  for (const [node, feature] of tree.feature.entries()) {
    const column = columns[feature];
    if (column === undefined) continue;
    const word = (words[Math.floor(branch / BITS)] ??= new Int32Array(end - start));
    const bit = 1 << (branch % BITS);
    branch++;
    const threshold = tree.threshold[node] as number;
    if (tree.split[node] === 0 && tree.missingIsYes[node] === 0) {
      // What nearly all branches are, in a loop that the compiler makes tight.
      for (let row = start; row < end; row++) {
        if ((column[row] as number) <= threshold) (word[row - start] as number) |= bit;
      }
    } else {
      for (let row = start; row < end; row++) {
        if (goesYes(tree, node, column[row] as number)) (word[row - start] as number) |= bit;
      }
    }
  }
  return words;
}

/** Room for a block's patterns, and for one row that no table serves. */
class Scratch {
  /** Bits of the conditions that each row satisfies; of short paths only. */
  readonly patterns: Int32Array;
  /** 1 for each row that satisfies a condition. */
  readonly satisfied: Uint8Array;
  constructor(rows: number) {
    this.patterns = new Int32Array(rows);
    this.satisfied = new Uint8Array(rows);
  }
}

/** Contributions of a whole small tree by the ways that rows go at its branches: the word of their bits. */
interface Ways {
  /** The features that the tree reads. */
  readonly features: readonly number[];
  /** By feature and word, `features × known.length`. */
  readonly contributions: Float64Array;
  readonly known: Uint8Array;
}

/** None for a tree of so many branches, or for so few rows, that hardly two rows would go the same way. */
function waysOf(paths: readonly Path[], rows: number): Ways | undefined {
  // A tree has one leaf more than branches.
  const words = 2 ** (paths.length - 1);
  if (paths.length - 1 > LONGEST_TABLE || words > rows) return undefined;
  const features = [...new Set(paths.flatMap((path) => [...path.features]))];
  return { features, contributions: new Float64Array(features.length * words), known: new Uint8Array(words) };
}

/** Adds what a small tree contributes to the rows of a block. */
function addTree(
  paths: readonly Path[],
  tables: readonly (Table | undefined)[],
  { features, contributions, known }: Ways,
  words: readonly Int32Array[],
  sums: readonly Float64Array[],
  { start, end }: RowBlock,
): void {
  const word = words[0] as Int32Array;
  const rows = end - start;
  for (let row = 0; row < rows; row++) {
    const way = word[row] as number;
    if (known[way] === 1) continue;
    known[way] = 1;
    for (const [index, path] of paths.entries()) {
      let pattern = 0;
      for (let j = 0; j < path.features.length; j++) pattern |= satisfies(path, j, words, row) << j;
      // A path has no more conditions than its tree has branches, for which there is a table.
      const table = tables[index] as Table;
      learn(path, table, pattern);
      for (const [j, feature] of path.features.entries()) {
        const own = table.contributions[j * table.known.length + pattern] as number;
        (contributions[features.indexOf(feature) * known.length + way] as number) += own;
      }
    }
  }
  for (const [index, feature] of features.entries()) {
    const sum = sums[feature] as Float64Array;
    const offset = index * known.length;
    for (let row = 0; row < rows; row++) {
      (sum[start + row] as number) += contributions[offset + (word[row] as number)] as number;
    }
  }
}

/** Adds what one leaf contributes to the rows of a block. */
function addPath(
  path: Path,
  table: Table | undefined,
  words: readonly Int32Array[],
  sums: readonly Float64Array[],
  { start, end }: RowBlock,
  { patterns, satisfied }: Scratch,
): void {
  const rows = end - start;
  const length = path.features.length;
  if (table === undefined) {
    const one = new Uint8Array(length);
    const contributions = new Float64Array(length);
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < length; j++) one[j] = satisfies(path, j, words, row);
      contribute(path, one, contributions, 0, 1);
      for (let j = 0; j < length; j++) {
        ((sums[path.features[j] as number] as Float64Array)[start + row] as number) += contributions[j] as number;
      }
    }
    return;
  }
  patterns.fill(0);
  for (let j = 0; j < length; j++) {
    const [from, to] = [path.starts[j] as number, path.starts[j + 1] as number];
    if (to - from === 1) {
      const word = words[path.word[from] as number] as Int32Array;
      const care = path.care[from] as number;
      const want = path.want[from] as number;
      for (let row = 0; row < rows; row++) {
        if (((word[row] as number) & care) === want) (patterns[row] as number) |= 1 << j;
      }
    } else {
      for (let row = 0; row < rows; row++) satisfied[row] = satisfies(path, j, words, row);
      for (let row = 0; row < rows; row++) (patterns[row] as number) |= (satisfied[row] as number) << j;
    }
  }
  const { contributions, known } = table;
  for (let row = 0; row < rows; row++) learn(path, table, patterns[row] as number);
  for (let j = 0; j < length; j++) {
    const sum = sums[path.features[j] as number] as Float64Array;
    const offset = j * known.length;
    for (let row = 0; row < rows; row++) {
      (sum[start + row] as number) += contributions[offset + (patterns[row] as number)] as number;
    }
  }
}

/** Computes what a leaf contributes to rows of a pattern, unless that is known. */
function learn(path: Path, { contributions, known }: Table, pattern: number): void {
  if (known[pattern] === 1) return;
  known[pattern] = 1;
  const one = Uint8Array.from(path.features, (_, j) => (pattern >> j) & 1);
  contribute(path, one, contributions, pattern, known.length);
}

function satisfies({ starts, word, care, want }: Path, j: number, words: readonly Int32Array[], row: number): 0 | 1 {
  const end = starts[j + 1] as number;
  for (let part = starts[j] as number; part < end; part++) {
    const bits = (words[word[part] as number] as Int32Array)[row] as number;
    if ((bits & (care[part] as number)) !== want[part]) return 0;
  }
  return 1;
}

/**
 * The contributions of a leaf to a row: EXTEND with each feature, then UNWIND each.
 * @param one 1 for each condition that the row satisfies
 * @param target takes the contribution of condition `j` at `offset + j × stride`
 */
function contribute(
  { value, zero }: Path,
  one: Uint8Array,
  target: Float64Array,
  offset: number,
  stride: number,
): void {
  const length = zero.length;
  for (let j = 0; j < length; j++) target[offset + j * stride] = 0;
  for (let j = 0; j < length; j++) {
    // Neither the row nor any counted one satisfies this condition: the leaf is never reached.
    if (one[j] === 0 && zero[j] === 0) return;
  }
  // Of the orders in which some of the features are known, the weighted share that reaches the leaf, by their number.
  const weight = new Float64Array(length + 1);
  weight[0] = 1;
  for (let depth = 1; depth <= length; depth++) {
    const z = zero[depth - 1] as number;
    const o = one[depth - 1] as number;
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
    let next = weight[length] as number;
    for (let i = length - 1; i >= 0; i--) {
      if (o === 1) {
        const w = next / (i + 1);
        total += w;
        next = (weight[i] as number) - w * z * (length - i);
      } else {
        total += (weight[i] as number) / (z * (length - i));
      }
    }
    target[offset + j * stride] = total * (length + 1) * (o - z) * value;
  }
}
