import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { writeModel } from '../../../test/support/models.ts';
import { attribute, integers, linearModel, model, node, tensor } from '../../../test/support/onnx.ts';
import { classifier, newestEnsemble, regressor } from '../../../test/support/tree-models.ts';
import { randomEnsemble, randomRows } from '../../../test/support/trees.ts';
import { loadModel } from '../index.ts';
import { readGraph } from '../onnx/graph.ts';
import { loadOnnxRuntime, SESSION, scoreBatch } from '../onnx/runtime.ts';
import { NotTrees } from './ensemble.ts';
import { scoreMargin } from './margin.ts';
import { hasCovers, margins } from './tree.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-margin-'));
});
afterAll(() => rm(folder, { recursive: true }));

const SHAPE = { width: 4, branches: 8, trees: 5, missing: 0.2 };
const ensemble = randomEnsemble(7, { ...SHAPE, splits: 6 });
const smooth = randomEnsemble(7, SHAPE);
const ROWS = 200;
const features = randomRows(8, ROWS, SHAPE);

const graph = (nodes: readonly Uint8Array[], initializers: readonly Uint8Array[] = [], opset = 13, learnedOpset = 3) =>
  model({ nodes, initializers, input: ['N', SHAPE.width], output: ['N', 1], opset, learnedOpset });
const second = integers('second', [1], [1]);
const first = integers('first', [1], [0]);
const pick = (index: string) => node('Gather', ['both', index], ['scores'], [attribute.int('axis', 1)]);
const zeroth = (value: number) => [[0, value]] as const;
const one = (value: number) => [[1, value]] as const;
const both = (value: number) =>
  [
    [0, 1 - value],
    [1, value],
  ] as const;
const row = (name: string, ...values: number[]) => tensor(name, [1, values.length], values);

const same = (margin: number) => margin;
const sigmoid = (margin: number) => 1 / (1 + Math.exp(-margin));

describe('the score is a function of the margin that never falls', () => {
  test.each<[string, Buffer, ((margin: number) => number)?]>([
    ['of a regressor alone', graph([regressor(ensemble, 'scores')]), same],
    [
      'of an average',
      graph([regressor({ ...ensemble, base: 0 }, 'scores', [attribute.text('aggregate_function', 'AVERAGE')])]),
      same,
    ],
    ['before a sigmoid', graph([regressor(ensemble, 'raw'), node('Sigmoid', ['raw'], ['scores'])]), sigmoid],
    [
      'before one minus a sigmoid',
      graph(
        [regressor(ensemble, 'raw'), node('Sigmoid', ['raw'], ['stays']), node('Sub', ['one', 'stays'], ['scores'])],
        [tensor('one', [1], [1])],
      ),
      sigmoid,
    ],
    [
      'before an isotonic calibration',
      graph(
        [
          regressor(smooth, 'raw'),
          node('Max', ['raw', 'low'], ['above']),
          node('Min', ['above', 'high'], ['within']),
          node('Sub', ['within', 'low'], ['climbed']),
          node('MatMul', ['climbed', 'slopes'], ['rise']),
          node('Add', ['rise', 'level'], ['level-and-rise']),
          node('Clip', ['level-and-rise', '', 'most'], ['scores']),
        ],
        [
          row('low', -1, 0, 1),
          row('high', 0, 1, 2),
          tensor('slopes', [3, 1], [0.1, 0, 0.4]),
          tensor('level', [1], [0.2]),
          tensor('most', [], [0.6]),
        ],
      ),
    ],
    [
      'behind a filling of missing values',
      graph(
        [
          node('IsNaN', ['features'], ['missing']),
          node('Where', ['missing', 'medians', 'features'], ['filled']),
          regressor(ensemble, 'scores', [], 'filled'),
        ],
        [row('medians', 0.1, 0.2, 0.3, 0.4)],
      ),
      same,
    ],
    [
      'of the second class, when only its weights are given',
      graph([classifier(smooth, 'both', one, 'LOGISTIC'), pick('second')], [second]),
      sigmoid,
    ],
    [
      'of the second class, when only the weights of the first are given',
      graph([classifier(smooth, 'both', zeroth, 'LOGISTIC'), pick('second')], [second]),
      sigmoid,
    ],
    [
      'of the first class, when only its weights are given',
      graph([classifier(smooth, 'both', zeroth, 'LOGISTIC'), pick('first')], [first]),
      sigmoid,
    ],
    [
      'of a class by the difference of two',
      graph([classifier(smooth, 'both', both, 'SOFTMAX'), pick('second')], [second]),
      sigmoid,
    ],
    [
      'of a class that has its own weights',
      graph([classifier(smooth, 'both', both, 'NONE'), pick('first')], [first]),
      same,
    ],
    ['of the newest operator', graph([newestEnsemble(ensemble, 'scores')], [], 21, 5), same],
  ])('%s', async (...[, bytes, exactly]) => {
    const { ensemble: found, fill } = scoreMargin(readGraph(bytes), SHAPE.width);
    const loaded = await loadModel({
      ...(await writeModel(folder, bytes, { modelId: 'churn', features: ['a', 'b', 'c', 'd'] })),
      baseFolder: folder,
      threads: 1,
    });
    const scores = await loaded.score(features, ROWS);
    const filled = features.map((value, place) => (fill && Number.isNaN(value) ? fill[place % SHAPE.width]! : value));
    const raw = margins(found, filled, ROWS);
    const order = [...raw.keys()].sort((one, other) => raw[one]! - raw[other]!);
    const falls = order.slice(1).filter((row, index) => scores[row]! < scores[order[index]!]! - 1e-6);
    expect(falls).toEqual([]);
    if (exactly !== undefined)
      for (const [row, margin] of raw.entries()) expect(scores[row]).toBeCloseTo(exactly(margin), 5);
    // Not for want of differences.
    expect(new Set(scores).size).toBeGreaterThan(10);
    await loaded.close();
  });

  test.each(['LOGISTIC', 'SOFTMAX', 'SOFTMAX_ZERO'])(
    'this ONNX Runtime leaves %s over one target out, which is why such a model is refused',
    async (transform) => {
      const bytes = graph([regressor(ensemble, 'scores', [attribute.text('post_transform', transform)])]);
      const { InferenceSession, Tensor } = await loadOnnxRuntime({});
      const session = await InferenceSession.create(bytes, SESSION);
      const names = { input: 'features', output: 'scores', width: SHAPE.width };
      const scores = await scoreBatch(Tensor, session, names, features, ROWS);
      const plain = scoreMargin(readGraph(graph([regressor(ensemble, 'scores')])), SHAPE.width);
      const apart = margins(plain.ensemble, features, ROWS).map((margin, row) => Math.abs(margin - scores[row]!));
      expect(Math.max(...apart)).toBeLessThan(1e-5);
      await session.release();
      const scoring = await writeModel(folder, bytes, { modelId: 'left-out', features: ['a', 'b', 'c', 'd'] });
      await expect(loadModel({ ...scoring, baseFolder: folder, threads: 1 })).rejects.toMatchObject({
        code: 'HF_MODEL_REFUSED',
        message: expect.stringMatching(/over one target.*Sigmoid node/),
      });
    },
  );

  test('of the example model, which fills missing values and ends in a calibration', async () => {
    const bytes = await readFile(join(import.meta.dirname, '../../../examples/models/churn-risk-v6.onnx'));
    const { ensemble: trees, fill, after } = scoreMargin(readGraph(bytes), 11);
    expect(trees.trees).toHaveLength(100);
    expect(hasCovers(trees)).toBe(true);
    expect(fill).toHaveLength(11);
    expect(after).toEqual(['Max', 'Min', 'Sub', 'MatMul', 'Add', 'Clip']);
  });
});

