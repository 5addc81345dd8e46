import { readFile, stat } from 'node:fs/promises';
import { crc32, inflateRawSync } from 'node:zlib';
import { leadingZeros } from './workbook-zeros.ts';

/** Bytes of a workbook as it lies on the disk, and of what it holds: all of it goes through memory. */
const LARGEST_FILE = 64 * 2 ** 20;
const LARGEST_UNPACKED = 96 * 2 ** 20;
const MOST_ENTRIES = 10_000;
/** What a workbook's XML is packed to; more is made to fill a memory. */
const LARGEST_RATIO = 200;
const MIB = 2 ** 20;
/** Cells of the rectangle that a sheet spans: whoever reads it fills it in, and one cell far away makes it large. */
const MOST_CELLS = 20_000_000;
/** Rows of a sheet of Excel; an empty one takes memory, too. */
const MOST_ROWS = 2 ** 20;

/** A sheet, as the workbook lists it. */
export interface ListedSheet {
  readonly name: string;
  readonly isHidden: boolean;
}

export type Archive =
  | { readonly trouble: string }
  | {
      readonly sheets: readonly ListedSheet[];
      /** Whether its days are counted from 1904 rather than from 1900 (ECMA-376, `date1904` of workbookPr). */
      readonly countsFrom1904: boolean;
      /** The parts that were looked at, and no other: who reads a ZIP from its start may find some that no directory lists. */
      readonly bytes: Buffer;
    };

const REMEDY = 'save the sheet as CSV in UTF-8';

/** Looks into a workbook, every part of which is unpacked within bounds, whatever it says of its own size. */
export async function lookIntoWorkbook(file: string): Promise<Archive> {
  const { size } = await stat(file);
  if (size > LARGEST_FILE)
    return { trouble: `it has ${Math.round(size / MIB)} MiB, and at most 64 are read: ${REMEDY}` };
  const bytes = await readFile(file);
  if (bytes.subarray(0, 4).equals(Buffer.from([0xd0, 0xcf, 0x11, 0xe0]))) {
    return bytes.includes(Buffer.from('EncryptedPackage', 'utf16le'))
      ? { trouble: 'it is locked by a password: open it and save it as .xlsx without one' }
      : { trouble: 'it is a workbook of Excel 97 to 2003: save it as .xlsx, or the sheet as CSV in UTF-8' };
  }
  const parts = entriesOf(bytes);
  if (parts === undefined) return { trouble: `it is no workbook that can be read, or was cut off: ${REMEDY}` };
  let left = Math.min(LARGEST_UNPACKED, LARGEST_RATIO * Math.max(size, MIB / 100));
  let workbook = '';
  const contents = new Map<string, Buffer>();
  for (const part of parts) {
    const content = unpacked(bytes, part, left);
    if (content === undefined) {
      return {
        trouble: `it unpacks to more than ${Math.round(LARGEST_UNPACKED / MIB)} MiB, or is made to fill a memory: ${REMEDY}`,
      };
    }
    left -= content.length;
    contents.set(part.name, content);
    if (part.name === 'xl/workbook.xml') workbook = content.toString('utf8');
    if (cellsOf(content) > MOST_CELLS) {
      return {
        trouble: `a sheet has a cell far from the others: delete what is right of them and below, or ${REMEDY}`,
      };
    }
  }
  const sheets = [...workbook.matchAll(/<(?:\w+:)?sheet\s([^>]*)>/g)].map(([, attributes = '']) => ({
    name: unescaped(/(?:^|\s)name="([^"]*)"/.exec(attributes)?.[1] ?? ''),
    isHidden: /(?:^|\s)state="(?:hidden|veryHidden)"/.test(attributes),
  }));
  const asShown = leadingZeros(contents.get('xl/styles.xml')?.toString('utf8') ?? '');
  if (asShown !== undefined) {
    for (const [name, content] of contents) {
      if (content.includes('sheetData')) contents.set(name, Buffer.from(asShown(content.toString('utf8'))));
    }
  }
  return sheets.length === 0
    ? { trouble: `it is no workbook that can be read: ${REMEDY}` }
    : { sheets, countsFrom1904: FROM_1904.test(workbook), bytes: archiveOf(contents) };
}

