import { HoldfastError } from '../../base/errors.ts';
import { loadModel } from './index.ts';
import type { Model, ModelManifest, ModelReference } from './model.ts';
import { readVerified } from './onnx/file.ts';
import { readGraph } from './onnx/graph.ts';
import { MalformedModel } from './onnx/protobuf.ts';
import { NotTrees } from './trees/ensemble.ts';
import { type ScoreMargin, scoreMargin } from './trees/margin.ts';
import { treeShap } from './trees/shap.ts';
import { hasCovers, type TreeEnsemble, withCovers } from './trees/tree.ts';

/** Why rows got their scores: what each feature added. */
export interface ExplainedRows {
  /** Row-major, `rows × features`; above 0 raises the score. */
  readonly contributions: Float64Array;
  /** What is expected of a row of which nothing is known; with it contributions add up. Only exact ones do. */
  readonly expected: number | undefined;
}

/** Explains the scores of one model. */
export interface Explainer {
  readonly manifest: ModelManifest;
  readonly method: 'tree-shap' | 'occlusion';
  /** What the contributions are amounts of, and how they were found; a sentence without its full stop. */
  readonly measure: string;
  /** The usual value of each feature, which a customer's is compared with; NaN where there is none. */
  readonly typical: Float32Array;
  /** Whose usual values these are; a part of a sentence. */
  readonly typicalOf: string;
  /** @param features row-major, `rows × manifest.features.length`, float32; NaN means missing */
  explain(features: Float32Array, rows: number): Promise<ExplainedRows>;
  close(): Promise<void>;
}

/** The batch that a row belongs to. */
export interface Background {
  /** The median of each feature; read only when a model does not say what is typical. */
  medians(): Promise<Float32Array>;
  /** Rows of the batch, row-major; read only when a model does not say how many rows came to its nodes. */
  rows(): Promise<{ readonly features: Float32Array; readonly count: number }>;
}

/** What is loaded only to be explained. */
const FILE_SCHEME = 'onnx://';

/**
 * Explains the model of a program that predicts churn. A score that is a monotone function of trees is explained by
 * the trees' exact Shapley values; any other by occlusion, how far the score falls when one feature takes its typical
 * value.
 * @throws HF_MODEL_MISSING, HF_MODEL_DIGEST_MISMATCH, HF_MODEL_REFUSED when the model is not the one that is pinned or
 *   not there; HF_PROVIDER_UNAVAILABLE when it is not a file
 */
export async function openExplainer(
  references: readonly ModelReference[],
  background: (manifest: ModelManifest) => Promise<Background>,
): Promise<Explainer> {
  for (const reference of references) {
    if (!reference.endpoint.startsWith(FILE_SCHEME)) continue;
    const { bytes, manifest } = await readVerified(reference);
    if (manifest.role !== 'churn-risk') continue;
    const batch = await background(manifest);
    try {
      const margin = scoreMargin(readGraph(bytes), manifest.features.length);
      return await treeExplainer(manifest, margin, batch);
    } catch (error) {
      if (!(error instanceof NotTrees || error instanceof MalformedModel)) throw error;
      return occlusionExplainer(await loadModel(reference), await usual(manifest, undefined, batch), error.message);
    }
  }
  throw new HoldfastError('HF_PROVIDER_UNAVAILABLE', `no model with the role churn-risk is a file (${FILE_SCHEME}…)`);
}

interface Usual {
  readonly typical: Float32Array;
  readonly typicalOf: string;
}

/** What the model says is usual; else what it puts in the place of a missing value; else what the batch says. */
async function usual({ typical }: ModelManifest, fill: Float32Array | undefined, batch: Background): Promise<Usual> {
  if (typical !== undefined)
    return { typical: Float32Array.from(typical), typicalOf: 'what the JSON beside the model says' };
  if (fill !== undefined) return { typical: fill, typicalOf: 'what the model puts in the place of a missing value' };
  return { typical: await batch.medians(), typicalOf: 'the median of the customers who were scored' };
}

async function treeExplainer(
  manifest: ModelManifest,
  { ensemble, fill, after }: ScoreMargin,
  batch: Background,
): Promise<Explainer> {
  const counted = hasCovers(ensemble);
  const [trees, from] = counted
    ? [ensemble, 'the rows that it was trained on']
    : coveredBy(ensemble, fill, await batch.rows());
  const score = after.length === 0 ? '' : `; the score is a function of it that never falls (${after.join(', ')})`;
  return {
    manifest,
    ...(await usual(manifest, fill, batch)),
    method: 'tree-shap',
    measure: `exact contributions (TreeSHAP) to the raw margin of the trees of ${manifest.modelId}, expected over ${from}${score}`,
    async explain(features, rows) {
      const { expected, values } = treeShap(trees, filledRows(features, rows, fill), rows);
      return { contributions: values, expected };
    },
    async close() {},
  };
}

function coveredBy(
  ensemble: TreeEnsemble,
  fill: Float32Array | undefined,
  { features, count }: Awaited<ReturnType<Background['rows']>>,
): readonly [TreeEnsemble, string] {
  return [
    withCovers(ensemble, filledRows(features, count, fill), count),
    `${count} customers of this batch, as the model does not say how many rows came to its nodes`,
  ];
}

/** The rows as the trees see them. */
function filledRows(features: Float32Array, rows: number, fill: Float32Array | undefined): Float32Array {
  if (fill === undefined) return features;
  const width = fill.length;
  return features.subarray(0, rows * width).map((value, place) => {
    return Number.isNaN(value) ? (fill[place % width] as number) : value;
  });
}

/** The score with one feature after the other at its typical value. */
function occlusionExplainer(model: Model, usual: Usual, reason: string): Explainer {
  const { manifest } = model;
  const { typical } = usual;
  const width = manifest.features.length;
  return {
    manifest,
    ...usual,
    method: 'occlusion',
    measure:
      `how far the score of ${manifest.modelId} falls when one feature takes its typical value (occlusion), ` +
      `as ${reason}; such contributions do not add up`,
    async explain(features, rows) {
      // The runtime may hand out the same memory again.
      const scores = Float32Array.from(await model.score(features, rows));
      const contributions = new Float64Array(rows * width);
      const occluded = features.slice(0, rows * width);
      for (let feature = 0; feature < width; feature++) {
        for (let row = 0; row < rows; row++) occluded[row * width + feature] = typical[feature] as number;
        const without = await model.score(occluded, rows);
        for (let row = 0; row < rows; row++) {
          const place = row * width + feature;
          contributions[place] = (scores[row] as number) - (without[row] as number);
          occluded[place] = features[place] as number;
        }
      }
      return { contributions, expected: undefined };
    },
    close: () => model.close(),
  };
}
