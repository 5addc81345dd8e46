import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type ScoringModel, writeModel } from '../../test/support/models.ts';
import { externalTensor, identityModel, linearModel, model, node } from '../../test/support/onnx.ts';
import { loadModel } from './index.ts';
import type { ModelReferenceOf } from './model.ts';
import type { onnxParameters } from './onnx/parameters.ts';

type Reference = ModelReferenceOf<typeof onnxParameters>;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-models-'));
});
afterEach(() => rm(folder, { recursive: true }));

const reference = (scoring: ScoringModel, change: Partial<Reference> = {}): Reference => ({
  ...scoring,
  baseFolder: folder,
  threads: 1,
  ...change,
});
const RISK = { modelId: 'churn', features: ['a', 'b'] };

test('a churn-risk model gives one score for each row, in order', async () => {
  const loaded = await loadModel(reference(await writeModel(folder, linearModel([1, -1], 0), RISK)));
  const scores = await loaded.score(Float32Array.of(0, 0, 2, 1, Number.NaN, 0), 3);
  expect([...scores].map((score) => score.toFixed(4))).toEqual(['0.5000', '0.7311', 'NaN']);
  expect(loaded.outputs).toBe(1);
  await loaded.close();
});

test('an offer-effectiveness model gives one score for each kind', async () => {
  const manifest = { modelId: 'offers', features: ['a', 'b'], kinds: ['discount', 'upgrade'] };
  const loaded = await loadModel(reference(await writeModel(folder, identityModel(2), manifest)));
  expect([...(await loaded.score(Float32Array.of(1, 2, 3, 4), 2))]).toEqual([1, 2, 3, 4]);
  expect(loaded.outputs).toBe(2);
  await loaded.close();
});

test('a batch may be shorter than the array that holds it, and empty', async () => {
  const loaded = await loadModel(reference(await writeModel(folder, linearModel([0, 0], 0), RISK)));
  expect(await loaded.score(new Float32Array(20), 3)).toHaveLength(3);
  expect(await loaded.score(new Float32Array(20), 0)).toHaveLength(0);
  await loaded.close();
});

/** So many rows that the model starts threads of its own on the way. */
test('many rows, several batches at once, have the scores that one thread gives them, each its own', async () => {
  const bytes = await readFile(join(import.meta.dirname, '../../examples/models/churn-risk-v6.onnx'));
  const features = Array.from({ length: 11 }, (_, index) => `feature_${index}`);
  const scoring = await writeModel(folder, bytes, { modelId: 'trees', features });
  const [rows, batch] = [30_000, 500];
  const values = Float32Array.from({ length: rows * features.length }, (_, place) => ((place * 7919) % 104_729) / 1000);
  const scored: Float32Array[] = [];
  for (const threads of [1, 3]) {
    const loaded = await loadModel(reference(scoring, { threads }));
    expect(loaded.concurrency).toBe(threads);
    const scores = new Float32Array(rows);
    const starts = Array.from({ length: rows / batch }, (_, index) => index * batch);
    await Promise.all(
      starts.map(async (start) => {
        const part = values.subarray(start * features.length, (start + batch) * features.length);
        scores.set(await loaded.score(part, batch), start);
      }),
    );
    await loaded.close();
    scored.push(scores);
  }
  expect(new Set(scored[0]).size).toBeGreaterThan(50);
  expect(scored[1]).toEqual(scored[0]);
});

test('a batch that a thread cannot score is refused, and the model goes on', async () => {
  const loaded = await loadModel(reference(await writeModel(folder, linearModel([1, -1], 0), RISK), { threads: 2 }));
  const rows = 30_001;
  await loaded.score(new Float32Array(2 * rows), rows);
  // Fewer values than the rows want.
  await expect(loaded.score(new Float32Array(2), 2)).rejects.toMatchObject({
    code: 'HF_MODEL_REFUSED',
    message: expect.stringContaining('ONNX Runtime cannot run it'),
  });
  expect([...(await loaded.score(Float32Array.of(0, 0), 1))]).toEqual([0.5]);
  await loaded.close();
});

/** A thread that is ended by force while it loads the model, or scores, takes the whole process with it. */
test('a model is closed while its threads start and while they score, and what they hold is answered', async () => {
  const bytes = await readFile(join(import.meta.dirname, '../../examples/models/churn-risk-v6.onnx'));
  const features = Array.from({ length: 11 }, (_, index) => `feature_${index}`);
  const scoring = await writeModel(folder, bytes, { modelId: 'trees', features });
  const rows = 30_001;
  const values = new Float32Array(rows * features.length);
  for (const batches of [1, 4, 9]) {
    const loaded = await loadModel(reference(scoring, { threads: 4 }));
    const scores = Promise.all(Array.from({ length: batches }, () => loaded.score(values, rows)));
    await loaded.close();
    expect((await scores).map((batch) => batch.length)).toEqual(Array(batches).fill(rows));
  }
});

