import { expect, test } from '@jest/globals';
import { withoutSemicolons } from './sql.ts';

test.each([
  ['at its end', 'SELECT 1;', 'SELECT 1'],
  ['several of them, with room between', 'SELECT 1 ; ;\n', 'SELECT 1  \n'],
  ['at its beginning', ';SELECT 1', 'SELECT 1'],
  ['before a comment', 'SELECT 1; -- the end;', 'SELECT 1 -- the end;'],
  ['in a text', `SELECT ';', ''';'`, `SELECT ';', ''';'`],
  ['in a text with escapes', String.raw`SELECT E'\';', e'\\';`, String.raw`SELECT E'\';', e'\\'`],
  ['in a text without escapes', String.raw`SELECT '\';`, String.raw`SELECT '\'`],
  ['after a name that ends like the start of one', `SELECT type'\\';`, `SELECT type'\\'`],
  ['in a quoted name', 'SELECT ";", """;"', 'SELECT ";", """;"'],
  ['between dollars', 'SELECT $$;$$, $a$;$$;$a$;', 'SELECT $$;$$, $a$;$$;$a$'],
  ['after a name with dollars', 'SELECT a$b$; SELECT $b$', 'SELECT a$b$ SELECT $b$'],
  ['in a comment in a comment', 'SELECT /* ; /* ; */ ; */ 1;', 'SELECT   1'],
  ['in a comment that does not end', 'SELECT 1 /* ;', 'SELECT 1  '],
])('a statement keeps no semicolon of its own: %s', (_name, statement, expected) => {
  expect(withoutSemicolons(statement)).toBe(`${expected}\n`);
});
