import { isoCode } from '../../customers/columns/marketplace.ts';
import { MISSING_WORDS } from '../../customers/columns/missing-words.ts';
import { codesOfCountry, countryFinder } from './country-names.ts';
import { asText, byWord } from './expressions.ts';
import type { ColumnProfile } from './profile.ts';
import { shown } from './words.ts';

/** A column of countries, and how to have marketplaces from it. */
export interface Countries {
  /** SQL: a code of ISO 3166 of two letters; NULL where the country is not known. */
  readonly expression: string;
  /** Codes that occur, sorted. */
  readonly marketplaces: readonly string[];
  /** Share of the rows with a value whose country is known. */
  readonly known: number;
  readonly note?: string;
  /** What a person should know: values that name no country, with their rows. */
  readonly warning?: string;
}

/** Different values beyond which a column is none of countries. */
export const MOST_COUNTRIES = 1000;
const MOST_MARKETPLACES = 250;
const MOST_NAMED = 10;
/** Columns of these names may well be of something else: states, sales regions, plots of land. */
const WEAK_NAME = /^(?:geography|nation|land|region)$/;
const NAME = /(?:^| )(?:country|marketplace)(?: |$)/;
/** Share of the rows of such a column that must name countries. */
const NEARLY_ALL = 0.9;

/** Whether a column of this name can be of nothing else. */
export function isCountryName(words: string): boolean {
  return NAME.test(words);
}

/**
 * Reads a column of countries by their codes of two or three letters or by their names. Values that name none are
 * missing, never a default.
 */
export function readCountries(source: ColumnProfile): Countries | undefined {
  const { type, values, words } = source;
  if (type === 'BOOLEAN' || values.length > MOST_COUNTRIES) return undefined;
  const find = countryFinder();
  // R writes NA for what is missing, and it is Namibia: nobody can tell.
  const filled = values.filter(({ value }) => value === 'NA' || !MISSING_WORDS.includes(value.toLowerCase()));
  const read = filled.map(({ value, rows }) => ({ value, rows, code: value === 'NA' ? undefined : find(value) }));
  const found = read.flatMap(({ value, code }) => (code === undefined ? [] : [[value, code] as const]));
  const unknown = read.filter(({ code }) => code === undefined);
  const marketplaces = [...new Set(found.map(([, code]) => code))].sort();
  const known = 1 - rowsOf(unknown) / Math.max(1, rowsOf(read));
  const least = !WEAK_NAME.test(words) ? 0 : found.every(([value]) => /^[A-Za-z]{2}$/.test(value)) ? 1 : NEARLY_ALL;
  if (found.length === 0 || marketplaces.length > MOST_MARKETPLACES || known < least) return undefined;
  return {
    marketplaces,
    known,
    ...expressionOf(source, found, unknown.length === 0),
    ...(unknown.length === 0 ? {} : { warning: warningOf(source, unknown) }),
  };
}

/** The codes as they are where all are; else what each known value stands for. */
function expressionOf(source: ColumnProfile, found: readonly (readonly [string, string])[], all: boolean) {
  const text = asText(source);
  if (
    all &&
    found.every(([value, code]) => isoCode(value.toUpperCase()) === value.toUpperCase() && value.toUpperCase() === code)
  )
    return { expression: `upper(${text})` };
  // Next week's file may give the codes of what this one names, or GB for UK.
  const codes = [...new Set(found.map(([, code]) => code))].sort();
  const coded = codes.flatMap((code) => codesOfCountry(code).map((one) => [one.toLowerCase(), code] as const));
  return { expression: byWord(source, new Map([...coded, ...found])), note: 'names or codes of countries' };
}

function warningOf({ name }: ColumnProfile, unknown: readonly { readonly value: string; readonly rows: number }[]) {
  const named = unknown.slice(0, MOST_NAMED).map(({ value, rows }) => `${shown(value)} (${rows} rows)`);
  const more = unknown.length > MOST_NAMED ? ` and ${unknown.length - MOST_NAMED} more` : '';
  return (
    `${shown(name)}: ${rowsOf(unknown)} rows name no country that is known, so their marketplace is missing: ` +
    `${named.join(', ')}${more}. Give them a code in the query.`
  );
}

function rowsOf(values: readonly { readonly rows: number }[]): number {
  return values.reduce((sum, { rows }) => sum + rows, 0);
}