/** The runtime itself adds up trees in another order for other numbers of rows and threads. */
test('a row has the same score, to the bit, whatever the threads and the rows beside it', async () => {
  const bytes = await readFile(join(import.meta.dirname, '../../examples/models/churn-risk-v6.onnx'));
  const features = Array.from({ length: 11 }, (_, index) => `feature_${index}`);
  const scoring = await writeModel(folder, bytes, { modelId: 'trees', features });
  const rows = 300;
  const values = Float32Array.from({ length: rows * features.length }, (_, place) => (place * 7919) % 61);
  const scored: Float32Array[] = [];
  for (const threads of [1, 2, 4]) {
    for (const batch of [300, 41, 1]) {
      const loaded = await loadModel(reference(scoring, { threads }));
      const scores = new Float32Array(rows);
      for (let start = 0; start < rows; start += batch) {
        const count = Math.min(batch, rows - start);
        scores.set(await loaded.score(values.subarray(start * features.length), count), start);
      }
      await loaded.close();
      scored.push(scores);
    }
  }
  expect(new Set(scored[0]).size).toBeGreaterThan(5);
  for (const scores of scored) expect(scores).toEqual(scored[0]);
});

test.each([
  ['relative to the manifest', () => 'onnx://sub%20folder/churn.onnx', ''],
  ['absolute', () => `onnx://${folder}/sub%20folder/churn.onnx`, '/nowhere'],
  ['beside the folder of the manifest', () => 'onnx://../sub%20folder/churn.onnx', 'manifests'],
])('an endpoint may be %s', async (_kind, endpoint, base) => {
  await mkdir(join(folder, 'sub folder'));
  const scoring = await writeModel(join(folder, 'sub folder'), linearModel([0, 0], 0), RISK);
  const baseFolder = base.startsWith('/') ? base : join(folder, base);
  const loaded = await loadModel(reference(scoring, { endpoint: endpoint(), baseFolder }));
  expect(loaded.manifest.modelId).toBe('churn');
  await loaded.close();
});

const external = model({
  nodes: [node('MatMul', ['features', 'weights'], ['scores'])],
  initializers: [externalTensor('weights', [2, 1], 'secrets.bin')],
  input: ['N', 2],
  output: ['N', 1],
});
const shaped = (input: (number | string)[], output: (number | string)[], elementType?: number) =>
  model({ nodes: [node('Identity', ['features'], ['scores'])], input, output, ...(elementType && { elementType }) });
const DOUBLE = 11;

