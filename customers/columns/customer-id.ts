import { isMissingWord, MISSING_WORDS } from './missing-words.ts';

/**
 * The one rule for a customer's id, applied to every id that comes in, so that one customer is one customer:
 * characters that nobody sees (controls, zero-width ones, byte order marks) are left out; every kind of blank is a plain
 * space, and those at either end are left out; letters are composed (NFC); a whole number is written without a fraction
 * (`17850.0` and `17850.00` are `17850`). Case, leading zeros and what is between the ends stay. A word that stands for
 * a missing value is no id.
 */

/** Ids that are taken for a missing one as soon as several rows have them: a table may well begin with customer 0. */
export const MISSING_IF_REPEATED = ['0', '-1'];

/** Ranges of code points, in hexadecimal, of characters that nobody sees: Unicode's Default_Ignorable_Code_Point, and controls. */
const INVISIBLE: readonly Range[] = [
  ['0', '8'],
  ['e', '1f'],
  ['7f', '84'],
  ['86', '9f'],
  ['ad'],
  ['34f'],
  ['61c'],
  ['115f', '1160'],
  ['17b4', '17b5'],
  ['180b', '180f'],
  ['200b', '200f'],
  ['202a', '202e'],
  ['2060', '206f'],
  ['3164'],
  ['fe00', 'fe0f'],
  ['feff'],
  ['ffa0'],
  ['fff0', 'fff8'],
  ['1bca0', '1bca3'],
  ['1d173', '1d17a'],
  ['e0000', 'e0fff'],
];
const BLANK: readonly Range[] = [
  ['9', 'd'],
  ['20'],
  ['85'],
  ['a0'],
  ['1680'],
  ['2000', '200a'],
  ['2028', '2029'],
  ['202f'],
  ['205f'],
  ['3000'],
];
type Range = readonly [first: string, last?: string];

/** A class of characters for a regular expression, each written as the engine at hand does. */
function characters(ranges: readonly Range[], written: (hexadecimal: string) => string): string {
  return `[${ranges.map((range) => range.map((one) => written(one ?? '')).join('-')).join('')}]`;
}

const inJavaScript = (ranges: readonly Range[]) =>
  new RegExp(
    characters(ranges, (code) => `\\u{${code}}`),
    'gu',
  );
const INVISIBLE_CHARACTERS = inJavaScript(INVISIBLE);
const BLANK_CHARACTERS = inJavaScript(BLANK);
const WHOLE = '^(-?[1-9][0-9]*|0)[.]0+$';

/**
 * Ids that are as they should be whatever else the rule asks: of plain characters with a figure after the first, which no missing
 * word is that begins so; a point may be that of a fraction, and a plus that of an exponent.
 */
const SETTLED = '[A-Za-z1-9][!-*,/-~-]*[0-9][!-*,/-~-]*';

/** An id as a person gave it, by the rule; a missing one is the empty text. */
export function customerId(text: string): string {
  const shown = text.replace(INVISIBLE_CHARACTERS, '').replace(BLANK_CHARACTERS, ' ');
  // Only spaces are left to trim: the expression for those at the end would take the square of their number.
  const id = shown.trim().normalize('NFC').replace(new RegExp(WHOLE), '$1');
  return MISSING_WORDS.includes(id.toLowerCase()) ? '' : id;
}

/** An id in DuckDB's SQL, and what can be wrong with one: a condition, and what it is called. */
export interface CustomerIdSql {
  /** By the rule; NULL where there is none that can be trusted. */
  readonly id: string;
  /** True of a text that is its own id, without a fault, whatever the rest of the rule; absent for numbers. */
  readonly settled?: string;
  readonly faults: readonly (readonly [when: string, reason: string])[];
}

/**
 * The rule in DuckDB's SQL.
 * @param given SQL of the id as it came
 * @param type DuckDB's name of its type: a number with a point knows whole numbers only up to its precision
 */
