import { extname } from 'node:path';
import { type Engine, identifier, literal } from '../columns/engine.ts';
import { HoldfastError } from '../errors.ts';
import { readingFrom } from './duckdb-failure.ts';

const DELIMITERS = [',', '\t', ';', '|'];

/** A byte that no text file holds: with it as the delimiter, a line is one value. */
const NO_DELIMITER = '\u0001';

/**
 * The `read_csv(…)` of CSV files that have one header line each. A compressed file is read like any other.
 *
 * The header decides the delimiter and the number of columns. Left to guess, DuckDB takes one ragged row, such as
 * the last line of a file that was cut off, as a sign of another delimiter, and no column has its name any more.
 *
 * Types come from every row, not from the first thousands: a text further down makes its column text, for the
 * query to cast or for `extract` to reject that row, where a type guessed from a part would fail the whole file.
 * @throws HF_WAREHOUSE_UNREADABLE naming the file and the line of a row that has not the header's columns
 */
export async function csvScan(engine: Engine, connectorId: string, files: readonly string[]): Promise<string> {
  const delimiters = new Set<string>();
  for (const file of files) {
    const delimiter = await readingFrom(connectorId, `read ${file}`, () => checkedDelimiter(engine, file));
    if (delimiter !== undefined) delimiters.add(delimiter);
  }
  if (delimiters.size > 1) {
    const sentence = `Connector ${connectorId}: ${files[0]} and the files read with it differ in their delimiters; give them the same.`;
    throw new HoldfastError('HF_WAREHOUSE_UNREADABLE', sentence);
  }
  const [delimiter = ','] = delimiters;
  const source = `[${files.map(literal).join(', ')}], ${dialect(delimiter)}, union_by_name = ${files.length > 1}`;
  const sniffed = await engine.rows<Sniffed>(`DESCRIBE SELECT * FROM read_csv(${source}, sample_size = -1)`);
  const altered = await alteredByType(engine, `read_csv(${source}, all_varchar = true)`, sniffed);
  const types = sniffed.map(({ column_name, column_type }) => {
    const type = altered.has(column_name) ? 'VARCHAR' : column_type;
    return `${literal(column_name)}: ${literal(type)}`;
  });
  return `read_csv(${source}, types = {${types.join(', ')}})`;
}

interface Sniffed {
  readonly column_name: string;
  readonly column_type: string;
}

function dialect(delimiter: string): string {
  return `header = true, skip = 0, delim = ${literal(delimiter)}, quote = '"', escape = '"', comment = '', strict_mode = true`;
}

/** Delimiter of a file all of whose rows have the columns of its header; undefined when it has one column. */
async function checkedDelimiter(engine: Engine, file: string): Promise<string | undefined> {
  const [first] = await engine.rows<{ line: string }>(
    `SELECT line FROM read_csv(${literal(file)}, auto_detect = false, header = false, columns = {'line': 'VARCHAR'},
       delim = ${literal(NO_DELIMITER)}, quote = '', escape = '', strict_mode = false)
     WHERE line <> '' LIMIT 1`,
  );
  if (first === undefined) throw new Error(`IO Error: No header line in ${file}`);
  const { delimiter, count } = mostFrequent(first.line, candidates(file));
  const columns = Array.from({ length: count + 1 }, (_, index) => `'c${index}': 'VARCHAR'`).join(', ');
  // Only with its columns given does DuckDB say which line has not got them.
  await engine.rows(
    `SELECT count(COLUMNS(*)) FROM read_csv(${literal(file)}, auto_detect = false, columns = {${columns}}, ${dialect(delimiter)})`,
  );
  return count === 0 ? undefined : delimiter;
}

function candidates(file: string): readonly string[] {
  return extname(file.replace(/\.(gz|zst)$/, '')).toLowerCase() === '.tsv' ? ['\t'] : DELIMITERS;
}

/** The delimiter that occurs most outside quotes, the first of those that occur as often. */
function mostFrequent(header: string, delimiters: readonly string[]): { delimiter: string; count: number } {
  const unquoted = header.replace(/"(?:[^"]|"")*"/g, '');
  const counted = delimiters.map((delimiter) => ({ delimiter, count: unquoted.split(delimiter).length - 1 }));
  return counted.reduce((most, next) => (next.count > most.count ? next : most));
}

/**
 * Names of the columns whose type would change what the file says, as a number does to a customer's id: an integer
 * that does not print back as its text (`007`, `+44…`), or a whole number of more digits than a double holds.
 * Any column may be the id, under whatever name the query gives it. Decimals stay numbers, so an id written `0.10`
 * becomes 0.1: to tell it from an amount of money is up to the file, which can write its ids with a letter.
 */
async function alteredByType(engine: Engine, texts: string, sniffed: readonly Sniffed[]): Promise<Set<string>> {
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
  if (type.endsWith('INT')) return `CAST(TRY_CAST(${text} AS ${type}) AS VARCHAR) IS DISTINCT FROM nullif(${text}, '')`;
  if (/^(DOUBLE|FLOAT|DECIMAL)/.test(type)) return `regexp_matches(${text}, '^([+-]?[0-9]{16,}|[+-]?0[0-9]+)$')`;
  return undefined;
}
