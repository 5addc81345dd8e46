import { MalformedModel, Reader } from './protobuf.ts';

/** The numbers of a tensor of floats, doubles or whole numbers. */
export interface GraphTensor {
  readonly dimensions: readonly number[];
  /** Whether its elements are float32, the only type that features and thresholds have here. */
  readonly float32: boolean;
  readonly values: Float64Array;
}

/** What a node is told apart from its inputs; only the member that fits its kind is filled. */
export interface Attribute {
  readonly number: number | undefined;
  readonly text: string | undefined;
  readonly tensor: GraphTensor | undefined;
  readonly numbers: Float64Array;
  readonly texts: readonly string[];
}

export interface GraphNode {
  readonly operator: string;
  /** Empty for ONNX's own operators. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** The main graph of an ONNX model, its nodes in an order in which they can be computed. */
export interface OnnxGraph {
  readonly nodes: readonly GraphNode[];
  readonly initializers: ReadonlyMap<string, GraphTensor>;
  readonly inputs: readonly string[];
  /** Outputs that hold float32 tensors. */
  readonly floatOutputs: readonly string[];
}

const FLOAT = 1;

/**
 * Reads the graph of a model that ONNX Runtime has taken, or could. Field numbers are those of onnx.proto
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
 * @throws MalformedModel when the bytes cannot be an ONNX model
 */
export function readGraph(bytes: Uint8Array): OnnxGraph {
  const nodes: GraphNode[] = [];
  const initializers = new Map<string, GraphTensor>();
  const inputs: string[] = [];
  const floatOutputs: string[] = [];
  for (const graph of messages(new Reader(bytes, 0, bytes.length), 7)) {
    while (!graph.atEnd) {
      const { number, body } = graph.field();
      if (body === undefined) continue;
      if (number === 1) nodes.push(readNode(body));
      if (number === 5) {
        const { name, tensor } = readTensor(body);
        initializers.set(name, tensor);
      }
      if (number === 11) inputs.push(readValue(body).name);
      if (number === 12) {
        const value = readValue(body);
        if (value.elementType === FLOAT) floatOutputs.push(value.name);
      }
    }
  }
  return { nodes, initializers, inputs: inputs.filter((name) => !initializers.has(name)), floatOutputs };
}

function* messages(reader: Reader, wanted: number): Generator<Reader> {
  while (!reader.atEnd) {
    const { number, body } = reader.field();
    if (number === wanted && body !== undefined) yield body;
  }
}

function readNode(reader: Reader): GraphNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, Attribute>();
  let operator = '';
  let domain = '';
  while (!reader.atEnd) {
    const { number, body } = reader.field();
    if (body === undefined) continue;
    if (number === 1) inputs.push(body.text());
    if (number === 2) outputs.push(body.text());
    if (number === 4) operator = body.text();
    if (number === 7) domain = body.text();
    if (number === 5) {
      const { name, attribute } = readAttribute(body);
      attributes.set(name, attribute);
    }
  }
  return { operator, domain: domain === 'ai.onnx' ? '' : domain, inputs, outputs, attributes };
}

function readAttribute(reader: Reader): { name: string; attribute: Attribute } {
  let name = '';
  let number: number | undefined;
  let text: string | undefined;
  let tensor: GraphTensor | undefined;
  const numbers: number[] = [];
  const texts: string[] = [];
  while (!reader.atEnd) {
    const field = reader.field();
    const { body, fixed, value } = field;
    switch (field.number) {
      case 1:
        name = body?.text() ?? '';
        break;
      case 2:
        if (fixed !== undefined) number = floats(fixed)[0];
        break;
      case 3:
        number = value;
        break;
      case 4:
        text = body?.text();
        break;
      case 5:
        if (body !== undefined) tensor = readTensor(body).tensor;
        break;
      case 7:
        // Repeated numbers are one field each, or all in one.
        for (const each of floats(fixed ?? body?.bytes() ?? new Uint8Array())) numbers.push(each);
        break;
      case 8:
        if (body === undefined) numbers.push(value);
        else for (const each of body.varints()) numbers.push(each);
        break;
      case 9:
        texts.push(body?.text() ?? '');
        break;
      default:
    }
  }
  return { name, attribute: { number, text, tensor, numbers: Float64Array.from(numbers), texts } };
}

/** Bytes of an element, and how to read one, by the types that numbers of a graph have. */
const ELEMENTS: Readonly<Record<number, readonly [size: number, read: (view: DataView, at: number) => number]>> = {
  [FLOAT]: [4, (view, at) => view.getFloat32(at, true)],
  2: [1, (view, at) => view.getUint8(at)],
  3: [1, (view, at) => view.getInt8(at)],
  6: [4, (view, at) => view.getInt32(at, true)],
  7: [8, (view, at) => Number(view.getBigInt64(at, true))],
  9: [1, (view, at) => view.getUint8(at)],
  11: [8, (view, at) => view.getFloat64(at, true)],
};

function readTensor(reader: Reader): { name: string; tensor: GraphTensor } {
  let name = '';
  let type = 0;
  let raw: Uint8Array | undefined;
  const dimensions: number[] = [];
  const values: number[] = [];
  while (!reader.atEnd) {
    const { number, body, fixed, value } = reader.field();
    const bytes = fixed ?? body?.bytes() ?? new Uint8Array();
    switch (number) {
      case 1:
        if (body === undefined) dimensions.push(value);
        else for (const each of body.varints()) dimensions.push(each);
        break;
      case 2:
        type = value;
        break;
      case 4:
        for (const each of floats(bytes)) values.push(each);
        break;
      case 5:
      case 7:
        if (body === undefined) values.push(value);
        else for (const each of body.varints()) values.push(each);
        break;
      case 8:
        name = body?.text() ?? '';
        break;
      case 9:
        raw = bytes;
        break;
      case 10:
        for (const each of elements(bytes, 11)) values.push(each);
        break;
      default:
    }
  }
  const numbers = raw === undefined ? Float64Array.from(values) : elements(raw, type);
  return { name, tensor: { dimensions, float32: type === FLOAT, values: numbers } };
}

function floats(bytes: Uint8Array): Float64Array {
  return elements(bytes, FLOAT);
}

function elements(bytes: Uint8Array, type: number): Float64Array {
  const element = ELEMENTS[type];
  if (element === undefined) return new Float64Array();
  const [size, read] = element;
  if (bytes.length % size !== 0) throw new MalformedModel('the values of a tensor are cut short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Float64Array.from({ length: bytes.length / size }, (_, index) => read(view, index * size));
}

/** Name of an input or output, and the type of its elements when it is a tensor. */
function readValue(reader: Reader): { name: string; elementType: number } {
  let name = '';
  let elementType = 0;
  while (!reader.atEnd) {
    const { number, body } = reader.field();
    if (body === undefined) continue;
    if (number === 1) name = body.text();
    if (number !== 2) continue;
    for (const tensor of messages(body, 1)) {
      while (!tensor.atEnd) {
        const field = tensor.field();
        if (field.number === 1) elementType = field.value;
      }
    }
  }
  return { name, elementType };
}
