/*
 * Writes tiny ONNX models byte by byte, so that tests need no Python. Field numbers are those of onnx.proto
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
 */

const FLOAT = 1;

export type Field = readonly [number: number, value: number | string | Uint8Array];

/** One protobuf message: numbers as varints, texts and bytes with their length. */
export function message(...fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.map(([number, value]) => {
      if (typeof value === 'number') return Buffer.concat([varint(number << 3), varint(value)]);
      const bytes = typeof value === 'string' ? Buffer.from(value) : value;
      return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
    }),
  );
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

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

/** A TensorProto of floats. */
export function tensor(name: string, dimensions: readonly number[], values: readonly number[]): Buffer {
  const raw = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) raw.writeFloatLE(value, index * 4);
  return message(...dimensions.map((size): Field => [1, size]), [2, FLOAT], [8, name], [9, raw]);
}

/** A TensorProto whose values are said to lie in another file. */
export function externalTensor(name: string, dimensions: readonly number[], location: string): Buffer {
  const entry = message([1, 'location'], [2, location]);
  return message(...dimensions.map((size): Field => [1, size]), [2, FLOAT], [8, name], [13, entry], [14, 1]);
}

/** A NodeProto. */
export function node(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: readonly Uint8Array[] = [],
  domain = '',
) {
  return message(
    ...inputs.map((name): Field => [1, name]),
    ...outputs.map((name): Field => [2, name]),
    [4, operator],
    ...attributes.map((attribute): Field => [5, attribute]),
    ...(domain === '' ? [] : [[7, domain] as Field]),
  );
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

/** A ValueInfoProto of a float tensor; a text is a dimension without a fixed size. */
function value(name: string, dimensions: readonly (number | string)[], elementType = FLOAT): Buffer {
  const shape = message(
    ...dimensions.map((size): Field => [1, message(typeof size === 'number' ? [1, size] : [2, size])]),
  );
  return message([1, name], [2, message([1, message([1, elementType], [2, shape])])]);
}

interface Graph {
  readonly nodes: readonly Uint8Array[];
  readonly initializers?: readonly Uint8Array[];
  readonly input: readonly (number | string)[];
  readonly output: readonly (number | string)[];
  readonly elementType?: number;
  readonly functions?: readonly Uint8Array[];
  readonly opset?: number;
  readonly learnedOpset?: number;
}

/** A ModelProto with one input `features` and one output `scores`. */
export function model(graph: Graph): Buffer {
  const body = message(
    ...graph.nodes.map((bytes): Field => [1, bytes]),
    [2, 'test'],
    ...(graph.initializers ?? []).map((bytes): Field => [5, bytes]),
    [11, value('features', graph.input, graph.elementType)],
    [12, value('scores', graph.output, graph.elementType)],
  );
  return message(
    [1, 8],
    [7, body],
    [8, message([2, graph.opset ?? 13])],
    [8, message([1, 'ai.onnx.ml'], [2, graph.learnedOpset ?? 3])],
    ...(graph.functions ?? []).map((bytes): Field => [25, bytes]),
  );
}

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
