import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { writeModel } from '../../test/support/models.ts';
import { identityModel, model, node, tensor } from '../../test/support/onnx.ts';
import { regressor } from '../../test/support/tree-models.ts';
import { randomEnsemble, randomRows } from '../../test/support/trees.ts';
import { openExplainer } from './explainer.ts';
import { treeShap } from './trees/shap.ts';
import { withCovers } from './trees/tree.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-explainer-'));
});
afterAll(() => rm(folder, { recursive: true }));

const SHAPE = { width: 3, branches: 6, trees: 4, missing: 0.2 };
const ROWS = 50;
const features = randomRows(1, ROWS, SHAPE);
const names = ['a', 'b', 'c'];
const MEDIANS = Float32Array.of(0.5, 0.25, 0.75);
/** The batch is the rows themselves; reading them is remembered. */
function batch() {
  const read: number[] = [];
  return {
    read,
    background: async () => ({
      medians: async () => MEDIANS,
      rows: async () => {
        read.push(ROWS);
        return { features, count: ROWS };
      },
    }),
  };
}

const filling = [
  node('IsNaN', ['features'], ['missing']),
  node('Where', ['missing', 'medians', 'features'], ['filled']),
];
const graph = (nodes: readonly Uint8Array[]) =>
  model({
    nodes: [...nodes, node('Sigmoid', ['raw'], ['scores'])],
    initializers: [tensor('medians', [1, 3], [0.1, 0.2, 0.3])],
    input: ['N', 3],
    output: ['N', 1],
  });

async function open(bytes: Uint8Array, typical?: readonly number[]) {
  const manifest = { modelId: 'churn', features: names, ...(typical === undefined ? {} : { typical }) };
  const offers = await writeModel(folder, identityModel(3), { modelId: 'offers', features: names, kinds: names });
  const references = [offers, await writeModel(folder, bytes, manifest)];
  const { read, background } = batch();
  const explainer = await openExplainer(
    references.map((reference) => ({ ...reference, baseFolder: folder, threads: 1 })),
    background,
  );
  return { explainer, read };
}

test('trees without counts are explained by the batch, and say so', async () => {
  const ensemble = randomEnsemble(3, SHAPE);
  const uncounted = { ...ensemble, trees: ensemble.trees.map((tree) => ({ ...tree, cover: tree.cover.map(() => 1) })) };
  const { explainer, read } = await open(graph([regressor(uncounted, 'raw')]));
  expect(read).toEqual([ROWS]);
  expect(explainer.measure).toMatch(/over 50 customers of this batch, as the model does not say how many rows/);
  expect(explainer.typicalOf).toMatch(/the median of the customers who were scored/);
  expect([...explainer.typical]).toEqual([...MEDIANS]);
  const { contributions, expected } = await explainer.explain(features, ROWS);
  const wanted = treeShap(withCovers(ensemble, features, ROWS), features, ROWS);
  expect(expected).toBeCloseTo(wanted.expected, 5);
  for (const [place, value] of wanted.values.entries()) expect(contributions[place]).toBeCloseTo(value, 5);
});

test('trees with counts do not read the batch', async () => {
  const { explainer, read } = await open(graph([regressor(randomEnsemble(3, SHAPE), 'raw')]));
  expect(read).toEqual([]);
  expect(explainer.measure).toMatch(/over the rows that it was trained on; .*\(Sigmoid\)/);
});

test('a missing value that the graph fills is explained as what it is filled with, which is what is typical', async () => {
  const ensemble = randomEnsemble(3, SHAPE);
  const { explainer } = await open(graph([...filling, regressor(ensemble, 'raw', [], 'filled')]));
  expect([...explainer.typical]).toEqual([...Float32Array.of(0.1, 0.2, 0.3)]);
  const missing = await explainer.explain(Float32Array.of(Number.NaN, 0.5, Number.NaN), 1);
  const filled = await explainer.explain(Float32Array.of(0.1, 0.5, 0.3), 1);
  expect([...missing.contributions]).toEqual([...filled.contributions]);
});

test('what the JSON beside the model calls typical comes first', async () => {
  const ensemble = randomEnsemble(3, SHAPE);
  const { explainer } = await open(graph([...filling, regressor(ensemble, 'raw', [], 'filled')]), [7, 8, 9]);
  expect([...explainer.typical]).toEqual([7, 8, 9]);
  await expect(open(graph([regressor(ensemble, 'raw')]), [7, 8])).rejects.toMatchObject({
    code: 'HF_MODEL_REFUSED',
    message: expect.stringMatching(/2 typical values for 3 features/),
  });
});

test('a program whose models are elsewhere has no reasons', async () => {
  const remote = { modelId: 'churn', endpoint: 'sagemaker://churn', features: names, baseFolder: folder, threads: 1 };
  await expect(openExplainer([remote], batch().background)).rejects.toMatchObject({ code: 'HF_PROVIDER_UNAVAILABLE' });
});
