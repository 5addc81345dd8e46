import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Engine, openEngine } from '../../../base/duckdb/engine.ts';
import { hashedRows, keyCheck, keyedHash, keyedHashInDuckdb } from './keyed-hash.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ threads: 2, memoryMb: 256, scratchFolder: '/nonexistent' });
});
afterAll(() => engine.close());

const key = (bytes: Uint8Array | string) => ({ version: '1', bytes: Buffer.from(bytes) });

/** Cases 1, 2, 6 and 7 of RFC 4231: those whose data is text. */
test.each([
  [
    'a key of 20 bytes',
    Buffer.alloc(20, 0x0b),
    'Hi There',
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  ],
  [
    'a key shorter than the hash',
    'Jefe',
    'what do ya want for nothing?',
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [
    'a key longer than a block',
    Buffer.alloc(131, 0xaa),
    'Test Using Larger Than Block-Size Key - Hash Key First',
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
  [
    'key and data longer than a block',
    Buffer.alloc(131, 0xaa),
    'This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.',
    '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
  ],
])('RFC 4231, %s', async (_name, bytes, text, expected) => {
  const { sql, parameters } = keyedHashInDuckdb('text', key(bytes));
  const rows = await engine.rows(`SELECT ${sql} AS hash FROM (SELECT $text::VARCHAR AS text)`, { ...parameters, text });
  expect(rows).toEqual([{ hash: expected }]);
  expect(keyedHash(text, key(bytes))).toBe(expected);
});

test('keys of every length around a block, and ids in any letters, hash as node:crypto has it', async () => {
  const ids = ['17850', 'ü', '顧客🙂', "o'x", '\\x00', ' '];
  for (const length of [1, 31, 32, 63, 64, 65, 128]) {
    const bytes = Buffer.from(Array.from({ length }, (_, place) => (place * 37 + length) & 255));
    const { sql, parameters } = keyedHashInDuckdb('id', key(bytes));
    const found = await engine.rows<{ id: string; hash: string }>(
      `SELECT id, ${sql} AS hash FROM (SELECT unnest(from_json($ids, '["VARCHAR"]')) AS id)`,
      { ...parameters, ids: JSON.stringify(ids) },
    );
    expect(found.map(({ hash }) => hash)).toEqual(
      found.map(({ id }) => createHmac('sha256', bytes).update(id).digest('hex')),
    );
    expect(found.map(({ id }) => id)).toEqual(ids);
  }
});

test('rows leave under hashes alone, in their order, and no SQL holds the key', async () => {
  const secret = key('a secret of ours');
  const { sql, parameters } = hashedRows("(VALUES ('b', 2), ('a', 1), ('c', 3)) AS t (customer_id, n)", secret);
  expect(sql).not.toContain(Buffer.from('a secret of ours').toString('hex'));
  expect(sql).not.toMatch(/secret|[0-9a-f]{16}/);
  const expected = ['a', 'b', 'c'].map((id, place) => ({ cust_id_hash: keyedHash(id, secret), n: place + 1 }));
  expect(await engine.rows(sql, parameters)).toEqual(
    expected.sort((one, other) => (one.cust_id_hash < other.cust_id_hash ? -1 : 1)),
  );
});

test('a key that was replaced under its version is told, and an empty one refused', () => {
  expect(keyCheck(key('one'))).toMatch(/^[0-9a-f]{16}$/);
  expect(keyCheck(key('one'))).not.toBe(keyCheck(key('two')));
  expect(keyCheck(key('one'))).toBe(keyCheck({ version: '2', bytes: Buffer.from('one') }));
  expect(() => keyedHash('a', key(''))).toThrow('the key of hashes is empty');
  expect(() => keyedHashInDuckdb('a', key(''))).toThrow('the key of hashes is empty');
});
