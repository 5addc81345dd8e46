import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { loadOnnxRuntime } from '../../providers/models/onnx/runtime.ts';

/** A server that speaks the Open Inference Protocol, in front of a real model: a test's other end of the wire. */
export interface InferenceServer extends AsyncDisposable {
  /** Of the model: an endpoint as a program has it. */
  readonly url: string;
  readonly requests: readonly SeenRequest[];
  /** Rows that the model was asked about. */
  rows(): number;
  /** Most inferences that were under way at once. */
  busiest(): number;
}

export interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface ServerOptions {
  readonly model: Uint8Array;
  readonly width: number;
  readonly outputs: number;
  /** Whether tensors may be bytes. */
  readonly binary?: boolean;
  /** Answers in place of the server's own; undefined leaves it to the server. */
  readonly instead?: (request: SeenRequest, response: ServerResponse) => boolean | undefined;
  /** What the model says of itself; undefined for what is true. */
  readonly metadata?: object;
  /** Before each answer: this long, and so long for each row. */
  readonly latencyMs?: number;
  readonly rowMs?: number;
  readonly port?: number;
}

const PATH = '/v2/models/risk/versions/7';
const JSON_LENGTH = 'inference-header-content-length';

export async function inferenceServer(options: ServerOptions): Promise<InferenceServer> {
  const { InferenceSession, Tensor } = await loadOnnxRuntime();
  const session = await InferenceSession.create(Buffer.from(options.model), { intraOpNumThreads: 1 });
  const [input, output] = [session.inputNames[0] as string, session.outputNames[0] as string];
  const requests: SeenRequest[] = [];
  let [rows, underWay, busiest] = [0, 0, 0];

  const infer = async ({ headers, body }: SeenRequest, response: ServerResponse) => {
    busiest = Math.max(busiest, ++underWay);
    const split = Number(headers[JSON_LENGTH] ?? body.length);
    const { inputs, outputs: wanted } = JSON.parse(body.subarray(0, split).toString()) as {
      inputs: { shape: [number, number]; data?: number[] }[];
      outputs?: { parameters?: { binary_data?: boolean } }[];
    };
    const [given] = inputs;
    const { shape, data } = given as NonNullable<typeof given>;
    const { latencyMs = 0, rowMs = 0 } = options;
    if (latencyMs + rowMs > 0) await pause(latencyMs + rowMs * shape[0]);
    const features =
      data === undefined ? new Float32Array(Uint8Array.from(body.subarray(split)).buffer) : Float32Array.from(data);
    const result = await session.run({ [input]: new Tensor('float32', features, shape) }, [output]);
    const scores = (result[output] as { data: Float32Array }).data;
    rows += shape[0];
    underWay -= 1;
    const tensor = { name: output, datatype: 'FP32', shape: [shape[0], options.outputs] };
    if (wanted?.[0]?.parameters?.binary_data !== true) {
      json(response, { model_name: 'risk', outputs: [{ ...tensor, data: Array.from(scores) }] });
      return;
    }
    const bytes = Buffer.from(scores.buffer, scores.byteOffset, scores.byteLength);
    const head = Buffer.from(
      JSON.stringify({ outputs: [{ ...tensor, parameters: { binary_data_size: bytes.length } }] }),
    );
    response.writeHead(200, { [JSON_LENGTH]: head.length });
    response.end(Buffer.concat([head, bytes]));
  };

  const metadata = options.metadata ?? {
    name: 'risk',
    versions: ['7'],
    inputs: [{ name: input, datatype: 'FP32', shape: [-1, options.width] }],
    outputs: [{ name: output, datatype: 'FP32', shape: [-1, options.outputs] }],
  };
  const answer = async (seen: SeenRequest, response: ServerResponse) => {
    requests.push(seen);
    if (options.instead?.(seen, response) === true) return;
    if (seen.path === '/v2') {
      json(response, { name: 'test', extensions: options.binary === true ? ['binary_tensor_data'] : [] });
    } else if (seen.path === PATH) json(response, metadata);
    else if (seen.path === `${PATH}/infer`) await infer(seen, response);
    else json(response, { error: 'no such model' }, 404);
  };
  const server = createServer((request, response) => {
    const answered = request
      .toArray()
      .then((chunks: Buffer[]) => Buffer.concat(chunks))
      .then((body) => answer({ path: request.url ?? '', headers: request.headers, body }, response));
    // A test that sees the connection end has its failure.
    answered.catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`,
    requests,
    rows: () => rows,
    busiest: () => busiest,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await session.release();
    },
  };
}

export function json(response: ServerResponse, body: object, status = 200): true {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
  return true;
}
