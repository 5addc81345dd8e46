import { createHash } from 'node:crypto';
import { parse, resolve } from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import { type ErrorCode, HoldfastError } from '../../../base/errors.ts';
import type { RandomNumbers } from '../../../base/math/random-numbers.ts';
import type { Model, ModelManifest, ModelReference, ModelRole } from '../model.ts';
import { parseModelManifest } from '../model-card.ts';
import { MAXIMUM_MANIFEST_BYTES, readBounded } from '../model-file.ts';
import { OutputRange, riskScore } from '../risk-score.ts';
import { assertWhole, MAXIMUM_MODEL_BYTES } from './file.ts';
import { createSession, inputName, outputName, toModel } from './model.ts';
import { loadOnnxRuntime } from './runtime.ts';
import { type OnnxSummary, summariseOnnx } from './summary.ts';

/** What is to be checked, and against what. */
export interface CheckRequest {
  /** Absolute path of the model; the JSON beside it has the same name. */
  readonly file: string;
  /** Features that a program would name, in order; those of the JSON when absent. */
  readonly features?: readonly string[] | undefined;
  /** Role to assume where no JSON says it. */
  readonly role: ModelRole;
  /** What a program says of it, as far as it differs from the file. */
  readonly pinned?:
    | {
        readonly modelId: string;
        readonly sha256?: string | undefined;
        readonly manifestSha256?: string | undefined;
      }
    | undefined;
  readonly threads: number;
}

/** Why a run would refuse the model. */
export interface Fault {
  readonly code: ErrorCode;
  readonly reason: string;
}

/** A value that goes into a model or comes out. */
export interface ModelValue {
  readonly name: string;
  readonly type: string;
  /** A text is a dimension without a fixed size. */
  readonly shape: readonly (number | string)[];
}

export interface ModelCheck {
  readonly modelId: string;
  readonly file: string;
  /** Every reason for refusal; none when a run can use it. */
  readonly faults: readonly Fault[];
  readonly warnings: readonly string[];
  readonly bytes: number | undefined;
  /** What a program pins. */
  readonly sha256: string | undefined;
  /** The same of the JSON beside it. */
  readonly manifestSha256: string | undefined;
  readonly summary: OnnxSummary | undefined;
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
  readonly role: ModelRole;
  readonly calibrated: boolean | undefined;
  readonly features: readonly string[] | undefined;
  readonly kinds: readonly string[] | undefined;
  /** Rows a second on random rows, a thousand at a time. */
  readonly rowsPerSecond: number | undefined;
}

/** The clock and the dice. */
export interface CheckTools {
  /** Milliseconds. */
  readonly elapsed: () => number;
  readonly random: RandomNumbers;
}

/**
 * Looks at a model the way that a run does, but goes on after a fault, so that all of them are known at once.
 * A model without faults is one that `loadModel` takes.
 */
export async function checkModel(request: CheckRequest, tools: CheckTools): Promise<ModelCheck> {
  const { file } = request;
  const { name, base, dir } = parse(file);
  const modelId = request.pinned?.modelId ?? name;
  const faults: Fault[] = [];
  const collect = collector(faults, modelId);

  const bytes = await collect(() => readBounded(file, MAXIMUM_MODEL_BYTES, { modelId }));
  const beside = await collect(() => readBounded(resolve(dir, `${name}.json`), MAXIMUM_MANIFEST_BYTES, { modelId }));
  const manifest = await collect(async () =>
    beside === undefined ? undefined : parseModelManifest(beside.toString('utf8'), `${name}.json`, modelId),
  );
  const [sha256, manifestSha256] = [digestOf(bytes), digestOf(beside)];
  faults.push(...disagreements(request, manifest, sha256, manifestSha256));
  const features = request.features ?? manifest?.features;
  const role = manifest?.role ?? request.role;
  // What reads other files never reaches the runtime.
  const whole = await collect(async () => {
    if (bytes !== undefined) assertWhole(bytes, base, { modelId });
    return bytes;
  });
  const assumed = manifest ?? assumedManifest(modelId, role, features ?? []);
  const looked =
    whole === undefined ? NOT_LOADED : await tryInRuntime(whole, { ...assumed, features }, request, tools, collect);
  return {
    modelId: request.pinned?.modelId ?? manifest?.modelId ?? name,
    file,
    faults: [...faults, ...looked.faults],
    warnings: [...warningsOf(manifest), ...looked.warnings],
    bytes: bytes?.length,
    sha256,
    manifestSha256,
    summary: bytes === undefined ? undefined : summariseOnnx(bytes),
    inputs: looked.inputs,
    outputs: looked.outputs,
    role,
    calibrated: manifest?.calibrated,
    features,
    kinds: manifest?.kinds,
    rowsPerSecond: looked.rowsPerSecond,
  };
}

