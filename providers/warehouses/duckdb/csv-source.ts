import { extname } from 'node:path';
import { type Engine, identifier, literal } from '../../../base/duckdb/engine.ts';
import { numberForm } from '../../../base/duckdb/number-types.ts';
import { HoldfastError } from '../../../base/errors.ts';
import { type Beginning, beginningOf, type CsvRecord, csvRecords } from './csv-records.ts';
import { blankTrouble, diagnoseCsv, headerTrouble, LOOKED_INTO, otherEncoding, take } from './csv-trouble.ts';
import { readingFrom } from './failure.ts';
import { asPattern } from './file-format.ts';

const DELIMITERS = [',', '\t', ';', '|'];

/** Bytes in which a header has to end. */
const HEADER_BYTES = 4 * 2 ** 20;

/** How a CSV file is to be read. */
interface Layout {
  readonly delimiter: string;
  /** Columns of its header. */
  readonly columns: number;
  /** Lines above the header: empty ones, and Excel's `sep=`. */
  readonly skip: number;
  /** Whether DuckDB is to refuse what RFC 4180 does not allow. */
  readonly strict: boolean;
}

/**
 * The `read_csv(…)` of CSV files that have one header line each. A compressed file is read like any other.
 *
 * The header decides the delimiter and the number of columns. Left to guess, DuckDB takes one ragged row, such as
 * the last line of a file that was cut off, as a sign of another delimiter, and no column has its name any more.
 *
 * Types come from every row, not from the first thousands: a text further down makes its column text, for the
 * query to cast or for `extract` to reject that row, where a type guessed from a part would fail the whole file.
 * @param allVarchar leaves every column the text that is written there
 * @throws HF_SOURCE_UNSUITABLE naming the file, the line that is in the way, and what to do about it
 */
export async function csvScan(
  engine: Engine,
  connectorId: string,
  files: readonly string[],
  allVarchar = false,
): Promise<string> {
  const layouts: Layout[] = [];
  for (const file of files) {
    layouts.push(await readingFrom(connectorId, `read ${file}`, () => layoutOf(engine, connectorId, file)));
  }
  const delimiters = new Set(layouts.flatMap(({ columns, delimiter }) => (columns === 1 ? [] : delimiter)));
  const skips = new Set(layouts.map(({ skip }) => skip));
  const differing = delimiters.size > 1 ? 'delimiters' : skips.size > 1 ? 'lines above the header' : undefined;
  if (differing !== undefined) {
    const sentence = `Connector ${connectorId}: ${files[0]} and the files read with it differ in their ${differing}; give them the same.`;
    throw new HoldfastError('HF_SOURCE_UNSUITABLE', sentence);
  }
  const [delimiter = ','] = delimiters;
  const layout = { delimiter, skip: layouts[0]?.skip ?? 0, strict: layouts.every(({ strict }) => strict) };
  const source = `[${files.map(asPattern).map(literal).join(', ')}], ${dialect(layout)}, union_by_name = ${files.length > 1}`;
  if (allVarchar) return `read_csv(${source}, all_varchar = true)`;
  const sniffed = await engine.rows<Sniffed>(`DESCRIBE SELECT * FROM read_csv(${source}, sample_size = -1)`);
  const altered = await alteredByType(engine, `read_csv(${source}, all_varchar = true)`, sniffed);
  const types = sniffed.map(({ column_name, column_type }) => {
    const type = altered.has(column_name) ? 'VARCHAR' : column_type;
    return `${literal(column_name)}: ${literal(type)}`;
  });
  return `read_csv(${source}, types = {${types.join(', ')}})`;
}

/** A column of text, and the type that its values have. */
export interface Sniffed {
  readonly column_name: string;
  readonly column_type: string;
}

function dialect({ delimiter, skip, strict }: Pick<Layout, 'delimiter' | 'skip' | 'strict'>): string {
  return `header = true, skip = ${skip}, delim = ${literal(delimiter)}, quote = '"', escape = '"', comment = '', strict_mode = ${strict}`;
}

/**
 * How to read a file all of whose rows have the columns of its header.
 * @throws HF_SOURCE_UNSUITABLE with what is in the way
 */
async function layoutOf(engine: Engine, connectorId: string, file: string): Promise<Layout> {
  const refuse = (trouble: string) =>
    new HoldfastError('HF_SOURCE_UNSUITABLE', `Connector ${connectorId}: cannot read ${file}: ${trouble}.`);
  const head = await beginningOf(file, HEADER_BYTES);
  const encoding = otherEncoding(head.bytes);
  if (encoding !== undefined) throw refuse(encoding);
  const { skip, start, delimiter: told } = aboveHeader(head.bytes);
  const bytes = head.bytes.subarray(start);
  const layout = { skip, strict: true, ...delimiterOf(bytes, told === undefined ? candidates(file) : [told]) };
  if (layout.columns === 0) throw refuse('it has no line with anything in it');
  const trouble =
    headerTrouble(bytes, layout.delimiter, skip) ?? (layout.columns === 1 ? blankTrouble(bytes, skip) : undefined);
  if (trouble !== undefined) throw refuse(trouble);
  try {
    await checkedRows(engine, file, layout);
    return layout;
  } catch (error) {
    const text = await beginningOf(file, LOOKED_INTO);
    const beginning: Beginning = { ...text, bytes: text.bytes.subarray(start) };
    const { trouble: found, isReadable, records } = diagnoseCsv(beginning, layout.delimiter, skip);
    const lenient = { ...layout, strict: false };
    if (isReadable && (await rowsIfAny(engine, file, lenient)) === records - 1) return lenient;
    throw found === undefined ? error : refuse(found);
  }
}

