import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  type InferenceServer,
  inferenceServer,
  json,
  type ServerOptions,
} from '../../../test/support/inference-server.ts';
import { identityModel, linearModel } from '../../../test/support/onnx.ts';
import type { Model, ModelReferenceOf } from '../model.ts';
import { onnx } from '../onnx/model.ts';
import { httpProvider } from './model.ts';
import type { httpParameters } from './parameters.ts';

type Reference = ModelReferenceOf<typeof httpParameters>;

const FEATURES = ['engagement_score', 'support_tickets', 'lifetime_value'];
const LINEAR = linearModel([-4, 1, 0.25], 3);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-remote-'));
});
afterAll(() => rm(folder, { recursive: true }));

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
});

async function server(change: Partial<ServerOptions> = {}): Promise<InferenceServer> {
  const made = await inferenceServer({ model: LINEAR, width: 3, outputs: 1, ...change });
  open.push(made);
  return made;
}

/** A reference to a model, with its manifest written and pinned. */
async function reference(endpoint: string, kinds?: readonly string[]): Promise<Reference & { manifest: string }> {
  const manifest = {
    modelId: 'risk-v7',
    role: kinds === undefined ? 'churn-risk' : 'offer-effectiveness',
    sha256: 'f'.repeat(64),
    features: FEATURES,
    calibrated: true,
    training: { from: '2025-01-01', to: '2025-12-31', rows: 1000, label: 'left within 90 days' },
    figures: { auc: 0.8 },
    ...(kinds === undefined ? {} : { kinds }),
  };
  const text = JSON.stringify(manifest);
  await writeFile(join(folder, 'risk-v7.json'), text);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return {
    modelId: 'risk-v7',
    endpoint,
    sha256,
    features: FEATURES,
    baseFolder: folder,
    threads: 1,
    manifest: 'risk-v7.json',
  };
}

/** Loads a model; what it waits for is noted, not waited for. */
async function load(
  endpoint: string,
  change: Partial<Reference> = {},
  environment: Record<string, string> = {},
  waits: number[] = [],
  kinds?: readonly string[],
): Promise<Model> {
  const provider = httpProvider(
    {
      fetch: (...request) => fetch(...request),
      wait: async (milliseconds) => waits.push(milliseconds),
      random: () => 0.5,
      now: () => new Date('2026-06-01T00:00:00Z'),
    },
    () => environment,
  );
  return provider.load({ ...(await reference(endpoint, kinds)), ...change });
}

const ROWS = Float32Array.from([0.1, 1, 900, 0.5, 0, 12.5, 0.9, 2, 1e6]);

/** What the same model says in this process. */
async function inProcess(features: Float32Array, rows: number): Promise<Float32Array> {
  const sha256 = createHash('sha256').update(LINEAR).digest('hex');
  const beside = { ...JSON.parse(JSON.stringify(await manifestOf())), modelId: 'linear', sha256 };
  await writeFile(join(folder, 'linear.onnx'), LINEAR);
  await writeFile(join(folder, 'linear.json'), JSON.stringify(beside));
  const model = await onnx.load({
    modelId: 'linear',
    endpoint: 'onnx://linear.onnx',
    sha256,
    features: FEATURES,
    baseFolder: folder,
    threads: 1,
  });
  try {
    return await model.score(features, rows);
  } finally {
    await model.close();
  }
}

async function manifestOf(): Promise<object> {
  const { readFile } = await import('node:fs/promises');
  await reference('http://x/v2/models/x');
  return JSON.parse(await readFile(join(folder, 'risk-v7.json'), 'utf8')) as object;
}