function digestOf(bytes: Buffer | undefined): string | undefined {
  return bytes === undefined ? undefined : createHash('sha256').update(bytes).digest('hex');
}

type Collect = <Result>(work: () => Promise<Result>) => Promise<Result | undefined>;

/** Runs a step; a refusal is kept, without the model's name, which everybody knows. */
function collector(faults: Fault[], modelId: string): Collect {
  return async (work) => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      const reason = error.message.replace(`Model ${modelId}: `, '').replace(/\.$/, '');
      faults.push({ code: error.code, reason });
      return undefined;
    }
  };
}

/** Where the program, the command line, the JSON and the file differ. */
function disagreements(
  { features, pinned }: CheckRequest,
  manifest: ModelManifest | undefined,
  sha256: string | undefined,
  manifestSha256: string | undefined,
): Fault[] {
  const faults: Fault[] = [];
  const refuse = (reason: string, code: ErrorCode = 'HF_MODEL_REFUSED') => faults.push({ code, reason });
  const short = (digest: string) => `${digest.slice(0, 12)}…`;
  if (sha256 !== undefined) {
    for (const [where, pin] of [
      ['the program', pinned?.sha256],
      ['the JSON beside it', manifest?.sha256],
    ] as const) {
      if (pin !== undefined && pin !== sha256) {
        refuse(`the file has SHA-256 ${short(sha256)}, but ${where} pins ${short(pin)}`, 'HF_MODEL_DIGEST_MISMATCH');
      }
    }
  }
  const pin = pinned?.manifestSha256;
  if (pin !== undefined && manifestSha256 !== undefined && pin !== manifestSha256) {
    const reason = `the JSON beside it has SHA-256 ${short(manifestSha256)}, but the program pins ${short(pin)}`;
    refuse(reason, 'HF_MODEL_DIGEST_MISMATCH');
  }
  if (manifest === undefined) return faults;
  if (pinned !== undefined && pinned.modelId !== manifest.modelId) {
    refuse(`the JSON beside it is that of ${manifest.modelId}`);
  }
  if (features === undefined) return faults;
  for (let place = 0; place < Math.max(features.length, manifest.features.length); place++) {
    const [theirs = 'missing', ours = 'missing'] = [manifest.features[place], features[place]];
    if (theirs !== ours) refuse(`feature ${place + 1} is ${theirs} in the JSON and ${ours} in what was given`);
  }
  return faults;
}

function assumedManifest(modelId: string, role: ModelRole, features: readonly string[]): ModelManifest {
  const training = { from: '', to: '', rows: 0, label: '' };
  return { modelId, role, sha256: '', features, calibrated: false, training, figures: {} };
}

interface Looked extends Pick<ModelCheck, 'inputs' | 'outputs' | 'rowsPerSecond' | 'warnings'> {
  readonly faults: readonly Fault[];
}

const NOT_LOADED: Looked = { inputs: [], outputs: [], rowsPerSecond: undefined, faults: [], warnings: [] };

