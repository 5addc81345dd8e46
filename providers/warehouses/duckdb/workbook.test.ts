import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Sheet, workbook, zip } from '../../../test/support/workbooks.ts';
import { workbookAsCsv } from './workbook.ts';
import { costOf } from './workbook-cost.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-workbook-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function csv(bytes: Buffer, sheet?: string, query = ''): Promise<string> {
  const file = join(folder, 'people.xlsx');
  await writeFile(file, bytes);
  return await readFile(await workbookAsCsv('shop', file, { sheet, query }, folder), 'utf8');
}

const day = new Date(Date.UTC(2026, 9, 15));
const PEOPLE: Sheet = {
  name: 'People',
  rows: [
    ['customer_id', 'last_login', 'spend', 'active', 'score'],
    ['007', day, 12.5, true, { formula: 'C2*2', gives: 25 }],
    ['C "2"', new Date(day.getTime() + 43_200_000), 1e-7, false, { error: '#N/A' }],
    [null, null, null, null, null],
    ['C3', null, 12345678901, null, null],
  ],
};
const READ = [
  '"customer_id","last_login","spend","active","score"',
  '"007","2026-10-15","12.5","true","25"',
  '"C ""2""","2026-10-15T12:00:00","1e-7","false",',
  '"C3",,"12345678901",,',
  '',
].join('\n');

test.each([false, true])(
  'a sheet is read with its days, numbers, texts and what formulas gave (1904 system: %s)',
  async (date1904) => {
    expect(await csv(workbook([PEOPLE], { date1904 }))).toBe(READ);
  },
);

test('a number that is shown with leading zeros is read so, as the same account in another file is', async () => {
  const shown = (number: number) => ({ number, shownAs: '000000' }) as const;
  const rows = [
    ['account', 'spend'],
    [shown(123), 123],
    [shown(1234567), 5],
    [shown(-5), 1],
    [shown(0.5), 2],
    [7, 3],
  ];
  expect(await csv(workbook([{ name: 'A', rows }]))).toBe(
    ['"account","spend"', '"000123","123"', '"1234567","5"', '"-5","1"', '"0.5","2"', '"7","3"', ''].join('\n'),
  );
});

test('hidden sheets are not asked about, and any sheet can be named', async () => {
  const other: Sheet = {
    name: 'Notes & "more"',
    rows: [
      ['a', 'b'],
      [1, 2],
    ],
  };
  expect(await csv(workbook([{ ...other, hidden: true }, PEOPLE]))).toBe(READ);
  expect(await csv(workbook([PEOPLE, other]), other.name)).toBe('"a","b"\n"1","2"\n');
});

test('a part that the directory of the archive does not list is not read', async () => {
  const listed = workbook([PEOPLE]);
  const hidden = zip({ 'xl/worksheets/sheet1.xml': '<worksheet><sheetData/></worksheet>' });
  const directory = (bytes: Buffer) => bytes.readUInt32LE(bytes.length - 6);
  const part = hidden.subarray(0, directory(hidden));
  const at = directory(listed);
  const bytes = Buffer.concat([listed.subarray(0, at), part, listed.subarray(at)]);
  bytes.writeUInt32LE(at + part.length, bytes.length - 6);
  expect(await csv(bytes)).toBe(READ);
});