describe('what is not such a function is refused, with the reason:', () => {
  const raw = regressor(ensemble, 'raw');
  test.each([
    ['no trees', linearModel([1, 2, 3, 4], 0), /no trees/],
    [
      'a calibration that falls somewhere',
      graph(
        [raw, node('Max', ['raw', 'low'], ['above']), node('MatMul', ['above', 'slopes'], ['scores'])],
        [row('low', 0, 1), tensor('slopes', [2, 1], [1, -1])],
      ),
      /not a monotone function/,
    ],
    ['a square', graph([raw, node('Mul', ['raw', 'raw'], ['scores'])]), /not a monotone function/],
    [
      'a constant divided by it',
      graph([raw, node('Div', ['one', 'raw'], ['scores'])], [tensor('one', [1], [1])]),
      /not a monotone function/,
    ],
    [
      'a sum with a feature',
      graph([
        raw,
        node('ReduceMax', ['features'], ['most'], [attribute.ints('axes', [1])]),
        node('Add', ['raw', 'most'], ['scores']),
      ]),
      /not a monotone function/,
    ],
    [
      'trees behind scaled features',
      graph(
        [node('Mul', ['features', 'two'], ['scaled']), regressor(ensemble, 'scores', [], 'scaled')],
        [tensor('two', [1], [2])],
      ),
      /do not read the features as they are/,
    ],
    [
      'two ensembles',
      graph([raw, regressor(ensemble, 'other'), node('Add', ['raw', 'other'], ['scores'])]),
      /several ensembles/,
    ],
    [
      'the least of the trees',
      graph([regressor(ensemble, 'scores', [attribute.text('aggregate_function', 'MIN')])]),
      /not added up/,
    ],
    [
      'splits by sets',
      graph(
        [
          node(
            'TreeEnsemble',
            ['features'],
            ['scores'],
            [
              // 6 is membership in a set.
              attribute.tensor('nodes_modes', integers('modes', [1], [6], 2)),
              attribute.tensor('nodes_splits', tensor('splits', [1], [1])),
            ],
            'ai.onnx.ml',
          ),
        ],
        [],
        21,
        5,
      ),
      /split by sets/,
    ],
    ['both classes', graph([classifier(smooth, 'scores', one, 'LOGISTIC')]), /not a monotone function/],
  ])('%s', (_kind, bytes, reason) => {
    const found = () => scoreMargin(readGraph(bytes), SHAPE.width);
    expect(found).toThrow(NotTrees);
    expect(found).toThrow(reason);
  });
});

test('damaged models are refused, never misread into a crash', async () => {
  const whole = await readFile(join(import.meta.dirname, '../../../test/fixtures/tree-shap/lightgbm.onnx'));
  const outcomes: Record<string, number> = {};
  for (let seed = 1; seed <= 600; seed++) {
    const damaged = Buffer.from(whole);
    // A byte here and there, from numbers that the seed determines.
    for (const value of randomRows(seed, 2 + (seed % 5), { width: 2, branches: 0, trees: 0 })) {
      damaged[Math.floor((value * 7919 * seed) % whole.length)] = Math.floor((value * 104_729 * seed) % 256);
    }
    const bytes = seed % 3 === 0 ? damaged.subarray(0, Math.floor((whole.length * seed) / 700)) : damaged;
    try {
      const { ensemble } = scoreMargin(readGraph(bytes), 6);
      margins(ensemble, new Float32Array(60), 10);
      outcomes['read'] = (outcomes['read'] ?? 0) + 1;
    } catch (error) {
      const { name } = (error as Error).constructor;
      outcomes[name] = (outcomes[name] ?? 0) + 1;
    }
  }
  expect(Object.keys(outcomes).sort()).toEqual(['MalformedModel', 'NotTrees', 'read']);
});
