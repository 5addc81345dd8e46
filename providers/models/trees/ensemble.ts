import type { Attribute, GraphNode } from '../onnx/graph.ts';
import { emptyTree, SPLITS, type Split, type Tree, type TreeEnsemble } from './tree.ts';

/** Why something in a model is not a sum of trees that can be explained exactly; a part of a sentence. */
export class NotTrees extends Error {}

/** What a column of a node's output is: trees, then perhaps a function of their margin. */
export interface TreeColumn {
  readonly ensemble: TreeEnsemble;
  /** Whether the column rises (1) or falls (−1) with the margin. */
  readonly direction: 1 | -1;
}

/** ai.onnx.ml's three operators of trees. */
export const TREE_OPERATORS: ReadonlySet<string> = new Set([
  'TreeEnsembleRegressor',
  'TreeEnsembleClassifier',
  'TreeEnsemble',
]);

/**
 * The columns of a tree operator's scores
 * (https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html and its forerunners beside it).
 * @param width features of a row
 * @throws NotTrees for splits by sets, aggregates other than sum and average, more than two classes or targets
 */
export function treeColumns(node: GraphNode, width: number): readonly TreeColumn[] {
  const { operator } = node;
  const columns =
    operator === 'TreeEnsembleClassifier' ? classifier(node) : [{ ensemble: targets(node), direction: 1 as const }];
  for (const { ensemble } of columns) {
    for (const { feature } of ensemble.trees) {
      if (feature.some((each) => each >= width)) throw new NotTrees('its trees read features that the model lacks');
    }
  }
  return columns.map(({ ensemble, direction }) => ({ ensemble: { ...ensemble, width }, direction }));
}

const numbers = (node: GraphNode, name: string): Float64Array => {
  const attribute: Attribute | undefined = node.attributes.get(name);
  return attribute?.tensor?.values ?? attribute?.numbers ?? new Float64Array();
};
const at = (values: ArrayLike<number>, index: number): number => values[index] ?? 0;

function targets(node: GraphNode): TreeEnsemble {
  const isNewest = node.operator === 'TreeEnsemble';
  if ((node.attributes.get('n_targets')?.number ?? 1) !== 1) throw new NotTrees('its trees have several targets');
  const transform = node.attributes.get('post_transform');
  if (!['NONE', 'LOGISTIC'].includes(transform?.text ?? TRANSFORMS[transform?.number ?? 0] ?? '')) {
    throw new NotTrees(`its trees end in ${transform?.text ?? 'an unknown post_transform'}`);
  }
  const trees = isNewest ? newestTrees(node) : olderTrees(node, 'target', () => 1);
  return aggregated(node, trees, at(numbers(node, 'base_values'), 0));
}

/** Numbers of `post_transform` and `aggregate_function` in the newest operator, as the older ones spell them. */
const TRANSFORMS: Readonly<Record<number, string>> = { 0: 'NONE', 2: 'LOGISTIC' };
const AGGREGATES: Readonly<Record<number, string>> = { 0: 'AVERAGE', 1: 'SUM' };

function aggregated(node: GraphNode, trees: readonly Tree[], base: number): TreeEnsemble {
  const attribute = node.attributes.get('aggregate_function');
  const aggregate = attribute?.text ?? AGGREGATES[attribute?.number ?? 1];
  if (aggregate !== 'SUM' && aggregate !== 'AVERAGE') throw new NotTrees('its trees are not added up');
  const share = aggregate === 'AVERAGE' ? trees.length : 1;
  return {
    trees: trees.map((tree) => ({ ...tree, value: tree.value.map((value) => value / share) })),
    base,
    width: 0,
  };
}

/**
 * Two classes, as ONNX Runtime has them: with the weights of class 0 only, the second score rises with the margin and the
 * first falls; otherwise `SOFTMAX` makes the difference of the two the margin, and else each class has its own.
 */
