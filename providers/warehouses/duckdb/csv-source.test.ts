import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Engine, openEngine } from '../../../base/duckdb/engine.ts';
import { csvScan } from './csv-source.ts';

let folder: string;
let engine: Engine;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-csv-'));
  engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: folder });
});
afterEach(async () => {
  engine.close();
  await rm(folder, { recursive: true, force: true });
});

async function written(bytes: string | Buffer, name = 'people.csv'): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, bytes);
  return file;
}

const HEADER = 'id,months,value';
const ROWS = ['C1,3,10.5', 'C2,4,20', 'C3,5,30', 'C4,6,40'];
/** A file of lines, above them others. */
const lines = (...all: string[]) => `${all.join('\n')}\n`;

describe('a CSV file is read', () => {
  const rows: [string, string | Buffer, name?: string][] = [
    ['as it is', lines(HEADER, ...ROWS)],
    ['with empty lines above its header', lines('', '', HEADER, ...ROWS)],
    ['with lines of blanks above its header, behind a byte order mark', `\ufeff${lines('  ', HEADER, ...ROWS)}`],
    ['with the sep= of Excel', lines('sep=;', ...[HEADER, ...ROWS].map((line) => line.replaceAll(',', ';')))],
    ['with lines that end now in CRLF, now in LF', `${HEADER}\r\n${ROWS[0]}\r\n${ROWS[1]}\n${ROWS[2]}\r\n${ROWS[3]}\n`],
    ['with lines that end in CR', [HEADER, ...ROWS].join('\r')],
    ['with a delimiter at the end of every row', lines(HEADER, ...ROWS.map((row) => `${row},`))],
    ['compressed', gzipSync(lines('', HEADER, ...ROWS)), 'people.csv.gz'],
  ];
  test.each(rows.map(([title, bytes, name]) => ({ title, bytes, name })))('$title', async ({ bytes, name }) => {
    const scan = await csvScan(engine, 'shop', [await written(bytes, name)]);
    expect(await engine.rows(`SELECT id, months, value FROM ${scan} ORDER BY id`)).toEqual([
      { id: 'C1', months: '3', value: 10.5 },
      { id: 'C2', months: '4', value: 20 },
      { id: 'C3', months: '5', value: 30 },
      { id: 'C4', months: '6', value: 40 },
    ]);
  });

  test.each([
    ['a line break', '\n', '\n'],
    ['a line break of Windows', '\r\n', '\r\n'],
    ['a line break that is not that of the rows', '\n', '\r\n'],
  ])('with %s in a name of its header', async (_name, within, end) => {
    const text = [`id,"last${within}login",value`, ...ROWS].join(end) + end;
    const scan = await csvScan(engine, 'shop', [await written(text)]);
    const read = await engine.rows<Record<string, string>>(`SELECT COLUMNS('last') AS last FROM ${scan} ORDER BY ALL`);
    expect(read.map(({ last }) => last)).toEqual(['3', '4', '5', '6']);
  });

  test('with more semicolons in a name than it has commas', async () => {
    const scan = await csvScan(engine, 'shop', [await written(lines('id,a;b;c;d,value', ...ROWS))]);
    expect(await engine.rows(`SELECT id, value FROM ${scan} WHERE id = 'C1'`)).toEqual([{ id: 'C1', value: 10.5 }]);
  });
});

