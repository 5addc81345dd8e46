/*
 * Writes small ONNX models byte by byte. Field numbers are those of onnx.proto
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
 */

const FLOAT = 1;
/** Type of an AttributeProto that is a whole number. */
const INT_ATTRIBUTE = 2;

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

/** A TensorProto of floats; without dimensions it is a single number. */
export function tensor(name: string, dimensions: readonly number[], values: readonly number[]): Buffer {
  const raw = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) raw.writeFloatLE(value, index * 4);
  return message(...dimensions.map((size): Field => [1, size]), [2, FLOAT], [8, name], [9, raw]);
}

/** An AttributeProto of a node that is a whole number, such as the type that a Cast makes. */
function integerAttribute(name: string, value: number): Buffer {
  return message([1, name], [3, value], [20, INT_ATTRIBUTE]);
}

/** A Cast of anything to floats. */
export function castToFloat(input: string, output: string): Buffer {
  return node('Cast', [input], [output], [integerAttribute('to', FLOAT)]);
}

/** A NodeProto. */
export function node(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: readonly Uint8Array[] = [],
  domain = '',
): Buffer {
  return message(
    ...inputs.map((name): Field => [1, name]),
    ...outputs.map((name): Field => [2, name]),
    [4, operator],
    ...attributes.map((attribute): Field => [5, attribute]),
    ...(domain === '' ? [] : [[7, domain] as Field]),
  );
}

/** A ValueInfoProto of a tensor; a text is a dimension without a fixed size. */
function value(name: string, dimensions: readonly (number | string)[], elementType = FLOAT): Buffer {
  const shape = message(
    ...dimensions.map((size): Field => [1, message(typeof size === 'number' ? [1, size] : [2, size])]),
  );
  return message([1, name], [2, message([1, message([1, elementType], [2, shape])])]);
}

export interface Graph {
  readonly name?: string;
  readonly nodes: readonly Uint8Array[];
  readonly initializers?: readonly Uint8Array[];
  readonly input: readonly (number | string)[];
  readonly output: readonly (number | string)[];
  /** Default: `scores` alone. */
  readonly outputNames?: readonly string[];
  readonly elementType?: number;
  readonly functions?: readonly Uint8Array[];
  /** Version of the operators; 13 when absent. */
  readonly opset?: number;
  /** Version of `ai.onnx.ml`, the operators of learned models, where any is used. */
  readonly learnedOpset?: number;
}

/** A ModelProto (IR 8) with one input `features` and outputs of one shape. */
export function model(graph: Graph): Buffer {
  const body = message(
    ...graph.nodes.map((bytes): Field => [1, bytes]),
    [2, graph.name ?? 'test'],
    ...(graph.initializers ?? []).map((bytes): Field => [5, bytes]),
    [11, value('features', graph.input, graph.elementType)],
    ...(graph.outputNames ?? ['scores']).map((name): Field => [12, value(name, graph.output, graph.elementType)]),
  );
  return message(
    [1, 8],
    [2, 'holdfast'],
    [7, body],
    [8, message([2, graph.opset ?? 13])],
    ...(graph.learnedOpset === undefined
      ? []
      : [[8, message([1, 'ai.onnx.ml'], [2, graph.learnedOpset])] satisfies Field]),
    ...(graph.functions ?? []).map((bytes): Field => [25, bytes]),
  );
}