describe('a workbook is refused with what to do about it', () => {
  const rows = (...all: Sheet['rows']) => workbook([{ name: 'A', rows: all }]);
  const ole = (text: string) => Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.from(text, 'utf16le')]);
  const bomb = zip({ 'xl/workbook.xml': '<workbook/>', 'xl/worksheets/sheet1.xml': Buffer.alloc(40 * 2 ** 20) });
  test.each<[string, Buffer, string | undefined, RegExp]>([
    [
      'with several sheets',
      workbook([PEOPLE, { ...PEOPLE, name: 'Old people' }]),
      undefined,
      /has the sheets People, 'Old people': say which with --sheet/,
    ],
    ['without the sheet that was named', workbook([PEOPLE]), 'Jane', /has no sheet Jane, but People/],
    [
      'with a title',
      rows(['Churn export'], ['id', 'b'], ['C1', 2]),
      undefined,
      /row 1 has one cell, as a title has: delete the rows above/,
    ],
    [
      'with a column that has no name',
      rows(['id', null, 'c'], ['C1', 2, 3]),
      undefined,
      /column B has values and no name in row 1/,
    ],
    [
      'with two columns of one name',
      rows(['id', 'Spend', 'spend'], ['C1', 2, 3]),
      undefined,
      /column C has the name of another in row 1/,
    ],
    ['without a row', rows(), undefined, /its sheet is empty/],
    ['of Excel 97', ole('Workbook'), undefined, /Excel 97 to 2003: save it as \.xlsx/],
    ['with a password', ole('EncryptedPackage'), undefined, /locked by a password: open it and save it/],
    ['that is cut off', workbook([PEOPLE]).subarray(0, 900), undefined, /no workbook that can be read, or was cut off/],
    ['that is another archive', zip({ 'a.txt': 'x' }), undefined, /no workbook that can be read/],
    [
      'with one cell in the last corner',
      workbook([{ ...PEOPLE, far: 'XFD1048576' }]),
      undefined,
      /a cell far from the others: delete what is right of them and below/,
    ],
    ['that fills a memory', bomb, undefined, /made to fill a memory/],
  ])('%s', async (_, bytes, sheet, sentence) => {
    const error = (await csv(bytes, sheet).catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: 'HF_SOURCE_UNSUITABLE', message: expect.stringMatching(sentence) });
    expect(error.message).not.toMatch(/C1|export/);
  });

  const sheetOf = (row: string, name = 'sheet1.xml', more: Readonly<Record<string, string>> = {}) =>
    zip({
      'xl/workbook.xml':
        '<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="A" r:id="rId1"/></sheets></workbook>',
      'xl/_rels/workbook.xml.rels': `<Relationships><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/${name}"/></Relationships>`,
      [`xl/worksheets/${name}`]: `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="str"><v>id</v></c></row>${row}</sheetData></worksheet>`,
      ...more,
    });
  const row = (number: string, cell: string) => `<row ${number}><c ${cell} t="str"><v>C1</v></c></row>`;

  test.each<[string, Buffer]>([
    ['a row in powers of ten', sheetOf(row('r="1e9"', 'r="A1e9"'))],
    ['an infinite row', sheetOf(row('r="1e999"', 'r="A1e999"'))],
    ['a row with digits as references', sheetOf(row('r="1&#48;&#48;&#48;&#48;&#48;&#48;&#48;"', 'r="A1"'))],
    ['a row in hexadecimal', sheetOf(row('r="0x3B9ACA00"', 'r="A2"'))],
    ['a row beyond those of Excel', sheetOf(row("r='9999999'", "r='A9999999'"))],
    ['a column of many letters', sheetOf(row('r="2"', 'r="ZZZZZZZZZZZZ2"'))],
    ['an address with blanks around it', sheetOf(row('r="2"', 's="0"\nr = "ZZZZZZ2"'))],
    ['a sheet under another name', sheetOf(row('r="2"', 'r="ZZZZZZ2"'), 'sheet1.xml.rels')],
  ])('that has %s', async (_, bytes) => {
    await expect(csv(bytes)).rejects.toMatchObject({
      code: 'HF_SOURCE_UNSUITABLE',
      message: expect.stringMatching(/a cell far from the others/),
    });
  });

  test('whose cells share one text that is long', async () => {
    const cells = Array.from({ length: 1100 }, (_, y) => `<row r="${y + 2}"><c r="A${y + 2}" t="s"><v>0</v></c></row>`);
    const strings = `<sst><si><t>${'y'.repeat(2 ** 20)}</t></si></sst>`;
    const bytes = sheetOf(cells.join(''), 'sheet1.xml', { 'xl/sharedStrings.xml': strings });
    await expect(csv(bytes)).rejects.toMatchObject({ message: expect.stringMatching(/made to fill a disk/) });
  });

  test('whatever size it claims for what it holds', async () => {
    const lying = Buffer.from(bomb);
    // The size of the sheet, in its own header and in the directory.
    for (let at = lying.indexOf('sheet1.xml'); at !== -1; at = lying.indexOf('sheet1.xml', at + 1)) {
      const start = lying.lastIndexOf('PK', at);
      lying.writeUInt32LE(100, start + (lying[start + 2] === 1 ? 24 : 22));
    }
    await expect(csv(lying)).rejects.toMatchObject({ message: expect.stringMatching(/made to fill a memory/) });
  });
});

test('what it takes to read workbooks is said of all that a connector reads, one after the other', async () => {
  const path = (name: string) => join(folder, name);
  const ofMib = (mib: number) => zip({ 'xl/media/blank.bin': Buffer.alloc(mib * 2 ** 20) });
  await Promise.all(
    [20, 15, 97].map((mib) => writeFile(path(`${mib === 97 ? 'too-large' : 'week'}-${mib}.xlsx`), ofMib(mib))),
  );
  await writeFile(path('large.csv'), Buffer.alloc(40 * 2 ** 20));
  const cost = (name: string) => {
    const config = { path: name, query: 'SELECT 1' };
    return costOf({ connectorId: 'shop', type: 'duckdb', config }, { source: undefined, baseFolder: folder });
  };
  expect(await cost('week-*.xlsx')).toMatch(
    /^connector shop: .* unpacks to 35 MiB: .* about 14 s and 0\.4 GB of memory/,
  );
  const silent = ['week-20.xlsx', 'too-large-97.xlsx', 'large.csv', 'none.xlsx', 'none-*.xlsx'];
  expect(await Promise.all(silent.map(cost))).toEqual(silent.map(() => undefined));
});