describe.each([
  ['as JSON', false],
  ['as bytes', true],
])('a model that takes tensors %s', (_sentence, binary) => {
  test('answers what it would in this process, to the bit', async () => {
    const { url } = await server({ binary });
    const model = await load(url);
    expect(await model.score(ROWS, 3)).toEqual(await inProcess(ROWS, 3));
  });

  test('is asked in batches, some at once and not all, and the answers are in order', async () => {
    const made = await server({ binary, latencyMs: 5 });
    const model = await load(made.url, { batchSize: 10 });
    const features = Float32Array.from({ length: 995 * 3 }, (_, index) => (index % 97) / 10);
    expect(await model.score(features, 995)).toEqual(await inProcess(features, 995));
    expect(made.requests.filter(({ path }) => path.endsWith('/infer'))).toHaveLength(100);
    expect(made.busiest()).toBeGreaterThan(1);
    expect(made.busiest()).toBeLessThanOrEqual(4);
  });

  test('with several outputs gives a row of them each', async () => {
    const { url } = await server({ binary, model: identityModel(3), outputs: 3 });
    const model = await load(url, {}, {}, [], ['discount', 'upgrade', 'personal_call']);
    expect(await model.score(ROWS, 3)).toEqual(ROWS);
  });

  test('of nothing is asked nothing', async () => {
    const made = await server({ binary });
    const model = await load(made.url);
    const before = made.requests.length;
    expect(await model.score(new Float32Array(0), 0)).toHaveLength(0);
    expect(made.requests).toHaveLength(before);
  });
});

test('a missing value goes as it is where bytes are taken, and is refused, by feature, where they are not', async () => {
  const rows = Float32Array.from([0.1, Number.NaN, 900, 0.5, Number.POSITIVE_INFINITY, 12]);
  const bytes = await server({ binary: true, model: identityModel(3), outputs: 3 });
  const kinds = ['a', 'b', 'c'];
  expect(await (await load(bytes.url, {}, {}, [], kinds)).score(rows, 2)).toEqual(rows);
  const text = await server();
  await expect((await load(text.url)).score(rows, 2)).rejects.toMatchObject({
    code: 'HF_MODEL_REFUSED',
    message: expect.stringMatching(/rows have none for support_tickets: fill them in/),
  });
  expect(text.rows()).toBe(0);
});

test.each([
  ['0.21.0', true],
  ['1.0.0', true],
  ['0.13.1', false],
  ['none', false],
])('KServe %s, which does not list it, takes bytes: %s', async (version, binary) => {
  const made = await server({
    binary: true,
    instead: ({ path }, response) =>
      path === '/v2' && json(response, { name: 'kserve', version, extensions: ['model_repository_extension'] }),
  });
  await (await load(made.url)).score(ROWS, 3);
  const infer = made.requests.find(({ path }) => path.endsWith('/infer'));
  expect(infer?.headers['content-type']).toBe(binary ? 'application/octet-stream' : 'application/json');
});

test('nothing is sent but features: no id, no name, and the token only as a header', async () => {
  const made = await server();
  const model = await load(made.url, {}, { HOLDFAST_MODEL_TOKEN_RISK_V7: 's3cret' });
  await model.score(ROWS, 3);
  expect(made.requests.map(({ headers }) => headers.authorization)).toEqual(made.requests.map(() => 'Bearer s3cret'));
  const infer = made.requests.find(({ path }) => path.endsWith('/infer'));
  expect(JSON.parse(infer?.body.toString() ?? '')).toEqual({
    inputs: [{ name: 'features', shape: [3, 3], datatype: 'FP32', data: Array.from(ROWS) }],
    outputs: [{ name: 'scores' }],
  });
});

test('the end of line of a secret is no part of it, and what no header can hold is refused without a word of it', async () => {
  const made = await server();
  await load(made.url, {}, { HOLDFAST_MODEL_TOKEN_RISK_V7: ' s3cret\n' });
  expect(made.requests[0]?.headers.authorization).toBe('Bearer s3cret');
  const failure = (await load(made.url, {}, { HOLDFAST_MODEL_TOKEN_RISK_V7: 's3\ncret' }).catch(
    (error: unknown) => error,
  )) as Error;
  expect(failure).toMatchObject({ code: 'HF_MODEL_REFUSED', message: expect.not.stringContaining('cret') });
  expect(failure.cause).toBeUndefined();
});

