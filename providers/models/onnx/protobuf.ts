/** The bytes are not an ONNX model. */
export class MalformedModel extends Error {}

export interface ReadField {
  readonly number: number;
  /** What a field with a length holds: text, bytes, a message, numbers. */
  readonly body: Reader | undefined;
  /** The four or eight bytes of a field of a fixed size. */
  readonly fixed: Uint8Array | undefined;
  /** Whether a field that is a number differs from 0; true for whatever is not a number. */
  readonly nonZero: boolean;
  /** A whole number up to 2^53; −1 for a larger or negative one, and for whatever is not a whole number. */
  readonly value: number;
}

/** Negative whole numbers come out beyond this. */
const LARGEST = Number.MAX_SAFE_INTEGER;

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
      case 0: {
        const value = this.#varint();
        return { number, body: undefined, fixed: undefined, nonZero: value !== 0, value: value > LARGEST ? -1 : value };
      }
      case 1:
        return { number, body: undefined, fixed: this.#take(8).bytes(), nonZero: true, value: -1 };
      case 2:
        return { number, body: this.#take(this.#varint()), fixed: undefined, nonZero: true, value: -1 };
      case 5:
        return { number, body: undefined, fixed: this.#take(4).bytes(), nonZero: true, value: -1 };
      default:
        throw new MalformedModel(`field ${number} has an unknown wire type`);
    }
  }

  /** The same from here on, to be read twice. */
  again(): Reader {
    return new Reader(this.#bytes, this.#position, this.#end);
  }

  text(): string {
    return Buffer.from(this.bytes()).toString('utf8');
  }

  /** What is left to read, as it lies in the file. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(this.#position, this.#end);
  }

  /** What is left to read, as numbers one behind the other. */
  *varints(): Generator<number> {
    while (!this.atEnd) {
      const value = this.#varint();
      yield value > LARGEST ? -1 : value;
    }
  }

  #take(length: number): Reader {
    if (length > this.#end - this.#position) throw new MalformedModel('a field is longer than what holds it');
    const start = this.#position;
    this.#position += length;
    return new Reader(this.#bytes, start, this.#position);
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
