/**
 * Texts that stand for a missing value, in lower case and without blanks around them: what databases, spreadsheets,
 * R, pandas and people write. It is the one list, for what `init` looks at, what a run reads, and ids.
 */
export const MISSING_WORDS: readonly string[] = [
  '',
  'na',
  'n/a',
  'n.a.',
  '<na>',
  'nan',
  '-nan',
  'nat',
  'null',
  '(null)',
  '<null>',
  '[null]',
  '\\n',
  'none',
  '<none>',
  'nil',
  'undefined',
  'missing',
  'unknown',
  '(blank)',
  '#n/a',
  '#na',
  '#null!',
  '#div/0!',
  '#value!',
  '#ref!',
  '#name?',
  '#num!',
  '.',
  '-',
  '--',
  '–',
  '—',
  '?',
  '0000-00-00',
  '0000-00-00 00:00:00',
];

const WORDS = MISSING_WORDS.map((word) => `'${word}'`).join(', ');

/** SQL, of DuckDB and of Postgres, that is true of a text that stands for a missing value; NULL of none at all. */
export function meansMissing(text: string): string {
  return `lower(trim(${text})) IN (${WORDS})`;
}

/**
 * SQL of DuckDB that is true of a text which, in lower case, is one of the words; NULL of none at all. As a list they are
 * asked where they are written: of a long IN, DuckDB makes a join of every row, whatever CASE it stands in.
 */
export function isMissingWord(text: string): string {
  return `list_contains([${WORDS}], lower(${text}))`;
}
