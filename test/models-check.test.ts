import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { sigmoid } from '../base/math/logistic.ts';
import { randomNumbers } from '../base/math/random-numbers.ts';
import { writeModel } from './support/models.ts';
import { externalTensor, identityModel, linearModel, model, node } from './support/onnx.ts';
import { regressor } from './support/tree-models.ts';
import { randomEnsemble } from './support/trees.ts';
import { holdfast, workspace } from './support/workspace.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-check-test-'));
});
afterEach(() => rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
const check = (...args: string[]) => holdfast(['models', 'check', ...args]);

interface Report {
  usable: boolean;
  models: {
    faults: { code: string; reason: string }[];
    warnings: string[];
    sha256: string;
    rowsPerSecond: number;
    operators: object;
  }[];
  measured: {
    auc: number;
    rows: number;
    gaps: object;
    doubts: string[];
    unlabelled: number;
    reliability: { baseRate: number; brier: number; calibrationError: number; bins: { rows: number }[] };
  };
}

async function json(...args: string[]): Promise<{ status: number; report: Report }> {
  const { status, stdout, stderr } = await check(...args, '--output', 'json');
  if (stdout === '') throw new Error(stderr);
  return { status, report: JSON.parse(stdout) as Report };
}

const RISK = { modelId: 'risk', features: ['tenure', 'logins'] };

test('a usable model has its digest, shapes, operators and speed, and a snippet that a program takes as it is', async () => {
  const { sha256 } = await writeModel(folder, linearModel([1, -1], 0), RISK);
  const manifestSha256 = createHash('sha256')
    .update(await readFile(at('risk.json')))
    .digest('hex');
  const { status, stdout } = await check(at('risk.onnx'));
  expect(status).toBe(0);
  expect(stdout).toMatch(/^usable .*risk\.onnx$/m);
  expect(stdout).toMatch(/^input +features {2}float32 \[N, 2\]$/m);
  expect(stdout).toMatch(/^output +scores {2}float32 \[N, 1\]$/m);
  expect(stdout).toMatch(/^operators +Add, MatMul, Sigmoid$/m);
  expect(stdout).toMatch(/^speed +[\d,]+ rows\/s/m);
  const snippet = parse(stdout.slice(stdout.indexOf('scoringModels:'))) as { scoringModels: object[] };
  expect(snippet.scoringModels).toMatchObject([{ modelId: 'risk', sha256, manifestSha256, features: RISK.features }]);
});

test('every reason for refusal is given, not only the first', async () => {
  await writeModel(folder, linearModel([1, -1], 0), { ...RISK, sha256: 'a'.repeat(64) });
  await writeFile(at('risk.onnx'), linearModel([1, -1, 2], 5));
  const { status, report } = await json(at('risk.onnx'), '--features', 'logins,tenure');
  expect(status).toBe(78);
  expect(report.usable).toBe(false);
  expect(report.models[0]?.faults.map(({ code, reason }) => `${code} ${reason}`)).toEqual([
    expect.stringMatching(/^HF_MODEL_DIGEST_MISMATCH the file has SHA-256 .* the JSON beside it pins aaaaaaaaaaaa…$/),
    'HF_MODEL_REFUSED feature 1 is tenure in the JSON and logins in what was given',
    'HF_MODEL_REFUSED feature 2 is logins in the JSON and tenure in what was given',
    'HF_MODEL_REFUSED input features float32 [N, 3] is not float32 [N, 2], one column per feature',
  ]);
});

test.each<[string, Buffer, string[], RegExp[]]>([
  ['bytes that are no model', Buffer.from('hello'), ['--features', 'a'], [/does not exist/, /is not an ONNX model/]],
  [
    'values in another file',
    model({
      nodes: [node('Add', ['features', 'w'], ['scores'])],
      initializers: [externalTensor('w', [1], '../secret')],
      input: ['N', 1],
      output: ['N', 1],
    }),
    ['--features', 'a'],
    [/does not exist/, /in another file/],
  ],
  [
    'a risk outside 0 to 1',
    identityModelTimes(3),
    ['--features', 'a'],
    [/does not exist/, /of 1000 random rows something other than a number from 0 to 1/],
  ],
  [
    'two columns for one risk',
    identityModel(2),
    ['--features', 'a,b'],
    [/does not exist/, /output scores float32 \[N, 2\] is not/],
  ],
  ['features that nobody named', linearModel([1, 1, 1], 0), [], [/does not exist/, /name its 3 with --features/]],
])('%s is refused', async (_, bytes, options, reasons) => {
  await writeFile(at('m.onnx'), bytes);
  const { status, report } = await json(at('m.onnx'), ...options);
  expect(status).toBe(78);
  expect(report.models[0]?.faults.map(({ reason }) => reason)).toEqual(
    reasons.map((reason) => expect.stringMatching(reason)),
  );
});

function identityModelTimes(times: number): Buffer {
  const nodes = Array.from({ length: times }, (_, index) =>
    node('Add', index === 0 ? ['features', 'features'] : [`v${index}`, `v${index}`], [
      index === times - 1 ? 'scores' : `v${index + 1}`,
    ]),
  );
  return model({ nodes, input: ['N', 1], output: ['N', 1] });
}

test('a model that cannot do without a value is usable, with a warning', async () => {
  await writeModel(folder, linearModel([1, -1], 0), { ...RISK, calibrated: false });
  const { status, report } = await json(at('risk.onnx'));
  expect(status).toBe(0);
  expect(report.models[0]?.warnings).toEqual([
    expect.stringMatching(/not calibrated/),
    expect.stringMatching(/missing values gets no score/),
  ]);
});

/** Rows of which the model's own probability decides who left, but for `bias` in the log-odds. */
async function labelledRows(bias: number): Promise<string> {
  const random = randomNumbers(6);
  const lines = Array.from({ length: 4000 }, (_, row) => {
    const [tenure, logins] = [random() * 6 - 3, random() * 2 - 1];
    const left = random() < sigmoid(tenure - logins + bias);
    return `${row},${logins},${tenure},${row % 500 === 0 ? '' : left ? 'Yes' : 'No'}`;
  });
  await writeFile(at('labelled.csv'), `customer_id,Logins,tenure,churned\n${lines.join('\n')}\n`);
  return at('labelled.csv');
}

test.each(['abgewandert', 'gekündigt', 'gone'])(
  'a label that init knows by its name, %s, is known here',
  async (name) => {
    await writeModel(folder, linearModel([1, -1], 0), RISK);
    const data = await labelledRows(0);
    await writeFile(data, (await readFile(data, 'utf8')).replace('churned', name));
    const { report } = await json(at('risk.onnx'), '--data', data);
    expect(report.measured.rows).toBe(3992);
  },
);

test('labels measure it, and the picture shows what was measured', async () => {
  await writeModel(folder, linearModel([1, -1], 0), RISK);
  const data = await labelledRows(0);
  const { report } = await json(at('risk.onnx'), '--data', data, '--plot', at('r.svg'));
  const { rows, unlabelled, auc, reliability } = report.measured;
  expect([rows, unlabelled]).toEqual([3992, 8]);
  expect(auc).toBeGreaterThan(0.75);
  expect(reliability.calibrationError).toBeLessThan(0.03);
  const svg = await readFile(at('r.svg'), 'utf8');
  expect(svg.match(/<circle /g)).toHaveLength(reliability.bins.filter((bin) => bin.rows > 0).length);
  expect(svg).toContain(`AUC ${auc.toFixed(3)}`);
  const { stdout } = await check(at('risk.onnx'), '--data', data, '--label', 'churned=Yes');
  expect(stdout).toMatch(/^measured +3,992 rows, of whom 5\d\.\d % left \(churned\); 8 rows without a label$/m);
  expect(stdout).toMatch(/0\.9–1\.0 .*│.*●.*│/);
});

test('ten rows, ties and missing labels have the figures that are worked out by hand', async () => {
  await writeModel(folder, linearModel([1, 0], 0), RISK);
  // Four scores, of which two are tied over both outcomes; two rows say nothing.
  const rows = [
    [-2, 0],
    [-2, 1],
    [0, 0],
    [0, 1],
    [0, 1],
    [0, 0],
    [1, 1],
    [1, 0],
    [3, 1],
    [3, 1],
    [3, ''],
    [-2, ''],
  ] as const;
  const file = at('ten.csv');
  await writeFile(file, `tenure,logins,churned\n${rows.map(([tenure, left]) => `${tenure},0,${left}`).join('\n')}\n`);
  const { report } = await json(at('risk.onnx'), '--data', file, '--label', 'churned');
  const known = rows.flatMap(([tenure, left]) => (left === '' ? [] : [{ score: sigmoid(tenure), left }]));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const pairs = known
    .filter(({ left }) => left === 1)
    .flatMap(({ score }) =>
      known.filter(({ left }) => left === 0).map((other) => (Math.sign(score - other.score) + 1) / 2),
    );
  const { rows: count, unlabelled, auc, reliability } = report.measured;
  expect([count, unlabelled]).toEqual([10, 2]);
  expect(auc).toBeCloseTo(mean(pairs), 12);
  expect(reliability).toMatchObject({ baseRate: 0.6 });
  expect(reliability.brier).toBeCloseTo(mean(known.map(({ score, left }) => (score - left) ** 2)), 6);
  const bins = [...Map.groupBy(known, ({ score }) => Math.floor(score * 10)).values()];
  const distances = bins.map(
    (bin) => Math.abs(mean(bin.map(({ score }) => score)) - mean(bin.map(({ left }) => left))) * (bin.length / 10),
  );
  expect(reliability.calibrationError).toBeCloseTo(
    distances.reduce((sum, one) => sum + one, 0),
    6,
  );
});

test('a score that is the same for all is guessing, and a file of one outcome is refused', async () => {
  await writeModel(folder, linearModel([0, 0], 0), RISK);
  const write = (outcome: (row: number) => number) =>
    writeFile(
      at('few.csv'),
      `tenure,logins,churned\n${Array.from({ length: 10 }, (_, row) => `${row},1,${outcome(row)}`).join('\n')}\n`,
    );
  await write((row) => row % 2);
  const { report } = await json(at('risk.onnx'), '--data', at('few.csv'), '--label', 'churned');
  expect(report.measured).toMatchObject({ auc: 0.5, doubts: [], reliability: { brier: 0.25, calibrationError: 0 } });
  await write(() => 1);
  const all = await check(at('risk.onnx'), '--data', at('few.csv'), '--label', 'churned=1');
  expect(all).toMatchObject({ status: 78, stderr: expect.stringMatching(/Of 10 rows with a label, everybody left/) });
});

test('a score that falls where people leave is doubted', async () => {
  await writeModel(folder, linearModel([-1, 1], 0), RISK);
  const { report } = await json(at('risk.onnx'), '--data', await labelledRows(0));
  expect(report.measured.auc).toBeLessThan(0.25);
  expect(report.measured.doubts).toEqual([expect.stringMatching(/probability of staying/)]);
});

test('a score that is almost too good is doubted', async () => {
  await writeModel(folder, linearModel([1, 0], 0), RISK);
  const rows = Array.from({ length: 200 }, (_, row) => `${row - 100},1,${Number(row > 100)}`);
  await writeFile(at('known.csv'), `tenure,logins,churned\n${rows.join('\n')}\n`);
  const { report } = await json(at('risk.onnx'), '--data', at('known.csv'));
  expect(report.measured.doubts).toEqual([expect.stringMatching(/^almost too good: does a feature know afterwards/)]);
});

test('rows with missing values are measured apart, and trees that send them all one way are doubted', async () => {
  const shape = { width: 2, branches: 8, trees: 5, missing: 0 };
  const ensemble = randomEnsemble(3, shape);
  const trees = ensemble.trees.map((tree) => ({ ...tree, missingIsYes: tree.missingIsYes.map(() => 0) }));
  const bytes = model({
    nodes: [regressor({ ...ensemble, trees }, 'margin'), node('Sigmoid', ['margin'], ['scores'])],
    input: ['N', 2],
    output: ['N', 1],
  });
  await writeModel(folder, bytes, RISK);
  const lines = Array.from(
    { length: 200 },
    (_, row) => `${row % 4 === 0 ? '' : row % 7},${row % 5},${row % 3 === 0 ? 1 : 0}`,
  );
  await writeFile(at('gaps.csv'), `tenure,logins,churned\n${lines.join('\n')}\n`);
  const { report } = await json(at('risk.onnx'), '--data', at('gaps.csv'));
  expect(report.measured.gaps).toMatchObject({ without: { rows: 150 }, with: { rows: 50 } });
  expect(report.measured.doubts).toEqual([expect.stringMatching(/sends a missing value to its true branch.*50 rows/)]);
  const { stdout } = await check(at('risk.onnx'), '--data', at('gaps.csv'));
  expect(stdout).toMatch(/of 150 rows without missing values: AUC 0\.\d{4}/);
});

test('a model that says too little is found to be off', async () => {
  await writeModel(folder, linearModel([1, -1], 0), RISK);
  const { report } = await json(at('risk.onnx'), '--data', await labelledRows(1.5), '--label', 'churned');
  expect(report.measured.reliability.calibrationError).toBeGreaterThan(0.15);
});

test.each([
  ['a feature that the data have not', 'a,tenure,churned\n1,2,yes\n2,3,no\n', /no column logins/],
  ['a feature that is text', 'logins,tenure,churned\nmany,2,yes\nfew,3,no\n', /not numbers in the file: logins/],
  ['a label that nobody has', 'logins,tenure,x\n1,2,yes\n2,3,no\n', /--label COLUMN/],
  ['only those who left', 'logins,tenure,churned\n1,2,yes\n2,3,yes\n', /HF_SOURCE_UNSUITABLE/],
])('%s is said in a sentence', async (_, content, message) => {
  await writeModel(folder, linearModel([1, -1], 0), RISK);
  await writeFile(at('data.csv'), content);
  const { status, stderr } = await check(at('risk.onnx'), '--data', at('data.csv'));
  expect({ status, stderr }).toEqual({ status: 78, stderr: expect.stringMatching(message) });
});

test('every model of a program is checked in its place, against what the program pins', async () => {
  await using shop = await workspace();
  const good = await shop.program();
  expect((await json('--program', good)).report).toMatchObject({
    usable: true,
    models: [{ modelId: 'risk' }, { modelId: 'effect' }],
  });
  const bad = await shop.program((spec) => (spec['scoringModels'][1].sha256 = 'b'.repeat(64)), 'bad.yaml');
  const { status, report } = await json('--program', bad);
  expect(status).toBe(78);
  expect(report.models.map(({ faults }) => faults.map(({ code }) => code))).toEqual([[], ['HF_MODEL_DIGEST_MISMATCH']]);
});

test.each([
  ['neither a model nor a program', []],
  ['both', ['a.onnx', '--program', 'p.yaml']],
  ['labels without data', ['a.onnx', '--label', 'x']],
  ['a feature twice', ['a.onnx', '--features', 'a,a']],
])('%s is a matter of usage', async (_, args) => {
  expect(await check(...args)).toMatchObject({ status: 78, stderr: expect.stringMatching(/HF_USAGE/) });
});
