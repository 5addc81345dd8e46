import { isUtf8 } from 'node:buffer';
import { type Beginning, type CsvRecord, csvRecords } from './csv-records.ts';

/** What other formats begin with, and what to do with such a file. */
const FORMATS: readonly (readonly [bytes: readonly number[], remedy: string])[] = [
  [[0x1f, 0x8b], 'it is compressed: name it .csv.gz'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'it is compressed: name it .csv.zst'],
  [[0x50, 0x4b, 0x03, 0x04], 'it is a workbook or an archive: save the sheet as CSV in UTF-8'],
  [[0xd0, 0xcf, 0x11, 0xe0], 'it is a workbook of Excel: save the sheet as CSV in UTF-8'],
  [[0x50, 0x41, 0x52, 0x31], 'it is Parquet: name it .parquet'],
];

/** Bytes that tell UTF-16 from a text of single bytes. */
const LOOKED_AT = 4096;

/** Why a file is no text in UTF-8 at all, and what to do; undefined when it may be. */
export function otherEncoding(bytes: Buffer): string | undefined {
  const format = FORMATS.find(([start]) => start.every((byte, index) => bytes[index] === byte));
  if (format !== undefined) return format[1];
  const head = bytes.subarray(0, LOOKED_AT);
  const mark = head.toString('hex', 0, 2);
  if (mark === 'fffe' || mark === 'feff') return rewrite('UTF-16', 'utf-16');
  const nulls = [0, 0];
  head.forEach((byte, index) => {
    if (byte === 0) nulls[index % 2] = (nulls[index % 2] ?? 0) + 1;
  });
  const [even = 0, odd = 0] = nulls;
  if (head.length === 0 || Math.max(even, odd) * 4 < head.length) return undefined;
  return rewrite('UTF-16', even > odd ? 'utf-16be' : 'utf-16le');
}

/** What to do about a text that is not UTF-8: which encoding it has, its bytes do not say. */
export const ANOTHER_ENCODING =
  'export it as UTF-8 (Excel: Save As, CSV UTF-8), or iconv -f windows-1252 -t utf-8 IN >OUT, with iso-8859-15, macintosh and ' +
  'the like where it was written so';

function rewrite(found: string, name: string): string {
  return `it is ${found}, and has to be UTF-8: iconv -f ${name} -t utf-8 IN >OUT`;
}

/**
 * What is wrong with the header and the line below it, where DuckDB would read on; undefined when nothing is.
 * @param skipped lines above the header
 */
export function headerTrouble(bytes: Buffer, delimiter: string, skipped: number): string | undefined {
  const [header, next] = take(csvRecords(bytes, delimiter), 2);
  if (header === undefined) return undefined;
  const text = ({ start, end }: CsvRecord) => bytes.toString('utf8', start, end);
  const names = text(header).split(delimiter);
  if (names.length > 2 && names.slice(1).every((name) => name.replaceAll('"', '').trim() === '')) {
    return `line ${header.line + skipped} has one name and ${names.length - 1} empty ones, as a title has: put the header first`;
  }
  if (next === undefined || !isRule(text(next), delimiter)) return undefined;
  return `line ${next.line + skipped} is a line of dashes, as sqlcmd and psql write it under the header: remove it`;
}

/**
 * What is wrong with a file of one column whose lines all have as many words: no character sets its columns apart, but
 * blanks do.
 */
export function blankTrouble(bytes: Buffer, skipped: number): string | undefined {
  const lines = take(csvRecords(bytes, ','), WORDS_COMPARED).map(({ start, end }) =>
    bytes.toString('utf8', start, end),
  );
  const words = lines.map((text) => text.trim().split(/ +/).length);
  const [names = 1] = words;
  const isSpaced = names >= 3 || lines[0]?.trim().includes('  ') === true;
  if (lines.length < 2 || names < 2 || !isSpaced || words.some((count) => count !== names)) return undefined;
  return `line ${1 + skipped} has ${names} names with blanks between them: set columns apart by commas (tr -s ' ' , <IN >OUT, where no value has a blank)`;
}

const WORDS_COMPARED = 100;

/** A line that is drawn, not data. */
function isRule(line: string, delimiter: string): boolean {
  return line.split(delimiter).every((part) => /^[-+=]{2,}$/.test(part.trim()));
}

/** What the bytes of a CSV file show. */
export interface Diagnosis {
  /** With its line and what to do; undefined when nothing was found in what was looked at. */
  readonly trouble: string | undefined;
  /** Whether all that stands against it is that its lines end in several ways. */
  readonly isReadable: boolean;
  /** Records, the header too. */
  readonly records: number;
}

/**
 * Why DuckDB refuses a CSV file, from its bytes: in words that name a line and a remedy, and no value.
 * @param beginning from its header on
 * @param skipped lines above the header
 */
