import { MalformedModel, Reader } from './protobuf.ts';

/** Field numbers of the messages of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) that lead to a tensor. */
const CHILDREN = {
  model: { 7: 'graph', 20: 'training', 25: 'function' },
  training: { 1: 'graph', 2: 'graph' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparseTensor' },
  function: { 7: 'node', 11: 'attribute' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparseTensor', 23: 'sparseTensor' },
  sparseTensor: { 1: 'tensor', 2: 'tensor' },
  tensor: {},
} as const satisfies Record<string, Readonly<Record<number, string>>>;

type Message = keyof typeof CHILDREN;

const NODE_OPERATOR = 4;
const NODE_ATTRIBUTE = 5;
const TENSOR_NAME = 8;
const TENSOR_EXTERNAL_DATA = 13;
const TENSOR_DATA_LOCATION = 14;

/** Deeper than any real model; protobuf's own readers stop at 100. */
const MAXIMUM_DEPTH = 64;

/**
 * Looks for what no model may have, anywhere in it: its graph, the subgraphs of its nodes' attributes, its functions
 * and its training part. A tensor whose values lie in another file would be read from a path that may lead out of the
 * model's folder; a Loop or Scan may go on for ever, and the runtime cannot be interrupted; a transform that the runtime
 * leaves out makes another score than the file says.
 * @returns the reason for refusal, a part of a sentence; undefined when there is none
 * @throws MalformedModel when the bytes cannot be an ONNX model
 */
export function refusedPart(bytes: Uint8Array): string | undefined {
  return search(new Reader(bytes, 0, bytes.length), 'model', 0);
}

function search(reader: Reader, kind: Message, depth: number): string | undefined {
  if (kind === 'node') {
    const refused = refusedNode(reader.again());
    if (refused !== undefined) return refused;
  }
  if (depth > MAXIMUM_DEPTH) throw new MalformedModel(`messages are nested deeper than ${MAXIMUM_DEPTH}`);
  const children: Readonly<Record<number, Message>> = CHILDREN[kind];
  let name = '';
  let external = false;
  while (!reader.atEnd) {
    const field = reader.field();
    const child = children[field.number];
    if (child !== undefined) {
      if (field.body === undefined) throw new MalformedModel(`field ${field.number} of a ${kind} is not a message`);
      const found = search(field.body, child, depth + 1);
      if (found !== undefined) return found;
    } else if (kind === 'tensor') {
      if (field.number === TENSOR_NAME) name = field.body?.text() ?? '';
      if (field.number === TENSOR_EXTERNAL_DATA) external = true;
      if (field.number === TENSOR_DATA_LOCATION && field.nonZero) external = true;
    }
  }
  return external
    ? `keeps the values of its tensor ${JSON.stringify(name.slice(0, 100))} in another file; export it as one file (external_data=False in PyTorch)`
    : undefined;
}

function refusedNode(reader: Reader): string | undefined {
  let operator = '';
  const attributes: Reader[] = [];
  while (!reader.atEnd) {
    const { number, body } = reader.field();
    if (number === NODE_OPERATOR) operator = body?.text() ?? '';
    if (number === NODE_ATTRIBUTE && body !== undefined) attributes.push(body);
  }
  if (REPEATS.has(operator)) {
    return `has a ${operator}, which nothing could interrupt; export it unrolled, or serve it behind https://`;
  }
  const transform = ONE_TARGET.has(operator) ? transformLeftOut(attributes) : undefined;
  return transform === undefined
    ? undefined
    : `ends its ${operator} in ${transform} over one target, which ONNX Runtime leaves out: the score would be the raw ` +
        'margin. Set post_transform to NONE and put a Sigmoid node behind it';
}

/** Operators that run a graph many times: one within another, a few hundred bytes make more rounds than anybody waits for. */
const REPEATS: ReadonlySet<string> = new Set(['Loop', 'Scan', 'SequenceMap']);

/** Operators of trees with targets. Over one target ONNX Runtime's aggregator applies PROBIT alone. */
const ONE_TARGET: ReadonlySet<string> = new Set(['TreeEnsembleRegressor', 'TreeEnsemble']);
/** Numbers of `post_transform` in TreeEnsemble, as the older operator spells them. */
const TRANSFORMS: readonly string[] = ['NONE', 'SOFTMAX', 'LOGISTIC', 'SOFTMAX_ZERO', 'PROBIT'];
const APPLIED: ReadonlySet<string> = new Set(['NONE', 'PROBIT']);

const ATTRIBUTE_NAME = 1;
const ATTRIBUTE_NUMBER = 3;
const ATTRIBUTE_TEXT = 4;

function transformLeftOut(attributes: readonly Reader[]): string | undefined {
  let targets = 1;
  let transform = 'NONE';
  for (const reader of attributes) {
    let name = '';
    let number: number | undefined;
    let text: string | undefined;
    while (!reader.atEnd) {
      const field = reader.field();
      if (field.number === ATTRIBUTE_NAME) name = field.body?.text() ?? '';
      if (field.number === ATTRIBUTE_NUMBER && field.body === undefined) number = field.value;
      if (field.number === ATTRIBUTE_TEXT) text = field.body?.text();
    }
    if (name === 'n_targets') targets = number ?? 1;
    if (name === 'post_transform') transform = text ?? TRANSFORMS[number ?? 0] ?? `transform ${number}`;
  }
  return targets === 1 && !APPLIED.has(transform) ? transform : undefined;
}
