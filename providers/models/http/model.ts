import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { HoldfastError } from '../../../base/errors.ts';
import { modelTokenVariable } from '../../../contract/credentials.ts';
import { TOKEN_ADDRESS } from '../../../contract/model-token.ts';
import type { Model, ModelProvider, ModelReference, ModelReferenceOf } from '../model.ts';
import { canonicalRows } from '../rows.ts';
import { exchange, type HttpWorld } from './exchange.ts';
import { decodeAnswer, encodeBinary, encodeJson, JSON_LENGTH, MalformedAnswer } from './inference-tensors.ts';
import type { httpParameters } from './parameters.ts';
import { readRemoteManifest } from './remote-manifest.ts';

/** Requests of one model that are under way at once. */
const REQUESTS_AT_ONCE = 4;
/** Less is not worth a request of its own. */
const FEWEST_ROWS = 64;
const MOST_METADATA_BYTES = 2 ** 20;
/** What one number of an answer may take as JSON, and what else there may be in one. */
const MOST_BYTES_A_NUMBER = 32;
const MOST_BYTES_BESIDE = 2 ** 16;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Models behind an HTTP server that speaks the Open Inference Protocol, version 2, such as KServe, Triton or MLServer:
 * `https://HOST/v2/models/NAME[/versions/VERSION]`. What the model predicts is in a manifest of ours, which the program
 * pins; the server is asked, before any row is read, whether it takes those features. It gets features and nothing else.
 */
export function httpProvider(world: HttpWorld, environment: () => Environment): ModelProvider {
  return {
    async load(reference: ModelReferenceOf<typeof httpParameters>) {
      const { manifest, digest } = await readRemoteManifest(reference);
      const url = modelUrl(reference);
      const remote = new Remote(reference, url, world, environment());
      const width = manifest.features.length;
      const outputs = manifest.kinds?.length ?? 1;
      const metadata = readMetadata(await remote.get(url), reference, { width, outputs });
      const binary = await remote.takesBinary();
      return {
        manifest,
        outputs,
        // Several batches come in one call, and go out at once.
        concurrency: 1,
        remote: {
          digest: createHash('sha256').update(`${digest} ${url}`).digest('hex'),
          requestsAtOnce: REQUESTS_AT_ONCE,
        },
        async score(features, rows) {
          const canonical = canonicalRows(features, rows, width);
          if (!binary) assertFinite(canonical, manifest.features, reference);
          const scores = new Float32Array(rows * outputs);
          const batch = requestRows(rows, reference.batchSize ?? rows);
          const starts = Array.from({ length: Math.ceil(rows / batch) }, (_, index) => index * batch);
          await inParallel(starts, REQUESTS_AT_ONCE, async (start) => {
            const count = Math.min(batch, rows - start);
            const part = canonical.subarray(start * width, (start + count) * width);
            scores.set(
              await remote.infer({ ...metadata, features: part, rows: count, width, outputs, binary }),
              start * outputs,
            );
          });
          return scores;
        },
        // Connections are kept for others to use, and close by themselves.
        close: async () => {},
      } satisfies Model;
    },
  };
}

export const http: ModelProvider = httpProvider(
  {
    fetch: (...request) => fetch(...request),
    wait: (milliseconds, signal) => pause(milliseconds, undefined, { signal }),
    random: Math.random,
    now: () => new Date(),
  },
  () => process.env,
);

/**
 * The bearer token of a model, without the end of line that a file of a secret may have.
 * @throws HF_MODEL_REFUSED for what no header can hold: the complaint of whoever refuses it later would quote it; and for
 *   an address that everybody on the way could read it at
 */
