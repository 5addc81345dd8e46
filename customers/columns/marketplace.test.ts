import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { literal, openEngine } from '../../base/duckdb/engine.ts';
import { asWritten, asWrittenSql } from './marketplace.ts';

const CASES: readonly (readonly [program: string[], given: string, written: string])[] = [
  [['US', 'UK'], 'GB', 'UK'],
  [['US', 'UK'], 'UK', 'UK'],
  [['US', 'GB'], 'UK', 'GB'],
  [['US', 'GB'], ' uk ', 'GB'],
  [['GR'], 'EL', 'GR'],
  [['EL'], 'gr', 'EL'],
  [['UK', 'GB'], 'GB', 'UK'],
  [['DE'], 'de', 'DE'],
  [['DE'], 'UK', 'UK'],
  [['DE'], 'Narnia', 'Narnia'],
  [['DE'], '', ''],
];

test('a marketplace goes by one code, the one that the program writes; the row by row and the SQL agree', async () => {
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: tmpdir() });
  for (const [program, given, written] of CASES) {
    expect([program, given, asWritten(given, program)]).toEqual([program, given, written]);
    const [row] = await engine.rows<{ written: string }>(
      `SELECT ${asWrittenSql('given', program)} AS written FROM (SELECT ${literal(given)} AS given)`,
    );
    expect([program, given, row?.written]).toEqual([program, given, written]);
  }
});
