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

const TENSOR_NAME = 8;
const TENSOR_EXTERNAL_DATA = 13;
const TENSOR_DATA_LOCATION = 14;

/** Deeper than any real model; protobuf's own readers stop at 100. */
const MAXIMUM_DEPTH = 64;

/**
 * Looks for tensors whose values lie in another file, anywhere in a model: its graph, the subgraphs of its
 * nodes' attributes, its functions and its training part. A runtime would read the path that such a tensor
 * names, which may lead out of the model's folder.
 * @returns the tensor's name, or undefined when the model is whole in itself
 * @throws MalformedModel when the bytes cannot be an ONNX model
 */
export function findExternalData(bytes: Uint8Array): string | undefined {
  return search(new Reader(bytes, 0, bytes.length), 'model', 0);
}

function search(reader: Reader, kind: Message, depth: number): string | undefined {
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
  return external ? name : undefined;
}