test.each([
  [
    'a provider that this version has not',
    linearModel([0, 0], 0),
    {},
    { endpoint: 'sagemaker://churn' },
    'HF_PROVIDER_UNAVAILABLE',
    /sagemaker:\/\/.*onnx:\/\//,
  ],
  [
    'a scheme that is a word of the language',
    linearModel([0, 0], 0),
    {},
    { endpoint: 'constructor://churn' },
    'HF_PROVIDER_UNAVAILABLE',
    /constructor/,
  ],
  [
    'a file that is not there',
    linearModel([0, 0], 0),
    {},
    { endpoint: 'onnx://other.onnx' },
    'HF_MODEL_MISSING',
    /other\.onnx does not exist/,
  ],
  ['a folder', linearModel([0, 0], 0), {}, { endpoint: 'onnx://.' }, 'HF_MODEL_MISSING', /is not a file/],
  [
    'a path with a broken escape',
    linearModel([0, 0], 0),
    {},
    { endpoint: 'onnx://%zz' },
    'HF_MODEL_MISSING',
    /not a valid URI/,
  ],
  [
    'another digest in the program',
    linearModel([0, 0], 0),
    {},
    { sha256: '0123456789ab'.padEnd(64, '0') },
    'HF_MODEL_DIGEST_MISMATCH',
    /SHA-256 [0-9a-f]{12}….*the program pins 0123456789ab…/,
  ],
  [
    'another digest in its manifest',
    linearModel([0, 0], 0),
    { sha256: 'f'.repeat(64) },
    {},
    'HF_MODEL_DIGEST_MISMATCH',
    /churn\.json pins f{12}…/,
  ],
  [
    'another name in its manifest',
    linearModel([0, 0], 0),
    {},
    { modelId: 'churn-2', endpoint: 'onnx://churn.onnx' },
    'HF_MODEL_REFUSED',
    /that of churn\./,
  ],
  [
    'features in another order',
    linearModel([0, 0], 0),
    {},
    { features: ['b', 'a'] },
    'HF_MODEL_REFUSED',
    /feature 1 is a in the model and b in the program/,
  ],
  [
    'fewer features in the program',
    linearModel([0, 0], 0),
    {},
    { features: ['a'] },
    'HF_MODEL_REFUSED',
    /feature 2 is b in the model and missing/,
  ],
  [
    'more features in the program',
    linearModel([0, 0], 0),
    {},
    { features: ['a', 'b', 'c'] },
    'HF_MODEL_REFUSED',
    /feature 3 is missing in the model and c/,
  ],
  ['an unknown role', linearModel([0, 0], 0), { role: 'other' as 'churn-risk' }, {}, 'HF_MODEL_REFUSED', /role/],
  [
    'no kinds where it needs them',
    linearModel([0, 0], 0),
    { role: 'offer-effectiveness' as const },
    {},
    'HF_MODEL_REFUSED',
    /no kinds/,
  ],
  ['values in another file', external, {}, {}, 'HF_MODEL_REFUSED', /"weights" in another file/],
  ["ONNX Runtime's own format", Buffer.from('\x08\0\0\0ORTM...'), {}, {}, 'HF_MODEL_REFUSED', /ORT format/],
  ['bytes that are not a model', Buffer.from('<html>'), {}, {}, 'HF_MODEL_REFUSED', /not an ONNX model/],
  ['an empty file', Buffer.alloc(0), {}, {}, 'HF_MODEL_REFUSED', /is empty/],
  [
    'what Git LFS left in its place',
    Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'),
    {},
    {},
    'HF_MODEL_REFUSED',
    /git lfs pull/,
  ],
  [
    'an opset of the future',
    model({ nodes: [node('Identity', ['features'], ['scores'])], input: ['N', 1], output: ['N', 1], opset: 99 }),
    { features: ['a'] },
    {},
    'HF_MODEL_REFUSED',
    /opset 99 of ai\.onnx, and this runtime reads up to \d+: export it with that\.$/,
  ],
  [
    'two outputs of which either could be the risk',
    model({
      nodes: [node('Identity', ['features'], ['stays']), node('Identity', ['features'], ['leaves'])],
      input: ['N', 1],
      output: ['N', 1],
      outputNames: ['stays', 'leaves'],
    }),
    { features: ['a'] },
    {},
    'HF_MODEL_REFUSED',
    /outputs stays and leaves both fit: keep the one that is the risk/,
  ],
  [
    'another JSON beside it than the program pins',
    linearModel([0, 0], 0),
    {},
    { manifestSha256: 'ab'.padEnd(64, '0') },
    'HF_MODEL_DIGEST_MISMATCH',
    /churn\.json has SHA-256 .*the program \(manifestSha256\) pins ab0+…/,
  ],
  [
    'an operator that does not exist',
    model({ nodes: [node('Conjure', ['features'], ['scores'])], input: ['N', 2], output: ['N', 1] }),
    {},
    {},
    'HF_MODEL_REFUSED',
    /operator \S*Conjure is not known to this runtime/,
  ],
  [
    'doubles for input',
    shaped(['N', 2], ['N', 2], DOUBLE),
    {},
    {},
    'HF_MODEL_REFUSED',
    /input features float64 \[N, 2\] is not float32/,
  ],
  [
    'one column too many for its features',
    shaped(['N', 3], ['N', 3]),
    {},
    {},
    'HF_MODEL_REFUSED',
    /not float32 \[N, 2\]/,
  ],
  ['a fixed batch', shaped([1, 2], [1, 2]), {}, {}, 'HF_MODEL_REFUSED', /not float32 \[N, 2\]/],
  [
    'two outputs for one risk',
    shaped(['N', 2], ['N', 2]),
    {},
    {},
    'HF_MODEL_REFUSED',
    /output scores float32 \[N, 2\] is not float32 \[N, 1\]; it has a column for each class: keep the second/,
  ],
])('a model with %s is refused', async (_fault, bytes, manifest, change, code, message) => {
  const scoring = await writeModel(folder, bytes, { ...RISK, ...manifest });
  await expect(loadModel(reference(scoring, change))).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});

test.each([
  ['is not there', undefined, 'HF_MODEL_MISSING', /churn\.json does not exist/],
  ['is not JSON', '{', 'HF_MODEL_REFUSED', /churn\.json is not JSON/],
  ['is a list', '[]', 'HF_MODEL_REFUSED', /not a model manifest: it must be object/],
  ['lacks most of it', '{"modelId": 3}', 'HF_MODEL_REFUSED', /required property 'features'.*modelId must be string/],
])('a model whose manifest %s is refused', async (_fault, text, code, message) => {
  const scoring = await writeModel(folder, linearModel([0, 0], 0), RISK);
  await rm(join(folder, 'churn.json'));
  if (text !== undefined) await writeFile(join(folder, 'churn.json'), text);
  await expect(loadModel(reference(scoring))).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test('a model that changes after it was loaded scores as before', async () => {
  const scoring = await writeModel(folder, linearModel([1, 1], 0), RISK);
  const loaded = await loadModel(reference(scoring));
  await appendFile(join(folder, 'churn.onnx'), 'changed');
  expect([...(await loaded.score(Float32Array.of(0, 0), 1))]).toEqual([0.5]);
  await loaded.close();
  await expect(loadModel(reference(scoring))).rejects.toMatchObject({ code: 'HF_MODEL_DIGEST_MISMATCH' });
});