function tokenOf({ modelId }: ModelReference, url: string, environment: Environment): string | undefined {
  const variable = modelTokenVariable(modelId);
  const token = environment[variable]?.trim();
  if (token === undefined || token === '') return undefined;
  const refuse = (reason: string) => new HoldfastError('HF_MODEL_REFUSED', `Model ${modelId}: ${reason}.`);
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw refuse(`${variable} holds characters that no token has, such as a blank or a line break`);
  }
  if (new RegExp(TOKEN_ADDRESS).test(url)) return token;
  throw refuse(
    `the token in ${variable} is not sent over http:// to ${new URL(url).host}, where others could read it: use https://, ` +
      'a Service of the cluster by its whole name (NAME.NAMESPACE.svc), or localhost',
  );
}

/** Rows of one request: no more than a batch, and few enough that no request waits while others carry everything. */
function requestRows(rows: number, batchSize: number): number {
  return Math.max(1, Math.min(batchSize, Math.max(FEWEST_ROWS, Math.ceil(rows / REQUESTS_AT_ONCE))));
}

/** @throws HF_MODEL_REFUSED */
function modelUrl({ modelId, endpoint }: ModelReference): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isModel = /\/v2\/models\/[^/]+(\/versions\/[^/]+)?$/.test(url?.pathname ?? '');
  if (url === undefined || !isModel || `${url.username}${url.password}${url.search}${url.hash}` !== '') {
    throw new HoldfastError(
      'HF_MODEL_REFUSED',
      `Model ${modelId}: its endpoint is not of the form https://HOST/v2/models/NAME/versions/VERSION, without a user, a password or a query.`,
    );
  }
  return url.href;
}

interface Inference {
  readonly input: string;
  readonly output: string | undefined;
  readonly features: Float32Array;
  readonly rows: number;
  readonly width: number;
  readonly outputs: number;
  readonly binary: boolean;
}

/** One model on its server. */
class Remote {
  readonly #reference: ModelReference;
  readonly #url: string;
  readonly #world: HttpWorld;
  readonly #token: string | undefined;
  readonly #signal: AbortSignal;

  constructor(reference: ModelReference, url: string, world: HttpWorld, environment: Environment) {
    this.#reference = reference;
    this.#url = url;
    this.#world = world;
    this.#token = tokenOf(reference, url, environment);
    this.#signal = reference.signal ?? new AbortController().signal;
  }

  async get(url: string): Promise<unknown> {
    const { body } = await this.#exchange({ url, method: 'GET', headers: {}, mostBytes: MOST_METADATA_BYTES });
    try {
      return JSON.parse(body.toString('utf8'));
    } catch (cause) {
      throw refused(this.#reference, 'its server answers with something other than JSON', cause);
    }
  }

  /** Whether the server says that it takes tensors as bytes. One that does not tell about itself does not. */
  async takesBinary(): Promise<boolean> {
    try {
      const server = await this.get(this.#url.replace(/\/models\/.*$/, ''));
      return offersBinary(server as ServerMetadata | null);
    } catch (error) {
      if (error instanceof HoldfastError && error.kind === 'terminal') return false;
      throw error;
    }
  }

  async infer(inference: Inference): Promise<Float32Array> {
    const { binary, rows, outputs, output } = inference;
    const { headers, bytes } = binary ? encodeBinary(inference) : encodeJson(inference);
    const answer = await this.#exchange({
      url: `${this.#url}/infer`,
      method: 'POST',
      headers,
      body: bytes,
      mostBytes: rows * outputs * MOST_BYTES_A_NUMBER + MOST_BYTES_BESIDE,
    });
    try {
      return decodeAnswer(answer.body, answer.headers.get(JSON_LENGTH), { output, rows, columns: outputs });
    } catch (error) {
      if (!(error instanceof MalformedAnswer)) throw error;
      throw refused(this.#reference, `its answer ${error.message}`, error);
    }
  }

  #exchange(request: Omit<Parameters<typeof exchange>[0], 'signal' | 'subject' | 'tokenPlace'>) {
    const { modelId } = this.#reference;
    const authorization = this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
    return exchange(
      {
        ...request,
        headers: { ...request.headers, ...authorization },
        signal: this.#signal,
        subject: `Model ${modelId}`,
        tokenPlace: modelTokenVariable(modelId),
      },
      this.#world,
    );
  }
}

