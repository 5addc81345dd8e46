import type { GraphNode, GraphTensor, OnnxGraph } from '../onnx/graph.ts';
import { NotTrees, TREE_OPERATORS, type TreeColumn, treeColumns } from './ensemble.ts';
import type { TreeEnsemble } from './tree.ts';

/** The trees that decide a model's score, and what stands between them and the features, and the score. */
export interface ScoreMargin {
  /** The score rises with the margin of these trees: they are turned around where the graph does it. */
  readonly ensemble: TreeEnsemble;
  /** What the graph puts in the place of missing values, by feature; undefined where the trees see them. */
  readonly fill: Float32Array | undefined;
  /** Operators after the trees, in order; each makes the score rise, or stay, when the margin rises. */
  readonly after: readonly string[];
}

/** What is known of a value in the graph: only such values whose meaning is certain are told apart. */
type Meaning =
  | { readonly kind: 'constant'; readonly tensor: GraphTensor }
  | { readonly kind: 'features'; readonly fill: Float32Array | undefined }
  | { readonly kind: 'is-missing' }
  | {
      readonly kind: 'monotone';
      /** How each column moves with its trees; with `alike`, one stands for any number of columns. */
      readonly columns: readonly TreeColumn[];
      readonly alike: boolean;
      readonly after: readonly string[];
    }
  | { readonly kind: 'unknown' };

type Monotone = Extract<Meaning, { kind: 'monotone' }>;

const UNKNOWN: Meaning = { kind: 'unknown' };
const NOTHING: GraphTensor = { dimensions: [], float32: true, values: new Float64Array() };

/**
 * Finds the one ensemble of trees whose raw margin decides a model's score, and proves that the score is a monotone
 * function of it: before the trees, features may be cast or have their missing values filled; after them, only known
 * functions that never fall (or never rise) with the margin may stand, such as a sigmoid or an isotonic calibration.
 * @param width features of a row
 * @throws NotTrees when the graph is anything else
 */
export function scoreMargin(graph: OnnxGraph, width: number): ScoreMargin {
  // An optional input that is left out has no name.
  const meanings = new Map<string, Meaning>([['', { kind: 'constant', tensor: NOTHING }]]);
  for (const [name, tensor] of graph.initializers) meanings.set(name, { kind: 'constant', tensor });
  for (const name of graph.inputs) meanings.set(name, { kind: 'features', fill: undefined });
  let fill: Float32Array | undefined;
  let trees = 0;
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => meanings.get(name) ?? UNKNOWN);
    if (node.domain === 'ai.onnx.ml' && TREE_OPERATORS.has(node.operator)) {
      const [input] = inputs;
      if (input?.kind !== 'features') throw new NotTrees('its trees do not read the features as they are');
      if (++trees > 1) throw new NotTrees('it has several ensembles of trees');
      fill = input.fill;
      const columns = treeColumns(node, width);
      // A classifier's first output holds labels.
      const scores = node.operator === 'TreeEnsembleClassifier' ? node.outputs[1] : node.outputs[0];
      if (scores !== undefined) meanings.set(scores, { kind: 'monotone', columns, alike: false, after: [] });
      continue;
    }
    const [output] = node.outputs;
    if (output !== undefined) meanings.set(output, meaning(node, inputs, width));
  }
  if (trees === 0) throw new NotTrees('it has no trees');
  const [score] = graph.floatOutputs.map((name) => meanings.get(name) ?? UNKNOWN);
  const [column, ...others] = score?.kind === 'monotone' ? score.columns : [];
  if (score?.kind !== 'monotone' || column === undefined || others.length > 0) {
    throw new NotTrees('its score is not a monotone function of its trees alone');
  }
  return { ensemble: turned(column), fill, after: score.after };
}

function turned({ ensemble, direction }: TreeColumn): TreeEnsemble {
  if (direction === 1) return ensemble;
  const trees = ensemble.trees.map((tree) => ({ ...tree, value: tree.value.map((value) => -value) }));
  return { ...ensemble, trees, base: -ensemble.base };
}

function meaning(node: GraphNode, inputs: readonly Meaning[], width: number): Meaning {
  if (node.operator === 'Constant') {
    const tensor = node.attributes.get('value')?.tensor;
    return tensor === undefined ? UNKNOWN : { kind: 'constant', tensor };
  }
  const [first] = inputs;
  if (node.domain !== '' && !LEARNED.has(node.operator)) return UNKNOWN;
  if (inputs.some(({ kind }) => kind === 'monotone')) return afterTrees(node, inputs);
  return first === undefined ? UNKNOWN : beforeTrees(node, inputs, width);
}

/** Features as they are, or with their missing values filled. */
function beforeTrees(node: GraphNode, inputs: readonly Meaning[], width: number): Meaning {
  const [first, second, third] = inputs;
  switch (node.operator) {
    case 'Identity':
      return first ?? UNKNOWN;
    case 'Cast':
      // Features are float32 already.
      return first?.kind === 'features' && node.attributes.get('to')?.number === 1 ? first : UNKNOWN;
    case 'IsNaN':
      return first?.kind === 'features' && first.fill === undefined ? { kind: 'is-missing' } : UNKNOWN;
    case 'Where':
      return first?.kind === 'is-missing' && second?.kind === 'constant' && third?.kind === 'features'
        ? filled(third.fill, second.tensor.values, width)
        : UNKNOWN;
    case 'Imputer': {
      const values = node.attributes.get('imputed_value_floats')?.numbers;
      const replaced = node.attributes.get('replaced_value_float')?.number ?? 0;
      return first?.kind === 'features' && values !== undefined && Number.isNaN(replaced)
        ? filled(first.fill, values, width)
        : UNKNOWN;
    }
    default:
      return UNKNOWN;
  }
}

