import { printable } from '../../base/text/printable.ts';
import type { StoredCandidate } from '../columns/stored-columns.ts';
import type { ListColumn } from './list-columns.ts';
import { spreadsheetText } from './spreadsheet-text.ts';

/** A list as text: what comes first, and each candidate. */
export interface ListText {
  readonly head: string;
  readonly line: (candidate: StoredCandidate) => string;
}

/** Tells Excel that a CSV is UTF-8; other programs may take it for a part of the first name. */
const BYTE_ORDER_MARK = '\ufeff';

/**
 * CSV as RFC 4180 has it: commas, CRLF, every text in quotes, a missing value empty. Texts are made harmless for
 * spreadsheets; numbers stay numbers.
 */
export function csvList(columns: readonly ListColumn[], { excel }: { readonly excel: boolean }): ListText {
  const record = (fields: readonly string[]) => `${fields.join(',')}\r\n`;
  return {
    head: `${excel ? BYTE_ORDER_MARK : ''}${record(columns.map(({ name }) => quoted(name)))}`,
    line: (candidate) => record(columns.map(({ valueOf }) => field(valueOf(candidate)))),
  };
}

function field(value: ReturnType<ListColumn['valueOf']>): string {
  if (value === null) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return quoted(value);
  return value instanceof Date ? value.toISOString() : quoted(value.join('; '));
}

function quoted(text: string): string {
  return `"${spreadsheetText(text).replaceAll('"', '""')}"`;
}

/** One JSON object a line, values as they are. */
export function jsonLines(columns: readonly ListColumn[]): ListText {
  return {
    head: '',
    line: (candidate) =>
      // What a terminal acts on is written as JSON's own escape.
      `${printable(JSON.stringify(Object.fromEntries(columns.map(({ name, valueOf }) => [name, valueOf(candidate)]))))}\n`,
  };
}

/** The text in pieces of a page each: memory holds one page, however many candidates there are. */
export async function* listPieces(
  { head, line }: ListText,
  pages: AsyncIterable<readonly StoredCandidate[]>,
): AsyncGenerator<string> {
  // With the first page, so that whoever waits for the first piece learns of a database that does not answer.
  let before = head;
  for await (const page of pages) {
    yield before + page.map(line).join('');
    before = '';
  }
  if (before !== '') yield before;
}
