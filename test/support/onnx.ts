import { type Field, type Graph, message, node, tensor, model as write } from '../../providers/models/onnx/writer.ts';

export { message, node, tensor };

/** A ModelProto whose nodes may be trees. */
export function model(graph: Graph): Buffer {
  return write({ learnedOpset: 3, ...graph });
}

const FLOAT = 1;

/** A TensorProto of whole numbers. */
export function integers(name: string, dimensions: readonly number[], values: readonly number[], type = 7): Buffer {
  const size = type === 7 ? 8 : 1;
  const raw = Buffer.alloc(values.length * size);
  for (const [index, value] of values.entries()) {
    if (size === 8) raw.writeBigInt64LE(BigInt(value), index * size);
    else raw.writeUInt8(value, index);
  }
  return message(...dimensions.map((length): Field => [1, length]), [2, type], [8, name], [9, raw]);
}

/** A TensorProto whose values are said to lie in another file. */
export function externalTensor(name: string, dimensions: readonly number[], location: string): Buffer {
  const entry = message([1, 'location'], [2, location]);
  return message(...dimensions.map((size): Field => [1, size]), [2, FLOAT], [8, name], [13, entry], [14, 1]);
}

/** AttributeProtos, by what they hold; floats and whole numbers are packed, as some writers do. */
export const attribute = {
  int: (name: string, value: number) => message([1, name], [3, value], [20, 2]),
  text: (name: string, value: string) => message([1, name], [4, value], [20, 3]),
  tensor: (name: string, value: Uint8Array) => message([1, name], [5, value], [20, 4]),
  floats: (name: string, values: readonly number[]) => {
    const packed = Buffer.alloc(values.length * 4);
    for (const [index, value] of values.entries()) packed.writeFloatLE(value, index * 4);
    return message([1, name], [7, packed], [20, 6]);
  },
  ints: (name: string, values: readonly number[]) =>
    message([1, name], ...values.map((value): Field => [8, value]), [20, 7]),
  texts: (name: string, values: readonly string[]) =>
    message([1, name], ...values.map((value): Field => [9, value]), [20, 8]),
};

/** Gives back its features: with one feature, the feature is the risk; with three, they are the three effects. */
export function identityModel(features: number): Buffer {
  return model({
    nodes: [node('Identity', ['features'], ['scores'])],
    input: ['N', features],
    output: ['N', features],
  });
}

/** A logistic regression: the sigmoid of `features · weights + bias`, in one column. */
export function linearModel(weights: readonly number[], bias: number): Buffer {
  return model({
    nodes: [
      node('MatMul', ['features', 'weights'], ['product']),
      node('Add', ['product', 'bias'], ['sum']),
      node('Sigmoid', ['sum'], ['scores']),
    ],
    initializers: [tensor('weights', [weights.length, 1], weights), tensor('bias', [1], [bias])],
    input: ['N', weights.length],
    output: ['N', 1],
  });
}
