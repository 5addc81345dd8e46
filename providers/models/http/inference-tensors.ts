/*
 * Bodies of the Open Inference Protocol, version 2 (https://github.com/kserve/open-inference-protocol), with its extension
 * for binary tensors: JSON first, then the bytes of the tensors, float32 in little-endian order, row by row.
 */

/** Header that says how many bytes of a body are JSON, where tensors follow. */
export const JSON_LENGTH = 'inference-header-content-length';

export interface InferenceRequest {
  readonly input: string;
  /** Undefined lets the server answer with whatever it has. */
  readonly output: string | undefined;
  /** Row-major, `rows × width`. */
  readonly features: Float32Array;
  readonly rows: number;
  readonly width: number;
}

export interface InferenceBody {
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Uint8Array;
}

/** Numbers as JSON, which knows neither NaN nor infinity: the caller makes sure that there are none. */
export function encodeJson({ input, output, features, rows, width }: InferenceRequest): InferenceBody {
  const body = {
    inputs: [{ name: input, shape: [rows, width], datatype: 'FP32', data: Array.from(features) }],
    ...(output === undefined ? {} : { outputs: [{ name: output }] }),
  };
  return { headers: { 'content-type': 'application/json' }, bytes: Buffer.from(JSON.stringify(body)) };
}

/** Numbers as they are, bit for bit. */
export function encodeBinary({ input, output, features, rows, width }: InferenceRequest): InferenceBody {
  const parameters = { binary_data_size: features.byteLength };
  const json = Buffer.from(
    JSON.stringify({
      inputs: [{ name: input, shape: [rows, width], datatype: 'FP32', parameters }],
      ...(output === undefined
        ? { parameters: { binary_data_output: true } }
        : { outputs: [{ name: output, parameters: { binary_data: true } }] }),
    }),
  );
  const tensor = Buffer.from(features.buffer, features.byteOffset, features.byteLength);
  return {
    headers: { 'content-type': 'application/octet-stream', [JSON_LENGTH]: String(json.length) },
    bytes: Buffer.concat([json, tensor]),
  };
}

/** An answer that is not what the protocol says; the message completes "its answer …". */
export class MalformedAnswer extends Error {}

interface OutputTensor {
  readonly name?: unknown;
  readonly datatype?: unknown;
  readonly shape?: unknown;
  readonly data?: unknown;
  readonly parameters?: { readonly binary_data_size?: unknown };
}

/** Bytes of one number, of the kinds that mean floats. */
const FLOATS: Readonly<Record<string, number>> = { FP32: 4, FP64: 8 };

/**
 * The first tensor of floats in an answer, or the one that was asked for. A missing number (`null`) is NaN.
 * @param jsonLength value of the header `JSON_LENGTH`; null where the whole body is JSON
 * @returns row-major, `rows × columns`, float32
 * @throws MalformedAnswer
 */
export function decodeAnswer(
  body: Buffer,
  jsonLength: string | null,
  { output, rows, columns }: { readonly output: string | undefined; readonly rows: number; readonly columns: number },
): Float32Array {
  const split = jsonLength === null ? body.length : Number(jsonLength);
  if (!Number.isSafeInteger(split) || split < 0 || split > body.length) {
    throw new MalformedAnswer(`has a header ${JSON_LENGTH} that does not fit its length`);
  }
  let tensorStart = split;
  for (const tensor of outputsIn(body.subarray(0, split))) {
    const size = tensor.parameters?.binary_data_size;
    const start = tensorStart;
    if (size !== undefined) {
      if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || start + size > body.length) {
        throw new MalformedAnswer('is shorter than the tensors that it names');
      }
      tensorStart += size;
    }
    const width = typeof tensor.datatype === 'string' ? FLOATS[tensor.datatype] : undefined;
    if (width === undefined || (output !== undefined && tensor.name !== output)) continue;
    assertShape(tensor.shape, rows, columns);
    const numbers = size === undefined ? fromJson(tensor.data) : fromBytes(body.subarray(start, start + size), width);
    if (numbers.length !== rows * columns) {
      throw new MalformedAnswer(`has ${numbers.length} numbers for ${rows} rows, not ${rows * columns}`);
    }
    return numbers;
  }
  throw new MalformedAnswer(output === undefined ? 'has no tensor of floats' : `has no tensor ${output} of floats`);
}

function outputsIn(json: Buffer): readonly OutputTensor[] {
  let answer: unknown;
  try {
    answer = JSON.parse(json.toString('utf8'));
  } catch {
    // The cause would quote numbers. A NaN, which some servers write, is no JSON either.
    throw new MalformedAnswer('is not JSON (NaN and Infinity are not)');
  }
  const outputs = (answer as { outputs?: unknown } | null)?.outputs;
  if (!Array.isArray(outputs) || !outputs.every((one) => typeof one === 'object' && one !== null)) {
    throw new MalformedAnswer('has no list of outputs');
  }
  return outputs as OutputTensor[];
}

function assertShape(shape: unknown, rows: number, columns: number): void {
  const expected = columns === 1 ? `[${rows}] or [${rows}, 1]` : `[${rows}, ${columns}]`;
  const [first, second = 1, ...more] = Array.isArray(shape) ? shape : [];
  if (first === rows && second === columns && more.length === 0) return;
  const found = Array.isArray(shape) ? `[${shape.slice(0, 4).map(Number).join(', ')}]` : 'none';
  throw new MalformedAnswer(`has the shape ${found}, not ${expected}`);
}

/** A list of numbers, or a list of such lists. */
function fromJson(data: unknown): Float32Array {
  if (!Array.isArray(data)) throw new MalformedAnswer('has a tensor without data');
  const flat: unknown[] = data.flat();
  if (!flat.every((value) => typeof value === 'number' || value === null)) {
    throw new MalformedAnswer('has a tensor of floats with something else in it');
  }
  return Float32Array.from(flat, (value) => (value === null ? Number.NaN : value));
}

function fromBytes(bytes: Buffer, width: number): Float32Array {
  if (bytes.length % width !== 0) throw new MalformedAnswer('has a tensor that ends in the middle of a number');
  // A copy, which begins where typed arrays may.
  const whole = Uint8Array.from(bytes).buffer;
  return width === 4 ? new Float32Array(whole) : Float32Array.from(new Float64Array(whole));
}