/** What the first request to an endpoint carries as its token; the error's message where there is none. */
async function tokenSentTo(endpoint: string, token = 's3cret'): Promise<string | null> {
  const sent: string[] = [];
  const world = {
    fetch: (async (_url: string, { headers }: RequestInit) => {
      sent.push(new Headers(headers).get('authorization') ?? 'nothing');
      return new Response('', { status: 404 });
    }) as typeof fetch,
    wait: async () => {},
    random: () => 0,
    now: () => new Date(),
  };
  const provider = httpProvider(world, () => ({ HOLDFAST_MODEL_TOKEN_RISK_V7: token }));
  const failure: Error = await provider.load(await reference(endpoint)).then(
    () => Promise.reject(new Error('a model that is not there was loaded')),
    (error) => error,
  );
  expect(failure.message).not.toContain('s3cret');
  return sent[0] ?? failure.message;
}

test.each([
  'https://models.example.com/v2/models/risk',
  'http://churn.models.svc:8080/v2/models/risk',
  'http://churn.models.svc.cluster.local/v2/models/risk',
  'http://localhost:8000/v2/models/risk',
  'http://127.0.0.1:8000/v2/models/risk',
  'http://[::1]:8000/v2/models/risk',
])('a token is sent to %s', async (endpoint) => {
  expect(await tokenSentTo(endpoint)).toBe('Bearer s3cret');
});

test.each([
  'http://models.example.com/v2/models/risk',
  'http://10.0.0.7:8000/v2/models/risk',
  'http://churn/v2/models/risk',
  'http://churn.models/v2/models/risk',
  'http://svc/v2/models/risk',
  'http://churn.models.svc.example/v2/models/risk',
  'http://churn.models.svc.cluster.local.example/v2/models/risk',
  'http://localhost.example/v2/models/risk',
  'http://models.example.com\\.models.svc/v2/models/risk',
  'http://models.example.com/churn.models.svc/v2/models/risk',
])('no token is sent to %s, and nothing else either', async (endpoint) => {
  expect(await tokenSentTo(endpoint)).toMatch(/HOLDFAST_MODEL_TOKEN_RISK_V7 is not sent over http:\/\/ to /);
  expect(await tokenSentTo(endpoint, '')).toBe('nothing');
});

describe('a server that is busy', () => {
  const failing = (statuses: number[], headers: Record<string, string> = {}) =>
    server({
      instead: ({ path }, response) => {
        const status = path.endsWith('/infer') ? statuses.shift() : undefined;
        if (status === undefined) return false;
        response.writeHead(status, headers).end();
        return true;
      },
    });

  test.each([429, 502, 503, 504])('with %d is asked again, later each time', async (status) => {
    const { url } = await failing([status, status, status]);
    const waits: number[] = [];
    const model = await load(url, {}, {}, waits);
    expect(await model.score(ROWS, 3)).toHaveLength(3);
    expect(waits).toEqual([250, 500, 1000]);
  });

  test('is left alone for as long as it asks, in seconds or until a date', async () => {
    const waits: number[] = [];
    const seconds = await failing([503], { 'retry-after': '7' });
    await (await load(seconds.url, {}, {}, waits)).score(ROWS, 3);
    const date = await failing([429], { 'retry-after': 'Mon, 01 Jun 2026 00:00:20 GMT' });
    await (await load(date.url, {}, {}, waits)).score(ROWS, 3);
    expect(waits).toEqual([7000, 20_000]);
  });

  test('is given up on after five tries, or at once when it wants an hour', async () => {
    const busy = await failing([503, 503, 503, 503, 503]);
    await expect((await load(busy.url)).score(ROWS, 3)).rejects.toMatchObject({
      code: 'HF_MODEL_UNREACHABLE',
      message: expect.stringMatching(/^Model risk-v7: http:\/\/127.0.0.1:\d+ answers 503 \(5 tries\)\.$/),
    });
    const waits: number[] = [];
    const away = await failing([503], { 'retry-after': '3600' });
    await expect((await load(away.url, {}, {}, waits)).score(ROWS, 3)).rejects.toMatchObject({
      code: 'HF_MODEL_UNREACHABLE',
    });
    expect(waits).toEqual([]);
  });

  test('and ends the connection in the middle is asked again', async () => {
    let cut = 2;
    const { url } = await server({
      instead: ({ path }, response) => {
        if (!path.endsWith('/infer') || cut-- <= 0) return false;
        response.socket?.destroy();
        return true;
      },
    });
    expect(await (await load(url)).score(ROWS, 3)).toHaveLength(3);
  });
});