function classifier(node: GraphNode): TreeColumn[] {
  const classes = Math.max(
    node.attributes.get('classlabels_strings')?.texts.length ?? 0,
    numbers(node, 'classlabels_int64s').length,
  );
  if (classes !== 2) throw new NotTrees(`its trees tell ${classes} classes apart`);
  const transform = node.attributes.get('post_transform')?.text ?? 'NONE';
  const bases = numbers(node, 'base_values');
  const weighted = new Set(numbers(node, 'class_ids'));
  const margin = (weight: (id: number) => number, base: number): TreeEnsemble =>
    aggregated(node, olderTrees(node, 'class', weight), base);
  if (weighted.size === 1 && weighted.has(0)) {
    if (transform !== 'NONE' && transform !== 'LOGISTIC') throw new NotTrees(`its trees end in ${transform}`);
    const ensemble = margin(() => 1, bases.length === 1 ? at(bases, 0) : at(bases, 1));
    return [
      { ensemble, direction: -1 },
      { ensemble, direction: 1 },
    ];
  }
  if (transform === 'SOFTMAX') {
    const ensemble = margin((id) => (id === 1 ? 1 : -1), at(bases, 1) - at(bases, 0));
    return [
      { ensemble, direction: -1 },
      { ensemble, direction: 1 },
    ];
  }
  if (transform !== 'NONE' && transform !== 'LOGISTIC') throw new NotTrees(`its trees end in ${transform}`);
  return [0, 1].map((column) => ({
    ensemble: margin((id) => (id === column ? 1 : 0), at(bases, column)),
    direction: 1,
  }));
}

const MODES: Readonly<Record<string, Split>> = {
  BRANCH_LEQ: '<=',
  BRANCH_LT: '<',
  BRANCH_GTE: '>=',
  BRANCH_GT: '>',
  BRANCH_EQ: '=',
  BRANCH_NEQ: '!=',
};

/** Trees of TreeEnsembleRegressor and TreeEnsembleClassifier: parallel lists over all nodes of all trees. */
function olderTrees(node: GraphNode, leaves: 'target' | 'class', weight: (id: number) => number): Tree[] {
  const modes = node.attributes.get('nodes_modes')?.texts ?? [];
  const treeIds = numbers(node, 'nodes_treeids');
  const nodeIds = numbers(node, 'nodes_nodeids');
  const [featureIds, thresholds] = [numbers(node, 'nodes_featureids'), numbers(node, 'nodes_values')];
  const [yesIds, noIds] = [numbers(node, 'nodes_truenodeids'), numbers(node, 'nodes_falsenodeids')];
  const [tracks, covers] = [numbers(node, 'nodes_missing_value_tracks_true'), numbers(node, 'nodes_hitrates')];
  if (node.attributes.get('nodes_values_as_tensor') !== undefined) throw new NotTrees('its thresholds are doubles');

  const places = new Map<string, number>();
  const byTree = new Map<number, number[]>();
  for (const [place, mode] of modes.entries()) {
    const tree = at(treeIds, place);
    places.set(`${tree}:${at(nodeIds, place)}`, place);
    const own = byTree.get(tree);
    if (own === undefined) byTree.set(tree, [place]);
    else own.push(place);
    if (mode !== 'LEAF' && MODES[mode] === undefined) throw new NotTrees(`its trees split by ${mode}`);
  }
  const values = new Float64Array(modes.length);
  const weights = numbers(node, `${leaves}_weights`);
  const ids = numbers(node, `${leaves}_ids`);
  const leafTrees = numbers(node, `${leaves}_treeids`);
  const leafNodes = numbers(node, `${leaves}_nodeids`);
  for (const [index, value] of weights.entries()) {
    const place = places.get(`${at(leafTrees, index)}:${at(leafNodes, index)}`);
    if (place !== undefined) (values[place] as number) += weight(at(ids, index)) * value;
  }
  const child = (place: number, id: number): number => {
    const found = places.get(`${at(treeIds, place)}:${id}`);
    if (found === undefined) throw new NotTrees('a branch of its trees leads nowhere');
    return found;
  };
  return [...byTree.values()].map((own) => {
    const isChild = new Set<number>();
    for (const place of own) {
      if (modes[place] === 'LEAF') continue;
      isChild.add(child(place, at(yesIds, place))).add(child(place, at(noIds, place)));
    }
    const root = own.find((place) => !isChild.has(place));
    if (root === undefined) throw new NotTrees('its trees have no root');
    return grown(root, (place) => {
      const mode = MODES[modes[place] ?? ''];
      const own = { value: at(values, place), cover: at(covers, place) };
      if (mode === undefined) return own;
      return {
        ...own,
        feature: at(featureIds, place),
        split: mode,
        threshold: at(thresholds, place),
        missingIsYes: at(tracks, place) === 1,
        yes: child(place, at(yesIds, place)),
        no: child(place, at(noIds, place)),
      };
    });
  });
}

