import { createReadStream } from 'node:fs';
import { extname } from 'node:path';
import { createGunzip, createZstdDecompress, type Gunzip, type ZstdDecompress } from 'node:zlib';

/** The beginning of a text file, or all of it. */
export interface Beginning {
  readonly bytes: Buffer;
  readonly isWhole: boolean;
}

const UNPACKERS: Readonly<Record<string, () => Gunzip | ZstdDecompress>> = {
  '.gz': createGunzip,
  '.zst': createZstdDecompress,
};

/** The first bytes of a file, as its name says it is compressed. */
export async function beginningOf(file: string, most: number): Promise<Beginning> {
  const source = createReadStream(file);
  const unpack = UNPACKERS[extname(file).toLowerCase()]?.();
  const text = unpack === undefined ? source : source.pipe(unpack);
  source.on('error', (error) => text.destroy(error));
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of text as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > most) break;
    }
  } finally {
    source.destroy();
  }
  const bytes = Buffer.concat(chunks);
  const start = bytes.subarray(0, 3).equals(Buffer.from('\ufeff')) ? 3 : 0;
  return { bytes: bytes.subarray(start, Math.max(start, most)), isWhole: length <= most };
}

export type LineEnd = 'CRLF' | 'LF' | 'CR';

/** A record of a CSV file; it takes several lines where a value in quotes does. */
export interface CsvRecord {
  /** Line that it begins on, from 1. */
  readonly line: number;
  readonly columns: number;
  /** Bytes from and up to which it goes, without the line's end. */
  readonly start: number;
  readonly end: number;
  /** Undefined at the end of the bytes. */
  readonly lineEnd: LineEnd | undefined;
  /** Whether its last quote is open where the bytes end. */
  readonly isOpen: boolean;
  /** Whether something follows a closing quote, or a backslash stands before a quote. */
  readonly hasStrayQuote: boolean;
  readonly hasBackslash: boolean;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LF = 0x0a;
const CR = 0x0d;

/** The records of a CSV text that are not empty, as RFC 4180 tells them apart. */
export function* csvRecords(bytes: Buffer, delimiter: string): Iterable<CsvRecord> {
  const separator = delimiter.charCodeAt(0);
  let position = 0;
  let line = 1;
  while (position < bytes.length) {
    const start = position;
    const first = line;
    let columns = 1;
    let isOpen = false;
    let wasQuoted = false;
    let isAtStart = true;
    let hasStrayQuote = false;
    let hasBackslash = false;
    let lineEnd: LineEnd | undefined;
    let end = bytes.length;
    for (; position < bytes.length; position++) {
      const byte = bytes[position];
      if (isOpen) {
        if (byte === LF || (byte === CR && bytes[position + 1] !== LF)) line++;
        if (byte !== QUOTE) continue;
        if (bytes[position - 1] === BACKSLASH) hasBackslash = true;
        if (bytes[position + 1] === QUOTE) position++;
        else {
          isOpen = false;
          wasQuoted = true;
        }
      } else if (byte === separator) {
        columns++;
        isAtStart = true;
        wasQuoted = false;
        continue;
      } else if (byte === LF || byte === CR) {
        lineEnd = byte === LF ? 'LF' : bytes[position + 1] === LF ? 'CRLF' : 'CR';
        end = position;
        position += lineEnd === 'CRLF' ? 2 : 1;
        line++;
        break;
      } else if (byte === QUOTE && isAtStart) {
        isOpen = true;
      } else if (wasQuoted) {
        hasStrayQuote = true;
      }
      isAtStart = false;
    }
    const record = { line: first, columns, start, end, lineEnd, isOpen, hasStrayQuote, hasBackslash };
    if (end > start) yield record;
  }
}