test('a server that is not there is unreachable, by name', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  await new Promise((resolve) => taken.close(resolve));
  await expect(load(`http://127.0.0.1:${port}/v2/models/risk`)).rejects.toMatchObject({
    code: 'HF_MODEL_UNREACHABLE',
    message: expect.stringContaining('nothing listens there (5 tries)'),
  });
});

test.each([
  [401, 'HF_MODEL_REFUSED', 'another token than the one in HOLDFAST_MODEL_TOKEN_RISK_V7'],
  [403, 'HF_MODEL_REFUSED', 'another token'],
  [404, 'HF_MODEL_MISSING', 'no such model'],
  [400, 'HF_MODEL_REFUSED', 'answers 400'],
  [307, 'HF_MODEL_REFUSED', 'a redirect, which is not followed'],
  [500, 'HF_MODEL_UNREACHABLE', 'answers 500'],
])('an answer %d is told for what it is, and does not quote what the server says', async (status, code, said) => {
  const { url } = await server({
    instead: (_, response) => {
      response.writeHead(status, { location: 'http://127.0.0.1:1/elsewhere' });
      response.end('{"error": "row C0001 was bad"}');
      return true;
    },
  });
  const failure = (await load(url).catch((error: unknown) => error)) as Error;
  expect(failure).toMatchObject({ code, message: expect.stringContaining(said) });
  expect(JSON.stringify([failure.message, failure.cause])).not.toContain('C0001');
});

const output = (change: object) => ({
  outputs: [{ name: 'scores', datatype: 'FP32', shape: [3, 1], data: [0, 0, 0], ...change }],
});

test.each<[string, object | string, string]>([
  ['is no JSON', '<html>', 'is not JSON'],
  ['has a NaN', '{"outputs":[{"name":"scores","datatype":"FP32","shape":[3],"data":[NaN,0,0]}]}', 'is not JSON'],
  ['has no outputs', {}, 'has no list of outputs'],
  ['has only integers', output({ datatype: 'INT64' }), 'has no tensor scores of floats'],
  ['has another output', output({ name: 'label' }), 'has no tensor scores of floats'],
  ['has a row too few', output({ shape: [2, 1], data: [0, 0] }), 'has the shape [2, 1], not [3] or [3, 1]'],
  ['has two columns', output({ shape: [3, 2], data: [0, 0, 0, 0, 0, 0] }), 'has the shape [3, 2]'],
  ['has fewer numbers than its shape says', output({ data: [0, 0] }), 'has 2 numbers for 3 rows, not 3'],
  ['has texts for numbers', output({ data: ['0', '0', '0'] }), 'something else in it'],
  ['has no data', output({ data: undefined }), 'a tensor without data'],
  ['names bytes that are not there', output({ data: undefined, parameters: { binary_data_size: 12 } }), 'is shorter'],
  ['has a negative size', output({ data: undefined, parameters: { binary_data_size: -12 } }), 'is shorter'],
  ['is long beyond reason', output({ padding: 'x'.repeat(200_000) }), 'is longer than'],
])('an answer that %s is refused', async (_sentence, body, said) => {
  const { url } = await server({
    instead: ({ path }, response) => {
      if (!path.endsWith('/infer')) return false;
      if (typeof body !== 'string') return json(response, body);
      response.end(body);
      return true;
    },
  });
  await expect((await load(url)).score(ROWS, 3)).rejects.toMatchObject({
    code: 'HF_MODEL_REFUSED',
    message: expect.stringContaining(said),
  });
});