describe('a CSV file is refused with the line and what to do about it', () => {
  const latin = Buffer.from(lines('id,city', 'C1,Bern', 'C2,Zürich'), 'latin1');
  const utf16 = Buffer.from(lines(HEADER, ...ROWS), 'utf16le');
  const rows: [string, string | Buffer, RegExp][] = [
    [
      'title above its header',
      lines('Churn export', HEADER, ...ROWS),
      /: line 1 has 1 column, most others 3: put the header first/,
    ],
    [
      'titles above its header',
      lines('Export', 'of 2026', HEADER, ...ROWS),
      /: lines 1 to 2 have 1 column, most others 3/,
    ],
    ['title with a comma in quotes', lines('"Export, all"', HEADER, ...ROWS), /: line 1 has 1 column, most others 3/],
    [
      'title, padded with commas',
      lines('Churn export,,', ',,', HEADER, ...ROWS),
      /: line 1 has one name and 2 empty ones/,
    ],
    [
      'title, padded with commas, behind an empty line',
      lines('', 'Export,,', HEADER, ...ROWS),
      /: line 2 has one name/,
    ],
    [
      'comment',
      lines('# exported, today', HEADER, ...ROWS),
      /: line 1 has 2 columns, most others 3.*without a title or a comment/,
    ],
    ['line of dashes', lines(HEADER, '---,------,-----', ...ROWS), /: line 2 is a line of dashes.*remove it/],
    [
      'line of dashes as psql draws it',
      lines('id|value', '----+-----', 'C1|3', 'C2|4'),
      /: line 2 is a line of dashes/,
    ],
    [
      'footer',
      lines(HEADER, ...ROWS, '(4 rows affected)'),
      /: line 6 has 1 column, the header 3; it is the last line.*footer/,
    ],
    [
      'row that is cut off',
      lines(HEADER, ...ROWS.slice(0, 2), 'C3', 'C4,1,2'),
      /: line 4 has 1 column, the header 3\.$/,
    ],
    [
      'row with a delimiter too many',
      lines(HEADER, 'C1,3,4,', 'C2,3,4', 'C3,3,4'),
      /: line 2 has 4 columns, the header 3/,
    ],
    [
      'header with a delimiter too many',
      lines(`${HEADER},`, ...ROWS),
      /: the header ends in a delimiter that the rows have not: remove it/,
    ],
    ['ragged row behind a value of several lines', lines(HEADER, 'C1,"a\nb\nc",4', 'C2,3'), /: line 5 has 2 columns/],
    ['ragged row below an empty first line', lines('', HEADER, ...ROWS, 'C5,1', 'C6,1,1'), /: line 7 has 2 columns/],
    ['quote that stays open', lines(HEADER, 'C1,"3,4', 'C2,3,4'), /: a quote that opens on line 2 is not closed/],
    [
      'backslash before a quote',
      lines(HEADER, 'C1,3,ok', String.raw`C2,4,"say \"hi\""`),
      /: line 3 has a backslash before a quote.*ESCAPED BY ''/,
    ],
    [
      'text of Windows-1252',
      latin,
      /: line 3 is not UTF-8: .*CSV UTF-8.*iconv -f windows-1252 -t utf-8 IN >OUT, with iso-8859-15/,
    ],
    [
      'table with blanks between its columns',
      lines('id   value  place', 'C1   3      Bern', 'C2   4      Bern'),
      /: line 1 has 3 names with blanks between them: set columns apart by commas \(tr -s ' ' , <IN >OUT/,
    ],
    [
      'text in UTF-16, with its mark',
      Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]),
      /: it is UTF-16.*iconv -f utf-16 -t utf-8/,
    ],
    ['text in UTF-16', utf16, /iconv -f utf-16le -t utf-8/],
    ['text in UTF-16, the other way round', Buffer.from(utf16).swap16(), /iconv -f utf-16be -t utf-8/],
    ['compressed file', gzipSync(lines(HEADER, ...ROWS)), /: it is compressed: name it \.csv\.gz/],
    ['workbook', Buffer.from('PK\x03\x04 and more'), /: it is a workbook.*save the sheet as CSV/],
  ];
  test.each(rows)('%s', async (_name, bytes, sentence) => {
    const error = (await csvScan(engine, 'shop', [await written(bytes)]).catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: 'HF_SOURCE_UNSUITABLE', message: expect.stringMatching(sentence) });
    expect(error.message).toContain(join(folder, 'people.csv'));
    // No value, neither here nor below.
    expect(`${error.message} ${String(error.cause)}`.replaceAll(folder, '')).not.toMatch(/C\d|Bern|say|affected/);
  });
});
