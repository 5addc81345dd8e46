import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Engine, openEngine } from '../../../base/duckdb/engine.ts';
import { jsonScan } from './json-source.ts';

let folder: string;
let engine: Engine;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-json-'));
  engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: folder });
});
afterEach(async () => {
  engine.close();
  await rm(folder, { recursive: true, force: true });
});

async function written(bytes: string | Buffer, name = 'people.jsonl'): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, bytes);
  return file;
}

const read = async (bytes: string | Buffer, name?: string, allVarchar = false) =>
  engine.rows<Record<string, unknown>>(
    `SELECT * FROM ${await jsonScan(engine, 'shop', [await written(bytes, name)], allVarchar)}`,
  );

const ROWS = '{"id":"C1","months":3,"value":10.5}\n{"id":"C2","months":4}\n';

describe('a JSON file is read', () => {
  const rows: [title: string, bytes: string | Buffer, name?: string][] = [
    ['an object a line', ROWS],
    ['behind a byte order mark', `\ufeff${ROWS}`],
    ['with lines of Windows', ROWS.replaceAll('\n', '\r\n')],
    ['all in one list', `[${ROWS.trim().replace('\n', ',\n')}]`, 'people.json'],
    ['each over several lines', ROWS.replaceAll(',', ',\n  '), 'people.json'],
    ['compressed', gzipSync(ROWS), 'people.jsonl.gz'],
  ];
  test.each(rows.map(([title, bytes, name]) => ({ title, bytes, name })))('$title', async ({ bytes, name }) => {
    expect(await read(bytes, name)).toEqual([
      { id: 'C1', months: '3', value: 10.5 },
      { id: 'C2', months: '4', value: null },
    ]);
  });

  test('with objects within as columns of their own, and lists as the JSON that they are', async () => {
    const row = '{"id":1,"address":{"city":"Köln","geo":{"lat":50.9}},"tags":["a","b"],"a/b~c":true}';
    expect(await read(`${row}\n{"id":2,"address":null}\n`)).toEqual([
      { id: '1', 'address.city': 'Köln', 'address.geo.lat': 50.9, tags: '["a","b"]', 'a/b~c': true },
      { id: '2', 'address.city': null, 'address.geo.lat': null, tags: null, 'a/b~c': null },
    ]);
  });

  test.each([false, true])(
    'with every digit of an id that is a number, however long (as texts: %s)',
    async (allVarchar) => {
      const ids = ['9007199254740993', '123456789012345678901234567890'];
      const rows = await read(ids.map((id) => `{"id":${id}}`).join('\n'), 'ids.jsonl', allVarchar);
      expect(rows.map(({ id }) => String(id))).toEqual(ids);
    },
  );

  test('with each value as the text that is written there, where that is asked for', async () => {
    expect(await read('{"id":"007","on":true,"value":12.5,"none":null}', 'a.jsonl', true)).toEqual([
      { id: '007', on: 'true', value: '12.5', none: null },
    ]);
  });
});

describe('a JSON file is refused with what to do about it', () => {
  const utf16 = Buffer.from(`\ufeff${ROWS}`, 'utf16le');
  test.each<[string, string | Buffer, RegExp]>([
    ['line that is cut off', '{"id":"C1"}\n{"id":"C2"\n', /: line 2 is not JSON \(.*\): jq -c \. IN/],
    ['line that is no JSON', '{"id":"C1"}\nC2,3\n{"id":"C3"}\n', /: line 2 is not JSON/],
    [
      'text of Latin-1',
      Buffer.from('{"id":"C1"}\n{"id":"Zürich"}\n', 'latin1'),
      /: line 2 is not UTF-8: .*iconv -f windows-1252/,
    ],
    ['text of UTF-16', utf16, /: it is UTF-16.*iconv -f utf-16 -t utf-8/],
    [
      'list within one object',
      '{"customers":[{"id":"C1"},{"id":"C2"}],"total":2}',
      /rows are in a list: jq -c '\.\["customers"\]\[\]' IN/,
    ],
    ['list of numbers', '[1,2,3]', /its rows are no objects/],
    ['list of lists', '[["C1",3],["C2",4]]', /its rows are no objects/],
    [
      'list in lists without end',
      `{"id":"C1","d":[1,${'[1,'.repeat(5000)}2${']'.repeat(5000)}]}`,
      /more than 200 deep/,
    ],
    [
      'object in objects without end',
      `{"id":"C1","d":${'{"a":"]}",\n"d":'.repeat(5000)}1${'}'.repeat(5000)}}`,
      /more than 200 deep/,
    ],
    ['list of nothing', '[]', /it holds no row/],
    ['two names in capitals and small letters', '{"id":"C1","ID":"C2"}', /names differ in capitals only/],
    ['name twice in a row', '{"id":"C1","v":1}\n{"id":"C2","v":1,"v":2}\n', /an object has a name twice/],
    ['name twice in an object within', '{"id":"C1","a/b":{"v":1,"v":2}}', /an object has a name twice/],
    ['empty name', '{"id":"C1","":2}', /a value has an empty name/],
    ['name like that of an object within', '{"id":"C1","a.b":1,"a":{"b":2}}', /a name with a point, as in "a\.b"/],
    ['row of many MiB', `{"id":"C1","note":"${'x'.repeat(34 * 2 ** 20)}"}`, /a row is longer than 16 MiB/],
    ['compressed file', gzipSync(ROWS), /it is compressed: name it \.jsonl\.gz/],
  ])('%s', async (_, bytes, sentence) => {
    const error = (await read(bytes).catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: 'HF_SOURCE_UNSUITABLE', message: expect.stringMatching(sentence) });
    expect(`${error.message} ${String(error.cause)}`.replaceAll(folder, '')).not.toMatch(/C\d|rich/);
  });
});