test('a missing number in an answer is NaN, for the stage to refuse with the count of rows', async () => {
  const { url } = await server({
    instead: ({ path }, response) => path.endsWith('/infer') && json(response, output({ data: [0.5, null, 0.5] })),
  });
  expect(await (await load(url)).score(ROWS, 3)).toEqual(Float32Array.from([0.5, Number.NaN, 0.5]));
});

const tensor = (change: object = {}) => ({ name: 'x', datatype: 'FP32', shape: [-1, 3], ...change });
const score = (change: object = {}) => ({ name: 'scores', datatype: 'FP32', shape: [-1, 1], ...change });

test.each([
  ['another number of features', [tensor({ shape: [-1, 4] })], [score()], 'is not FP32 [-1, 3]'],
  ['a fixed batch', [tensor({ shape: [8, 3] })], [score()], 'is not FP32 [-1, 3]'],
  ['an input for each feature', [tensor(), tensor(), tensor()], [score()], 'it has 3 inputs'],
  ['texts', [tensor({ datatype: 'BYTES' })], [score()], 'x BYTES [-1, 3]'],
  ['labels only', [tensor()], [score({ datatype: 'INT64' })], 'none of its outputs (scores INT64 [-1, 1])'],
  ['a column for each class', [tensor()], [score({ shape: [-1, 2] })], 'none of its outputs'],
])('a model with %s is refused before any row is read', async (_sentence, inputs, outputs, said) => {
  const { url } = await server({ metadata: { name: 'risk', inputs, outputs } });
  await expect(load(url)).rejects.toMatchObject({ code: 'HF_MODEL_REFUSED', message: expect.stringContaining(said) });
});

test('a model that tells nothing of its tensors is taken at its answer', async () => {
  const { url } = await server({ metadata: { name: 'risk', platform: 'sklearn' } });
  expect(await (await load(url)).score(ROWS, 3)).toHaveLength(3);
});

test('an interrupt ends a request under way, and no further one is made', async () => {
  const controller = new AbortController();
  const made = await server({
    instead: ({ path }) => {
      if (!path.endsWith('/infer')) return false;
      controller.abort();
      return true;
    },
  });
  const model = await load(made.url, { signal: controller.signal, batchSize: 1 });
  await expect(model.score(new Float32Array(300), 100)).rejects.toMatchObject({ code: 'HF_INTERRUPTED' });
  expect(made.requests.length).toBeLessThan(10);
});

test.each([
  ['a user', 'http://ada:s3cret@models/v2/models/risk'],
  ['a query', 'http://models/v2/models/risk?token=s3cret'],
  ['another path', 'http://models/v1/models/risk:predict'],
])('an endpoint with %s is refused, and not repeated', async (_sentence, endpoint) => {
  const failure = (await load(endpoint).catch((error: unknown) => error)) as Error;
  expect(failure).toMatchObject({ code: 'HF_MODEL_REFUSED' });
  expect(failure.message).not.toContain('s3cret');
});

test('a manifest other than the pinned one is refused, and one that is missing', async () => {
  const { url } = await server();
  await expect(load(url, { sha256: '0'.repeat(64) })).rejects.toMatchObject({ code: 'HF_MODEL_DIGEST_MISMATCH' });
  await expect(load(url, { manifest: 'nowhere.json' })).rejects.toMatchObject({ code: 'HF_MODEL_MISSING' });
});

test('models at different addresses, or of different manifests, are different models to the cache', async () => {
  const [one, other] = [await server(), await server()];
  const digests = [
    (await load(one.url)).remote?.digest,
    (await load(other.url)).remote?.digest,
    (await load(one.url, {}, {}, [], ['discount']).catch(() => undefined))?.remote?.digest,
  ];
  expect(new Set(digests).size).toBe(digests.length);
});