export function diagnoseCsv({ bytes, isWhole }: Beginning, delimiter: string, skipped: number): Diagnosis {
  const line = (record: CsvRecord) => record.line + skipped;
  const said = (trouble: string): Diagnosis => ({ trouble, isReadable: false, records: 0 });
  const foreign = notUtf8(bytes);
  if (foreign !== undefined) {
    return said(`line ${foreign + skipped} is not UTF-8: ${ANOTHER_ENCODING}`);
  }
  const widths = widthsOf(bytes, delimiter);
  let header: CsvRecord | undefined;
  let previous: CsvRecord | undefined;
  let mixed: string | undefined;
  let backslash: CsvRecord | undefined;
  let records = 0;
  for (const record of csvRecords(bytes, delimiter)) {
    records++;
    const isCut = record.lineEnd === undefined && !isWhole;
    header ??= record;
    if (record.hasBackslash) backslash ??= record;
    if (record.columns !== header.columns || record.isOpen || record.hasStrayQuote) {
      if (isCut) break;
      if (backslash !== undefined) {
        return said(
          `line ${line(backslash)} has a backslash before a quote: export with doubled quotes (MySQL: ESCAPED BY '')`,
        );
      }
      if (record.isOpen) return said(`a quote that opens on line ${line(record)} is not closed`);
      if (record.hasStrayQuote)
        return said(`line ${line(record)} has more behind a closing quote: double the quotes in it`);
      return said(ragged(header, record, { line, widths, bytes, isLast: isWhole && isLast(bytes, record) }));
    }
    if (record.lineEnd !== undefined && header.lineEnd !== undefined && record.lineEnd !== header.lineEnd) {
      mixed ??= `line ${line(record)} ends in ${record.lineEnd}, the first in ${header.lineEnd}: write the file with one kind of line end`;
    }
    previous = record;
  }
  return { trouble: mixed, isReadable: isWhole && previous !== undefined, records };
}

interface Found {
  readonly line: (record: CsvRecord) => number;
  readonly widths: ReadonlyMap<string, Width>;
  readonly bytes: Buffer;
  readonly isLast: boolean;
}

function ragged(header: CsvRecord, record: CsvRecord, { line, widths, bytes, isLast: atEnd }: Found): string {
  const [[, usual]] = [...widths].sort(([, a], [, b]) => b.records - a.records) as [[string, Width]];
  if (header.columns !== usual.columns && usual.records > 1) {
    if (header.columns === usual.columns + 1 && endsInDelimiter(bytes, header)) {
      return 'the header ends in a delimiter that the rows have not: remove it';
    }
    const last = line(usual.first) - 1;
    const lines = last <= line(header) ? `line ${line(header)} has` : `lines ${line(header)} to ${last} have`;
    return `${lines} ${columns(header.columns)}, most others ${usual.columns}: put the header first, without a title or a comment above it`;
  }
  const what = `line ${line(record)} has ${columns(record.columns)}, the header ${header.columns}`;
  return atEnd ? `${what}; it is the last line: remove it if it is a footer` : what;
}

/** How many records have so many columns, and the first of them. */
interface Width {
  readonly columns: number;
  readonly first: CsvRecord;
  records: number;
}

/** By the delimiter and the number of columns; what has one column only says nothing of the delimiter. */
function widthsOf(bytes: Buffer, delimiter: string): ReadonlyMap<string, Width> {
  const widths = new Map<string, Width>();
  for (const one of new Set([delimiter, ',', ';', '\t', '|'])) {
    for (const record of take(csvRecords(bytes, one), RECORDS_COMPARED)) {
      if (record.columns === 1 && one !== delimiter) continue;
      const key = `${one}${record.columns}`;
      const width = widths.get(key) ?? { columns: record.columns, first: record, records: 0 };
      width.records++;
      widths.set(key, width);
    }
  }
  return widths;
}

const RECORDS_COMPARED = 200;

function endsInDelimiter(bytes: Buffer, { end }: CsvRecord): boolean {
  return [',', ';', '\t', '|'].includes(String.fromCharCode(bytes[end - 1] ?? 0));
}

function isLast(bytes: Buffer, { end }: CsvRecord): boolean {
  return bytes.toString('latin1', end).trim() === '';
}

function columns(count: number): string {
  return count === 1 ? '1 column' : `${count} columns`;
}

/** The first line that is not UTF-8. */
function notUtf8(bytes: Buffer): number | undefined {
  if (isUtf8(bytes)) return undefined;
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const found = bytes.indexOf(0x0a, start);
    const end = found === -1 ? bytes.length : found;
    // A character may be cut where the bytes that are looked at end.
    if (!isUtf8(bytes.subarray(start, end))) return found === -1 && bytes.length >= LOOKED_INTO ? undefined : line;
    start = end + 1;
  }
  return undefined;
}

/** Bytes that a diagnosis looks at. */
export const LOOKED_INTO = 32 * 2 ** 20;

export function take<Item>(items: Iterable<Item>, count: number): Item[] {
  const taken: Item[] = [];
  for (const item of items) {
    taken.push(item);
    if (taken.length === count) break;
  }
  return taken;
}
