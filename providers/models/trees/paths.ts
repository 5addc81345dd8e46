import type { Tree } from './tree.ts';

/**
 * The way to a leaf, conditions on the same feature taken together. Whether a row satisfies the condition `j` is
 * decided on words of bits, one for each branch of the tree: `(word & care) === want` for each of the condition's parts.
 */
export interface Path {
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
}

/** Branches in a word. */
export const BITS = 32;

/** The paths to every leaf of a tree. */
export function pathsOf(tree: Tree): Path[] {
  const branches = branchNumbers(tree);
  const paths: Path[] = [];
  const waiting: { node: number; conditions: ReadonlyMap<number, Condition>; share: number }[] = [
    { node: 0, conditions: new Map(), share: 1 },
  ];
  for (let here = waiting.pop(); here !== undefined; here = waiting.pop()) {
    const { node, conditions, share } = here;
    const feature = tree.feature[node] as number;
    if (feature < 0) {
      paths.push(toPath(tree.value[node] as number, share, conditions));
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

function toPath(value: number, share: number, conditions: ReadonlyMap<number, Condition>): Path {
  const parts = [...conditions.values()].map((condition) => [...condition.parts]);
  const starts = new Int32Array(parts.length + 1);
  for (const [index, each] of parts.entries()) starts[index + 1] = (starts[index] as number) + each.length;
  const flat = parts.flat();
  return {
    value,
    share,
    features: Int32Array.from(conditions.keys()),
    zero: Float64Array.from([...conditions.values()], ({ zero }) => zero),
    starts,
    word: Int32Array.from(flat, ([word]) => word),
    care: Int32Array.from(flat, ([, { care }]) => care),
    want: Int32Array.from(flat, ([, { want }]) => want),
  };
}
