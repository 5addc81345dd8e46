import { createWriteStream } from 'node:fs';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HoldfastError } from '../../../base/errors.ts';
import { forShell } from '../../../base/text/printable.ts';
import { lookIntoWorkbook } from './workbook-archive.ts';

const MOST_NAMED = 20;
/** Characters of a sheet: one long text that many cells share is small in a workbook, and large as CSV. */
const MOST_CHARACTERS = 2 ** 30;

/** The day before the first that Excel counts, as a query has it that reads counted days. */
export const EXCEL_DAY_ZERO = "DATE '1899-12-30'";

/**
 * Writes one sheet of an Excel workbook as CSV into a folder, and resolves to its path: days as 2026-12-31, numbers with
 * the digits of the file, what a formula gave when it was saved, nothing where it failed.
 * @param sheet its name; undefined for the only one that is not hidden
 * @param query what reads the sheet
 * @throws HF_SOURCE_UNSUITABLE with what is in the way, and what to do about it
 */
export async function workbookAsCsv(
  connectorId: string,
  file: string,
  { sheet, query }: { readonly sheet?: string | undefined; readonly query: string },
  folder: string,
): Promise<string> {
  const refuse = refusalOf(connectorId, file);
  const archive = await lookIntoWorkbook(file);
  if ('trouble' in archive) throw refuse(archive.trouble);
  if (archive.countsFrom1904 && query.includes(EXCEL_DAY_ZERO)) throw refuse(FROM_1904);
  const visible = archive.sheets.filter(({ isHidden }) => !isHidden);
  const names = visible
    .slice(0, MOST_NAMED)
    .map(({ name }) => forShell(name))
    .join(', ');
  if (sheet === undefined && visible.length !== 1) {
    throw refuse(`it has the sheets ${names}: say which with --sheet NAME, or config.sheet in a manifest`);
  }
  const chosen = archive.sheets.find(({ name }) => name === (sheet ?? visible[0]?.name));
  if (chosen === undefined) throw refuse(`it has no sheet ${forShell(sheet ?? '')}, but ${names}`);
  const { readSheet } = await import('read-excel-file/node');
  const read = await readSheet(archive.bytes, chosen.name, { parseNumber: (text) => text, trim: false }).catch(
    () => undefined,
  );
  if (read === undefined) throw refuse('it is no workbook that can be read: save the sheet as CSV in UTF-8');
  const rows = read as unknown as readonly Row[];
  const { header, width } = headerOf(rows);
  if (header === -1) throw refuse('its sheet is empty');
  const trouble = headerTrouble(rows, header, width);
  if (trouble !== undefined) throw refuse(trouble);
  if (charactersOf(rows) > MOST_CHARACTERS) {
    throw refuse(
      'its cells hold more than 1 GiB of text, or it is made to fill a disk: save the sheet as CSV in UTF-8',
    );
  }
  const path = join(folder, `${basename(file)}.csv`);
  await pipeline(Readable.from(csvLines(rows, header, width)), createWriteStream(path));
  return path;
}

/**
 * Refuses a query that counts days from 1900 where the workbook counts them from 1904: all would be 1,462 days early.
 * @throws HF_SOURCE_UNSUITABLE
 */
export async function refuseOtherDayZero(connectorId: string, file: string, query: string): Promise<void> {
  if (!query.includes(EXCEL_DAY_ZERO)) return;
  const archive = await lookIntoWorkbook(file);
  if ('countsFrom1904' in archive && archive.countsFrom1904) throw refusalOf(connectorId, file)(FROM_1904);
}

const FROM_1904 =
  'it counts days from 1904, as Excel for Mac did, and a column of days is written as plain numbers, which the query ' +
  'counts from 1900: give the cells of that column the number format Date, and save it again';

function refusalOf(connectorId: string, file: string): (trouble: string) => HoldfastError {
  return (trouble) =>
    new HoldfastError('HF_SOURCE_UNSUITABLE', `Connector ${connectorId}: cannot read ${file}: ${trouble}.`);
}

type Cell = string | number | boolean | Date | null;
type Row = readonly Cell[];

const isFilled = (cell: Cell | undefined) => cell !== null && cell !== undefined && String(cell).trim() !== '';

/** The first row with a value, and the last column that any row has one in. */
function headerOf(rows: readonly Row[]): { readonly header: number; readonly width: number } {
  let width = 0;
  for (const row of rows) width = Math.max(width, row.findLastIndex(isFilled) + 1);
  return { header: rows.findIndex((row) => row.some(isFilled)), width };
}

/** Why the first row is no header: a title above it, a column without a name, or two of the same. */
function headerTrouble(rows: readonly Row[], header: number, width: number): string | undefined {
  const names = rows[header] ?? [];
  const filled = names.filter(isFilled).length;
  const where = `row ${header + 1}`;
  if (width > 1 && filled === 1) return `${where} has one cell, as a title has: delete the rows above the header`;
  const seen = new Set<string>();
  for (let column = 0; column < width; column++) {
    const name = names[column];
    const letter = columnLetter(column);
    if (!isFilled(name)) {
      const isUsed = rows.slice(header + 1).some((row) => isFilled(row[column]));
      if (isUsed)
        return `column ${letter} has values and no name in ${where}: name it, or delete the rows above the header`;
      continue;
    }
    const key = String(name).trim().toLowerCase();
    if (seen.has(key)) return `column ${letter} has the name of another in ${where}: rename one`;
    seen.add(key);
  }
  return undefined;
}

function charactersOf(rows: readonly Row[]): number {
  let characters = 0;
  for (const row of rows) for (const cell of row) if (typeof cell === 'string') characters += cell.length;
  return characters;
}

/** `A`, `Z`, `AA`. */
function columnLetter(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : `${columnLetter(Math.floor(index / 26) - 1)}${letter}`;
}

function* csvLines(rows: readonly Row[], header: number, width: number): Iterable<string> {
  const columns = Array.from({ length: width }, (_, column) => column).filter((column) =>
    isFilled(rows[header]?.[column]),
  );
  for (const row of rows.slice(header)) {
    if (!row.some(isFilled)) continue;
    yield `${columns.map((column) => quoted(row[column])).join(',')}\n`;
  }
}

function quoted(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return '';
  return `"${asText(cell).replaceAll('"', '""')}"`;
}

function asText(cell: Exclude<Cell, null>): string {
  if (!(cell instanceof Date)) return String(cell);
  const text = cell.toISOString();
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : text.slice(0, 19);
}