export function customerIdInDuckdb(given: string, type: string): CustomerIdSql {
  const limit = { DOUBLE: 2 ** 53, FLOAT: 2 ** 24 }[type];
  if (limit !== undefined) {
    const whole = `trunc(${given}) = ${given}`;
    const exact = `isfinite(${given}) AND abs(${given}) < ${limit}`;
    return {
      id: `CASE WHEN NOT (${exact}) THEN NULL WHEN ${whole} THEN CAST(CAST(${given} AS BIGINT) AS VARCHAR) ELSE CAST(${given} AS VARCHAR) END`,
      faults: [
        [`${given} IS NULL OR isnan(${given})`, 'customer_id missing'],
        [`isinf(${given})`, 'customer_id not finite'],
        [`isfinite(${given}) AND abs(${given}) >= ${limit}`, 'customer_id not exact'],
      ],
    };
  }
  const text = type === 'VARCHAR' ? given : `CAST(${given} AS VARCHAR)`;
  // Most ids are plain, and the rule changes none of those: asked first, they cost one look rather than ten.
  const settled = `regexp_full_match(${text}, '${SETTLED}')`;
  // Of AND both sides are computed of every row, of CASE the second where the first does not hold.
  const unless = (fault: string) => `CASE WHEN ${settled} THEN false ELSE ${fault} END`;
  const written = textInDuckdb(text);
  const missing = `coalesce(${isMissingWord(written)}, true)`;
  const infinite = `${written} IN ('Infinity', '-Infinity')`;
  // A number with a point that was made a text has lost the digits beyond its precision.
  const inexact =
    `regexp_matches(${written}, '^-?[0-9]([.][0-9]+)?[eE][+][0-9]+$') OR ` +
    `(regexp_matches(${text}, '^-?[0-9]{16,}[.]0$') AND abs(TRY_CAST(${text} AS DOUBLE)) >= ${2 ** 53})`;
  return {
    settled,
    id: `CASE WHEN ${settled} THEN ${text} WHEN ${missing} OR ${infinite} OR ${inexact} THEN NULL ELSE ${written} END`,
    faults: [
      [unless(missing), 'customer_id missing'],
      [unless(infinite), 'customer_id not finite'],
      [unless(inexact), 'customer_id not exact'],
    ],
  };
}

/**
 * SQL, of DuckDB or of Postgres, of the rows, those with an id, and the different ids: `total`, `filled`, `customers`.
 * @param id SQL of an id by the rule
 */
export function customerCounts(id: string): string {
  const known = `CASE WHEN lower(${id}) NOT IN (${MISSING_WORDS.map(quoted).join(', ')}) THEN ${id} END`;
  const repeated = MISSING_IF_REPEATED.map((one) => `count(*) FILTER (WHERE ${id} = ${quoted(one)})`);
  const less = (what: (count: string) => string) =>
    repeated.map((count) => ` - CASE WHEN ${count} > 1 THEN ${what(count)} ELSE 0 END`).join('');
  return `count(*) AS total, count(${known})${less((count) => count)} AS filled, count(DISTINCT ${known})${less(() => '1')} AS customers`;
}

function textInDuckdb(text: string): string {
  const inRe2 = (ranges: readonly Range[]) => characters(ranges, (code) => `\\x{${code}}`);
  const shown = `regexp_replace(${text}, '${inRe2(INVISIBLE)}', '', 'g')`;
  const composed = `nfc_normalize(trim(regexp_replace(${shown}, '${inRe2(BLANK)}', ' ', 'g')))`;
  // Nearly all ids are of plain characters, which have nothing to lose but a fraction of zeros.
  const plain = `CASE WHEN regexp_full_match(${text}, '[!-~]*') THEN ${text} ELSE ${composed} END`;
  return `CASE WHEN contains(${text}, '.0') THEN regexp_replace(${plain}, '${WHOLE}', '\\1') ELSE ${plain} END`;
}

/** SQL that is true where Postgres can compose letters: from version 13 on, in a database in UTF-8. */
export const POSTGRES_KNOWS_UNICODE = `(current_setting('server_encoding') = 'UTF8' AND current_setting('server_version_num')::int >= 130000)`;

/**
 * The rule in the SQL of Postgres, as a text in the order of its bytes; missing words stay as they are.
 * @param given SQL of the id as it came
 * @param kind of its type there: a whole number needs no rule
 * @param unicode whether POSTGRES_KNOWS_UNICODE
 */
export function customerIdInPostgres(given: string, kind: 'integer' | 'double' | 'other', unicode: boolean): string {
  const text = `CAST(${given} AS text)`;
  if (kind === 'integer') return `${text} COLLATE "C"`;
  if (kind === 'double') {
    return `(CASE WHEN abs(${given}) < ${2 ** 53} AND trunc(${given}) = ${given} THEN CAST(CAST(${given} AS bigint) AS text) ELSE ${text} END) COLLATE "C"`;
  }
  const written = (code: string) => `\\U${code.padStart(8, '0')}`;
  const known = (ranges: readonly Range[]) =>
    unicode ? ranges : ranges.filter(([first]) => Number.parseInt(first, 16) < 0x80).map(inAscii);
  // Postgres knows no text with a NUL in it, and no name for one.
  const invisible = known(INVISIBLE).map((range): Range => (range[0] === '0' ? ['1', '8'] : range));
  const shown = `regexp_replace(${text}, '${characters(invisible, written)}', '', 'g')`;
  const trimmed = `btrim(regexp_replace(${shown}, '${characters(known(BLANK), written)}', ' ', 'g'))`;
  const composed = unicode ? `normalize(${trimmed}, NFC)` : trimmed;
  const plain = `CASE WHEN ${text} ~ '^[!-~]*$' THEN ${text} ELSE ${composed} END`;
  return `(regexp_replace(${plain}, '${WHOLE}', '\\1')) COLLATE "C"`;
}

const inAscii = ([first, last]: Range): Range =>
  last === undefined || Number.parseInt(last, 16) < 0x80 ? [first, last ?? first] : [first, '7f'];

function quoted(text: string): string {
  return `'${text}'`;
}
