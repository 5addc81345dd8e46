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

/** The bytes are not an ONNX model. */
export class MalformedModel extends Error {}

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

interface ReadField {
  readonly number: number;
  /** What a field with a length holds. */
  readonly body: Reader | undefined;
  /** Whether a field that is a number differs from 0; true for whatever is not a number. */
  readonly nonZero: boolean;
}

/** Reads the wire format (https://protobuf.dev/programming-guides/encoding/) within bounds. */
export class Reader {
  readonly #bytes: Uint8Array;
  #position: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  get atEnd(): boolean {
    return this.#position === this.#end;
  }

  field(): ReadField {
    const tag = this.#varint();
    const number = Math.floor(tag / 8);
    if (number < 1 || number > 536_870_911) throw new MalformedModel('a field has an impossible number');
    switch (tag % 8) {
      case 0:
        return { number, body: undefined, nonZero: this.#varint() !== 0 };
      case 1:
        this.#skip(8);
        return { number, body: undefined, nonZero: true };
      case 2: {
        const length = this.#varint();
        const start = this.#position;
        this.#skip(length);
        return { number, body: new Reader(this.#bytes, start, this.#position), nonZero: true };
      }
      case 5:
        this.#skip(4);
        return { number, body: undefined, nonZero: true };
      default:
        throw new MalformedModel(`field ${number} has an unknown wire type`);
    }
  }

  text(): string {
    return Buffer.from(this.#bytes.subarray(this.#position, this.#end)).toString('utf8');
  }

  #skip(length: number): void {
    if (length > this.#end - this.#position) throw new MalformedModel('a field is longer than what holds it');
    this.#position += length;
  }

  /** Beyond 2^53 the value is only good for comparing with 0 and with a length, which it then exceeds. */
  #varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.#position < this.#end ? this.#bytes[this.#position] : undefined;
      if (byte === undefined) throw new MalformedModel('the bytes end within a number');
      this.#position++;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    throw new MalformedModel('a number has more than ten bytes');
  }
}
