import { SPLITS, type Tree, type TreeEnsemble } from '../../providers/models/trees/tree.ts';
import { attribute, integers, node, tensor } from './onnx.ts';

const MODES = ['BRANCH_LEQ', 'BRANCH_LT', 'BRANCH_GTE', 'BRANCH_GT', 'BRANCH_EQ', 'BRANCH_NEQ'];
const LEARNED = 'ai.onnx.ml';

/** What each leaf says of each target or class. */
type Weights = (value: number) => readonly (readonly [id: number, weight: number])[];

function olderAttributes({ trees }: TreeEnsemble, leaves: 'target' | 'class', weights: Weights): Buffer[] {
  const all = trees.flatMap((tree, id) => [...tree.feature.keys()].map((place) => ({ tree, id, place })));
  const isLeaf = ({ tree, place }: { tree: Tree; place: number }) => tree.feature[place]! < 0;
  const ints = (name: string, read: (tree: Tree, place: number) => number) =>
    attribute.ints(
      name,
      all.map(({ tree, place }) => read(tree, place)),
    );
  const told = all
    .filter(isLeaf)
    .flatMap(({ tree, id, place }) =>
      weights(tree.value[place]!).map(([target, weight]) => ({ id, place, target, weight })),
    );
  return [
    attribute.ints(
      'nodes_treeids',
      all.map(({ id }) => id),
    ),
    ints('nodes_nodeids', (_, place) => place),
    ints('nodes_featureids', (tree, place) => Math.max(0, tree.feature[place]!)),
    attribute.texts(
      'nodes_modes',
      all.map((each) => (isLeaf(each) ? 'LEAF' : MODES[each.tree.split[each.place]!]!)),
    ),
    attribute.floats(
      'nodes_values',
      all.map(({ tree, place }) => tree.threshold[place]!),
    ),
    attribute.floats(
      'nodes_hitrates',
      all.map(({ tree, place }) => tree.cover[place]!),
    ),
    ints('nodes_missing_value_tracks_true', (tree, place) => tree.missingIsYes[place]!),
    ints('nodes_truenodeids', (tree, place) => tree.yes[place]!),
    ints('nodes_falsenodeids', (tree, place) => tree.no[place]!),
    attribute.ints(
      `${leaves}_treeids`,
      told.map(({ id }) => id),
    ),
    attribute.ints(
      `${leaves}_nodeids`,
      told.map(({ place }) => place),
    ),
    attribute.ints(
      `${leaves}_ids`,
      told.map(({ target }) => target),
    ),
    attribute.floats(
      `${leaves}_weights`,
      told.map(({ weight }) => weight),
    ),
  ];
}

/** A TreeEnsembleRegressor with one target. */
export function regressor(ensemble: TreeEnsemble, output: string, extra: readonly Buffer[] = [], input = 'features') {
  const attributes = olderAttributes(ensemble, 'target', (value) => [[0, value]]);
  const base = attribute.floats('base_values', [ensemble.base]);
  return node(
    'TreeEnsembleRegressor',
    [input],
    [output],
    [...attributes, attribute.int('n_targets', 1), base, ...extra],
    LEARNED,
  );
}

/** A TreeEnsembleClassifier of two classes. */
export function classifier(ensemble: TreeEnsemble, output: string, weights: Weights, transform: string) {
  const attributes = olderAttributes(ensemble, 'class', weights);
  const labels = attribute.ints('classlabels_int64s', [0, 1]);
  const extra = [labels, attribute.text('post_transform', transform)];
  return node('TreeEnsembleClassifier', ['features'], ['label', output], [...attributes, ...extra], LEARNED);
}

/** A TreeEnsemble, the newest operator: branches and leaves apart. */
export function newestEnsemble({ trees }: TreeEnsemble, output: string): Buffer {
  const branches: { tree: Tree; place: number }[] = [];
  const leaves: number[] = [];
  const numbers = trees.map((tree) =>
    [...tree.feature.keys()].map((place) => {
      if (tree.feature[place]! < 0) return leaves.push(tree.value[place]!) - 1;
      return branches.push({ tree, place }) - 1;
    }),
  );
  const numberOf = (tree: Tree, place: number) => numbers[trees.indexOf(tree)]![place]!;
  const leaf = (tree: Tree, place: number) => (tree.feature[place]! < 0 ? 1 : 0);
  const ints = (name: string, read: (tree: Tree, place: number) => number) =>
    attribute.ints(
      name,
      branches.map(({ tree, place }) => read(tree, place)),
    );
  const modes = branches.map(({ tree, place }) => SPLITS.indexOf(SPLITS[tree.split[place]!]!));
  const splits = branches.map(({ tree, place }) => tree.threshold[place]!);
  return node(
    'TreeEnsemble',
    ['features'],
    [output],
    [
      attribute.ints(
        'tree_roots',
        trees.map((tree) => numberOf(tree, 0)),
      ),
      ints('nodes_featureids', (tree, place) => tree.feature[place]!),
      attribute.tensor('nodes_modes', integers('modes', [modes.length], modes, 2)),
      attribute.tensor('nodes_splits', tensor('splits', [splits.length], splits)),
      ints('nodes_truenodeids', (tree, place) => numberOf(tree, tree.yes[place]!)),
      ints('nodes_falsenodeids', (tree, place) => numberOf(tree, tree.no[place]!)),
      ints('nodes_trueleafs', (tree, place) => leaf(tree, tree.yes[place]!)),
      ints('nodes_falseleafs', (tree, place) => leaf(tree, tree.no[place]!)),
      ints('nodes_missing_value_tracks_true', (tree, place) => tree.missingIsYes[place]!),
      attribute.ints(
        'leaf_targetids',
        leaves.map(() => 0),
      ),
      attribute.tensor('leaf_weights', tensor('weights', [leaves.length], leaves)),
      attribute.int('n_targets', 1),
    ],
    LEARNED,
  );
}