function filled(before: Float32Array | undefined, values: Float64Array, width: number): Meaning {
  if (before !== undefined || (values.length !== 1 && values.length !== width)) return UNKNOWN;
  return {
    kind: 'features',
    fill: Float32Array.from({ length: width }, (_, feature) => values[values.length === 1 ? 0 : feature] ?? Number.NaN),
  };
}

/** Operators of ai.onnx.ml that are understood. */
const LEARNED = new Set(['Imputer', 'ArrayFeatureExtractor']);
/** Functions of one number that never fall. */
const RISING = new Set(['Sigmoid', 'Tanh', 'Exp', 'Log', 'Sqrt', 'Softplus', 'Erf', 'Relu', 'Round', 'Floor', 'Ceil']);
/** What only changes the shape of a column. */
const SHAPING = new Set(['Identity', 'Cast', 'Squeeze', 'Unsqueeze', 'Reshape', 'Flatten']);

function afterTrees(node: GraphNode, inputs: readonly Meaning[]): Meaning {
  const [first, second] = inputs;
  if (node.operator === 'Concat') return joined(node, inputs);
  const monotone = inputs.find((input) => input.kind === 'monotone');
  const others = inputs.filter((input) => input !== monotone);
  const constants = others.flatMap((other) => (other.kind === 'constant' ? [other.tensor] : []));
  if (monotone === undefined || constants.length !== others.length) return UNKNOWN;
  const done = (change: Partial<Monotone> = {}): Meaning => ({
    ...monotone,
    after: [...monotone.after, node.operator],
    ...change,
  });
  // One column beside a row of constants becomes as many as there are.
  const wide = monotone.alike || (monotone.columns.length === 1 && constants.some(({ values }) => values.length > 1));
  const { operator } = node;
  if (RISING.has(operator)) return done();
  if (SHAPING.has(operator))
    return monotone.alike || monotone.columns.length > 1 ? keptShape(operator, monotone) : monotone;
  switch (operator) {
    case 'Clip':
      return first === monotone ? done() : UNKNOWN;
    case 'Max':
    case 'Min':
    case 'Add':
      return done({ alike: wide });
    case 'Neg':
      return done(times(monotone, -1));
    case 'Sub':
      return done({ ...(second === monotone ? times(monotone, -1) : {}), alike: wide });
    case 'Mul':
    case 'Div': {
      // A constant over a margin is not monotone.
      const sign = signOf(constants[0]?.values);
      return sign === undefined || (operator === 'Div' && second === monotone)
        ? UNKNOWN
        : done({ ...times(monotone, sign), alike: wide });
    }
    case 'MatMul': {
      const weights = constants[0];
      const sign = signOf(weights?.values);
      const oneColumn = weights?.dimensions.length === 2 && weights.dimensions[1] === 1 && first === monotone;
      const sameTrees = monotone.columns.length === 1;
      return sign === undefined || !oneColumn || !sameTrees
        ? UNKNOWN
        : done({ ...times(monotone, sign), alike: false });
    }
    case 'Gather':
    case 'ArrayFeatureExtractor': {
      const axis = operator === 'Gather' ? node.attributes.get('axis')?.number : 1;
      const index = constants[0]?.values;
      return first === monotone && axis === 1 && index?.length === 1 ? picked(monotone, index[0] ?? 0) : UNKNOWN;
    }
    case 'Slice':
      return sliced(monotone, constants);
    default:
      return UNKNOWN;
  }
}

function keptShape(operator: string, monotone: Monotone): Meaning {
  return operator === 'Identity' || operator === 'Cast' ? monotone : UNKNOWN;
}

function times(monotone: Monotone, sign: 1 | -1): Pick<Monotone, 'columns'> {
  return {
    columns: monotone.columns.map(({ ensemble, direction }) => ({ ensemble, direction: direction === sign ? 1 : -1 })),
  };
}

/** The sign that all numbers share; undefined when they differ or one is not a number. */
function signOf(values: Float64Array | undefined): 1 | -1 | undefined {
  if (values === undefined || values.length === 0) return undefined;
  if (values.every((value) => value >= 0)) return 1;
  return values.every((value) => value <= 0) ? -1 : undefined;
}

function picked(monotone: Monotone, index: number): Meaning {
  const column = monotone.columns[index < 0 ? monotone.columns.length + index : index];
  return column === undefined || monotone.alike ? UNKNOWN : { ...monotone, columns: [column] };
}

/** A Slice that takes exactly one column. */
function sliced(monotone: Monotone, constants: readonly GraphTensor[]): Meaning {
  const [starts, ends, axes, steps] = constants.map(({ values }) => (values.length === 1 ? values[0] : undefined));
  if (starts === undefined || ends === undefined || axes !== 1 || (steps ?? 1) !== 1) return UNKNOWN;
  return starts >= 0 && Math.min(ends, monotone.columns.length) - starts === 1 ? picked(monotone, starts) : UNKNOWN;
}

/** Columns side by side. */
function joined(node: GraphNode, inputs: readonly Meaning[]): Meaning {
  const parts = inputs.flatMap((input) => (input.kind === 'monotone' && !input.alike ? [input] : []));
  if (parts.length !== inputs.length || node.attributes.get('axis')?.number !== 1) return UNKNOWN;
  return {
    kind: 'monotone',
    columns: parts.flatMap(({ columns }) => columns),
    alike: false,
    after: parts.flatMap(({ after }) => after),
  };
}