async function tryInRuntime(
  bytes: Buffer,
  manifest: Omit<ModelManifest, 'features'> & { readonly features: readonly string[] | undefined },
  { file, threads }: CheckRequest,
  tools: CheckTools,
  collect: Collect,
): Promise<Looked> {
  const { modelId, role } = manifest;
  const reference: ModelReference = {
    modelId,
    endpoint: file,
    features: manifest.features ?? [],
    baseFolder: '/',
    threads,
  };
  const runtime = await loadOnnxRuntime();
  const session = await collect(() => createSession(runtime, bytes, reference));
  if (session === undefined) return NOT_LOADED;
  try {
    const looked = {
      ...NOT_LOADED,
      inputs: session.inputMetadata.map(asValue),
      outputs: session.outputMetadata.map(asValue),
    };
    const faults: Fault[] = [];
    const width = manifest.features?.length ?? columnsOf(session);
    if (manifest.features === undefined) {
      const which = width === undefined ? 'them' : `its ${width}`;
      faults.push({
        code: 'HF_MODEL_REFUSED',
        reason: `which features it takes is not known: name ${which} with --features a,b,c`,
      });
    }
    // A fault of the one must not hide that of the other.
    const input = await collect(async () => inputName(session, width ?? 0, reference));
    const output = await collect(async () => outputName(session, manifest.kinds?.length ?? 1, reference));
    if (input === undefined || output === undefined || width === undefined) return { ...looked, faults };
    const features = manifest.features ?? Array.from({ length: width }, (_, place) => `feature_${place + 1}`);
    const model = toModel(runtime, session, { ...manifest, features }, reference);
    const tried = await collect(() => tryOut(model, tools));
    if (tried === undefined) return { ...looked, faults };
    if (tried.wrong > 0) faults.push(wrongScores(tried.wrong, tried.range, role));
    const warnings = tried.missingIsWrong
      ? ['a row with missing values gets no score, and ends a run: complete the features in the query, or the model']
      : [];
    return { ...looked, rowsPerSecond: tried.rowsPerSecond, faults, warnings };
  } finally {
    await session.release();
  }
}

function wrongScores(wrong: number, range: OutputRange, role: ModelRole): Fault {
  const expected = role === 'churn-risk' ? 'a number from 0 to 1' : 'finite numbers';
  return {
    code: 'HF_SCORE_OUT_OF_RANGE',
    reason: `it gave ${wrong} of ${ROWS} random rows something other than ${expected}: ${range.words}`,
  };
}

/** Rows scored in one call, as a program does by default. */
const ROWS = 1000;
/** How long the speed is measured. */
const MEASURED_MS = 300;
const MOST_CALLS = 1000;

/** Scores random rows from 0 to 1, then one without any value. */
async function tryOut(model: Model, { elapsed, random }: CheckTools) {
  const width = model.manifest.features.length;
  const isWrong = (score: number) =>
    model.manifest.role === 'churn-risk' ? Number.isNaN(riskScore(score)) : !Number.isFinite(score);
  const range = new OutputRange();
  const features = Float32Array.from({ length: ROWS * width }, () => random());
  const scores = await model.score(features, ROWS);
  const wrong = countRows(scores, model.outputs, isWrong);
  for (const score of scores) range.add(score);
  const started = elapsed();
  let calls = 0;
  for (; calls === 0 || (elapsed() - started < MEASURED_MS && calls < MOST_CALLS); calls++)
    await model.score(features, ROWS);
  const seconds = Math.max(elapsed() - started, 1e-3) / 1000;
  const nothing = await model.score(new Float32Array(width).fill(Number.NaN), 1);
  return { wrong, range, rowsPerSecond: (calls * ROWS) / seconds, missingIsWrong: nothing.some(isWrong) };
}

function countRows(scores: Float32Array, outputs: number, isWrong: (score: number) => boolean): number {
  let count = 0;
  for (let row = 0; row < scores.length; row += outputs) if (scores.subarray(row, row + outputs).some(isWrong)) count++;
  return count;
}

function asValue(value: InferenceSession.ValueMetadata): ModelValue {
  return value.isTensor
    ? { name: value.name, type: value.type, shape: value.shape }
    : { name: value.name, type: 'no tensor', shape: [] };
}

/** Columns of the one input, when its shape says it. */
function columnsOf({ inputMetadata: [input] }: InferenceSession): number | undefined {
  const columns = input?.isTensor === true ? input.shape[1] : undefined;
  return typeof columns === 'number' && columns > 0 ? columns : undefined;
}

function warningsOf(manifest: ModelManifest | undefined): string[] {
  if (manifest === undefined || manifest.role !== 'churn-risk' || manifest.calibrated) return [];
  return ['it is not calibrated: the thresholds in riskLevels do not mean probabilities'];
}