/** Trees of TreeEnsemble: branches and leaves have lists of their own. Its leaves never say how many rows they saw. */
function newestTrees(node: GraphNode): Tree[] {
  const modes = numbers(node, 'nodes_modes');
  const [featureIds, splits] = [numbers(node, 'nodes_featureids'), node.attributes.get('nodes_splits')?.tensor];
  if (splits?.float32 !== true) throw new NotTrees('its thresholds are not float32');
  const [yesIds, noIds] = [numbers(node, 'nodes_truenodeids'), numbers(node, 'nodes_falsenodeids')];
  const [yesLeaves, noLeaves] = [numbers(node, 'nodes_trueleafs'), numbers(node, 'nodes_falseleafs')];
  const tracks = numbers(node, 'nodes_missing_value_tracks_true');
  const weights = numbers(node, 'leaf_weights');
  if (modes.some((mode) => SPLITS[mode] === undefined)) throw new NotTrees('its trees split by sets');
  const branches = modes.length;
  // A leaf has the places after those of the branches.
  const child = (id: number, leaf: number) => (leaf === 1 ? branches + id : id);
  return [...numbers(node, 'tree_roots')].map((root) => {
    const single = at(yesLeaves, root) === 1 && at(noLeaves, root) === 1 && at(yesIds, root) === at(noIds, root);
    return grown(single ? child(at(yesIds, root), 1) : root, (place) => {
      if (place >= branches) return { value: at(weights, place - branches), cover: 0 };
      return {
        value: 0,
        cover: 0,
        feature: at(featureIds, place),
        split: SPLITS[at(modes, place)] ?? '<=',
        threshold: at(splits.values, place),
        missingIsYes: at(tracks, place) === 1,
        yes: child(at(yesIds, place), at(yesLeaves, place)),
        no: child(at(noIds, place), at(noLeaves, place)),
      };
    });
  });
}

interface PlacedLeaf {
  readonly value: number;
  readonly cover: number;
}

interface PlacedBranch extends PlacedLeaf {
  readonly feature: number;
  readonly split: Split;
  readonly threshold: number;
  readonly missingIsYes: boolean;
  readonly yes: number;
  readonly no: number;
}

/** A tree from its root on, its nodes numbered anew. */
function grown(root: number, read: (place: number) => PlacedLeaf | PlacedBranch): Tree {
  const numbered = new Map<number, number>([[root, 0]]);
  const found: (PlacedLeaf | PlacedBranch)[] = [];
  const order = [root];
  for (const place of order) {
    const node = read(place);
    found.push(node);
    if (!('feature' in node)) continue;
    for (const next of [node.yes, node.no]) {
      if (numbered.has(next)) throw new NotTrees('two branches of its trees lead to the same node');
      numbered.set(next, order.push(next) - 1);
    }
  }
  const tree = emptyTree(found.length);
  for (const [index, node] of found.entries()) {
    tree.value[index] = 'feature' in node ? 0 : node.value;
    tree.cover[index] = node.cover;
    if (!('feature' in node)) continue;
    tree.feature[index] = node.feature;
    tree.split[index] = SPLITS.indexOf(node.split);
    tree.threshold[index] = node.threshold;
    tree.missingIsYes[index] = node.missingIsYes ? 1 : 0;
    tree.yes[index] = numbered.get(node.yes) ?? 0;
    tree.no[index] = numbered.get(node.no) ?? 0;
  }
  return tree;
}