/** Bytes that a workbook says it holds, without unpacking any; 0 of what is none, or is too large to be read. */
export async function sizeOfWorkbook(file: string): Promise<number> {
  try {
    if ((await stat(file)).size > LARGEST_FILE) return 0;
    const size = entriesOf(await readFile(file))?.reduce((sum, { unpacked }) => sum + unpacked, 0) ?? 0;
    return size > LARGEST_UNPACKED ? 0 : size;
  } catch {
    return 0;
  }
}

const FROM_1904 = /<(?:\w+:)?workbookPr\b[^>]*\sdate1904\s*=\s*["'](?:1|true)["']/;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly packed: number;
  /** Bytes of its content, as it says itself. */
  readonly unpacked: number;
  /** Of its local header. */
  readonly offset: number;
}

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;

/** Entries of a ZIP file by its central directory (APPNOTE 4.3.12); undefined where it has none. */
function entriesOf(bytes: Buffer): Entry[] | undefined {
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end === -1 || end + 22 > bytes.length || bytes.readUInt32LE(end) !== END) return undefined;
  const count = bytes.readUInt16LE(end + 10);
  let at = bytes.readUInt32LE(end + 16);
  if (count > MOST_ENTRIES) return undefined;
  const entries: Entry[] = [];
  for (let index = 0; index < count; index++) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== CENTRAL) return undefined;
    const [name, extra, comment] = [28, 30, 32].map((place) => bytes.readUInt16LE(at + place)) as [
      number,
      number,
      number,
    ];
    entries.push({
      name: bytes.toString('utf8', at + 46, at + 46 + name),
      method: bytes.readUInt16LE(at + 10),
      packed: bytes.readUInt32LE(at + 20),
      unpacked: bytes.readUInt32LE(at + 24),
      offset: bytes.readUInt32LE(at + 42),
    });
    at += 46 + name + extra + comment;
  }
  return entries;
}

/** Content of an entry; undefined where it is larger than so many bytes, or broken. */
function unpacked(bytes: Buffer, { method, packed, offset }: Entry, most: number): Buffer | undefined {
  if (offset + 30 > bytes.length || bytes.readUInt32LE(offset) !== LOCAL) return undefined;
  const start = offset + 30 + bytes.readUInt16LE(offset + 26) + bytes.readUInt16LE(offset + 28);
  const content = bytes.subarray(start, start + packed);
  if (method === 0) return content.length <= most ? content : undefined;
  try {
    return method === 8 && most > 0 ? inflateRawSync(content, { maxOutputLength: most }) : undefined;
  } catch {
    return undefined;
  }
}

/** Address of a cell, or number of a row, whatever stands before it. */
const ADDRESS = /\sr\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
/** As spreadsheets write one. Another, such as `1e9` or `A1&#48;`, may be read as a number far away. */
const PLAIN_ADDRESS = /^([A-Z]{0,3})(\d{1,7})$/;

/** Cells of the rectangle from A1 to the last row and the last column; no end of them where an address is not plain. */
function cellsOf(content: Buffer): number {
  if (!content.includes('sheetData')) return 0;
  let [rows, columns] = [0, 0];
  for (const [, quoted, single] of content.toString('latin1').matchAll(ADDRESS)) {
    const [, letters = '', digits] = PLAIN_ADDRESS.exec(quoted ?? single ?? '') ?? [];
    if (digits === undefined || Number(digits) > MOST_ROWS) return Number.POSITIVE_INFINITY;
    rows = Math.max(rows, Number(digits));
    columns = Math.max(
      columns,
      Array.from(letters).reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0),
    );
  }
  return rows * columns;
}

/** A ZIP file of these entries, none compressed. */
function archiveOf(contents: ReadonlyMap<string, Buffer>): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of contents) {
    const path = Buffer.from(name);
    const sizes = Buffer.alloc(22);
    sizes.writeUInt16LE(20, 0);
    sizes.writeUInt32LE(crc32(content), 10);
    sizes.writeUInt32LE(content.length, 14);
    sizes.writeUInt32LE(content.length, 18);
    const names = Buffer.alloc(4);
    names.writeUInt16LE(path.length, 0);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    locals.push(signature(LOCAL), sizes, names, path, content);
    central.push(signature(CENTRAL), sizes.subarray(0, 2), sizes, names, tail, path);
    offset += 30 + path.length + content.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(contents.size, 4);
  end.writeUInt16LE(contents.size, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, directory, signature(END), end]);
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replaceAll(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hexadecimal, name) => {
    if (name !== undefined) return NAMED[name] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