interface ServerMetadata {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly extensions?: unknown;
}

function offersBinary(server: ServerMetadata | null): boolean {
  const { name, version, extensions } = server ?? {};
  if (Array.isArray(extensions) && extensions.includes('binary_tensor_data')) return true;
  // KServe takes them since 0.15 and does not list it.
  const [, major = '0', minor = '0'] = /^(\d{1,4})\.(\d{1,4})\b/.exec(String(version)) ?? [];
  return name === 'kserve' && (Number(major) > 0 || Number(minor) >= 15);
}

interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

/**
 * Names of the input and of the output, where the server tells them; it need not. What it does tell must fit.
 * @throws HF_MODEL_REFUSED
 */
function readMetadata(
  metadata: unknown,
  reference: ModelReference,
  { width, outputs }: { readonly width: number; readonly outputs: number },
): Pick<Inference, 'input' | 'output'> {
  const inputs = tensorsIn(metadata, 'inputs');
  const [input, ...others] = inputs;
  if (others.length > 0) {
    throw refused(reference, `it has ${inputs.length} inputs, not one with all features`);
  }
  if (input !== undefined && (input.datatype !== 'FP32' || !fits(input.shape, width))) {
    throw refused(reference, `its input ${describe(input)} is not FP32 [-1, ${width}], one column per feature`);
  }
  const told = tensorsIn(metadata, 'outputs');
  const output = told.find(({ datatype }) => datatype === 'FP32' || datatype === 'FP64');
  if (told.length > 0 && (output === undefined || !fits(output.shape, outputs))) {
    const found = told.slice(0, 4).map(describe).join(', ');
    throw refused(reference, `none of its outputs (${found}) is FP32 [-1, ${outputs}]`);
  }
  return { input: input?.name ?? 'input-0', output: output?.name };
}

function tensorsIn(metadata: unknown, member: 'inputs' | 'outputs'): readonly TensorMetadata[] {
  const list = (metadata as Readonly<Record<string, unknown>> | null)?.[member];
  if (!Array.isArray(list)) return [];
  return list.filter(
    (one: Partial<TensorMetadata> | null) =>
      typeof one?.name === 'string' && typeof one.datatype === 'string' && Array.isArray(one.shape),
  ) as TensorMetadata[];
}

/** −1 stands for any size; a single column may be left out. */
function fits(shape: readonly number[], columns: number): boolean {
  const [rows, width = 1, ...more] = shape;
  return rows === -1 && (width === columns || width === -1) && more.length === 0;
}

function describe({ name, datatype, shape }: TensorMetadata): string {
  return `${name.slice(0, 63)} ${datatype.slice(0, 8)} [${shape.slice(0, 4).map(Number).join(', ')}]`;
}

/** @throws HF_MODEL_REFUSED naming the features that have no number in some row */
function assertFinite(rows: Float32Array, features: readonly string[], reference: ModelReference): void {
  if (rows.every(Number.isFinite)) return;
  const missing = features.filter((_, column) => {
    for (let at = column; at < rows.length; at += features.length) if (!Number.isFinite(rows[at])) return true;
    return false;
  });
  throw refused(
    reference,
    `its server takes numbers as JSON, which has no word for a missing one, and some rows have none for ${missing.join(', ')}: ` +
      'fill them in in the query, or serve the model where binary tensors are known (Triton is one such server)',
  );
}

/** Does `work` for each item, at most `most` at once; the first failure is that of the whole, and no more are begun. */
async function inParallel<Item>(
  items: readonly Item[],
  most: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  let failed = false;
  const one = async () => {
    for (const item of rest) {
      if (failed) return;
      try {
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const settled = await Promise.allSettled(Array.from({ length: Math.min(most, items.length) }, one));
  const failure = settled.find(({ status }) => status === 'rejected');
  if (failure?.status === 'rejected') throw failure.reason;
}

function refused(reference: ModelReference, reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError('HF_MODEL_REFUSED', `Model ${reference.modelId}: ${reason}.`, { cause });
}