/** Rows of a file; only with its columns given does DuckDB say which line has not got them. */
async function checkedRows(engine: Engine, file: string, layout: Layout): Promise<number> {
  const columns = Array.from({ length: layout.columns }, (_, index) => `'c${index}': 'VARCHAR'`).join(', ');
  const [counted] = await engine.rows<{ rows: string }>(
    `SELECT count(*) AS rows, count(COLUMNS(*)) FROM read_csv(${literal(asPattern(file))}, auto_detect = false, columns = {${columns}}, ${dialect(layout)})`,
  );
  // What it counts so it may still not be able to find the header of.
  await engine.rows(`DESCRIBE SELECT * FROM read_csv(${literal(asPattern(file))}, ${dialect(layout)})`);
  return Number(counted?.rows);
}

async function rowsIfAny(engine: Engine, file: string, layout: Layout): Promise<number | undefined> {
  return await checkedRows(engine, file, layout).catch(() => undefined);
}

/** Lines above the header, where it starts, and the delimiter that Excel's `sep=` names. */
function aboveHeader(bytes: Buffer): { skip: number; start: number; delimiter?: string } {
  let skip = 0;
  let start = 0;
  for (;;) {
    const line = /^([^\r\n]*)(\r\n|\n|\r)/.exec(bytes.toString('latin1', start, start + LONGEST_SKIPPED));
    const separator = /^"?sep=([,;|\t])"?$/i.exec(line?.[1] ?? '')?.[1];
    if (line === null || (separator === undefined && line[1]?.trim() !== '')) return { skip, start };
    skip++;
    start += line[0].length;
    if (separator !== undefined) return { skip, start, delimiter: separator };
  }
}

/** Characters of a line that could be empty, or Excel's. */
const LONGEST_SKIPPED = 1024;

function candidates(file: string): readonly string[] {
  return extname(file.replace(/\.(gz|zst)$/, '')).toLowerCase() === '.tsv' ? ['\t'] : DELIMITERS;
}

/**
 * The delimiter that gives the header the most columns, the first of those that give as many; another one only where that
 * one fits few rows and the other all of them, as where a name holds delimiters.
 */
function delimiterOf(bytes: Buffer, delimiters: readonly string[]): Pick<Layout, 'delimiter' | 'columns'> {
  const ranked = delimiters
    .map((delimiter) => {
      const [header, ...rows] = take(csvRecords(bytes, delimiter), ROWS_COMPARED) as [CsvRecord?, ...CsvRecord[]];
      // A delimiter within quotes is none.
      const isTorn = header?.hasStrayQuote === true || header?.isOpen === true;
      const columns = isTorn ? 1 : (header?.columns ?? 0);
      const fitting = rows.filter((row) => row.columns === columns).length;
      return { delimiter, columns, fits: rows.length === 0 ? 1 : fitting / rows.length };
    })
    .sort((one, other) => other.columns - one.columns);
  const [first = { delimiter: ',', columns: 0, fits: 1 }] = ranked;
  const better = ranked.find(({ columns, fits }) => first.fits < FEW && columns > 1 && fits === 1);
  const { delimiter, columns } = better ?? first;
  return { delimiter, columns };
}

const ROWS_COMPARED = 1000;
const FEW = 0.5;

/**
 * Names of the columns whose type would change what the file says, as a number does to a customer's id: an integer
 * that does not print back as its text (`007`, `+44…`), or a whole number of more digits than a double holds.
 * Any column may be the id, under whatever name the query gives it. Decimals stay numbers, so an id written `0.10`
 * becomes 0.1: to tell it from an amount of money is up to the file, which can write its ids with a letter.
 */
export async function alteredByType(engine: Engine, texts: string, sniffed: readonly Sniffed[]): Promise<Set<string>> {
  const tests = sniffed.flatMap(({ column_name: name, column_type: type }) => {
    const test = alteration(`trim(${identifier(name)})`, type);
    return test === undefined ? [] : [{ name, test }];
  });
  if (tests.length === 0) return new Set();
  const answers = tests.map(({ test }, index) => `coalesce(bool_or(${test}), false) AS a${index}`);
  const [answer] = await engine.rows<Record<string, boolean>>(`SELECT ${answers.join(', ')} FROM ${texts}`);
  return new Set(tests.filter((_, index) => answer?.[`a${index}`] === true).map(({ name }) => name));
}

/** SQL that is true of a text that the type would alter. */
function alteration(text: string, type: string): string | undefined {
  // DuckDB guesses the order of day and month from each file anew: only what is written year first is a day.
  if (/^(DATE|TIMESTAMP)/.test(type)) return `NOT regexp_matches(${text}, '^([0-9]{4}-[0-9]{1,2}-|$)')`;
  const form = numberForm(type);
  if (form === 'whole') return `CAST(TRY_CAST(${text} AS ${type}) AS VARCHAR) IS DISTINCT FROM nullif(${text}, '')`;
  return form === undefined ? undefined : `regexp_matches(${text}, '^([+-]?[0-9]{16,}|[+-]?0[0-9]+)$')`;
}
