import { literal } from '../../base/duckdb/engine.ts';
import { DERIVED_COLUMNS, LATER_COLUMNS } from '../../customers/columns/added-columns.ts';
import { CANDIDATE_COLUMNS, REJECTED_BECAUSE, WARNED_BECAUSE } from '../../customers/columns/candidate.ts';
import { type Departure, tellsWhoLeft } from './departures.ts';
import type { Dialect } from './dialect.ts';
import { asDay, asNumber, asText } from './expressions.ts';
import { isAfterwards } from './label.ts';
import { AS_OF, type Mapping } from './mapping.ts';
import type { ColumnProfile } from './profile.ts';
import { protectedCharacteristic } from './protected.ts';
import { slug } from './words.ts';

/** A number that a model is given. */
export interface Feature {
  /** As the query calls it. */
  readonly name: string;
  readonly expression: string;
  readonly source: ColumnProfile;
  readonly dated: boolean;
  /** Whether it is a column of the candidate, which the query gives anyway. */
  readonly mapped: boolean;
}

/** A column that no model is given, and why. */
export interface LeftOut {
  readonly source: ColumnProfile;
  readonly reason: string;
}

const FEW_CATEGORIES = 12;
const LONGEST_NAME = 200;
const LONGEST_CATEGORY = 100;
const OPEN = {
  date: 'in which order its days are written cannot be told; say it with --dates',
  number: 'what its points or commas mean cannot be told; say it with --decimal',
} as const;
/** A category with fewer rows than this says nothing. */
const LEAST_ROWS = 20;

const PERSON =
  /^(?:(?:customer|client|user|contact|billing|home|work|member|account|street|ship|shipping|full|first|last|given|family|middle|maiden) ?)*(?:name|surname|forename|nachname|vorname|e ?mail|mail ?address|phone|mobile|telephone|tel|fax|address|street|addr(?:ess)?(?: line)?|zip|zip ?code|post ?code|postal ?code|plz|ssn|social security|passport|iban|card|birth ?(?:date|day)|date ?of ?birth|dob|ip|lat|lon|latitude|longitude|user ?name|signature|manager|agent|sales ?rep|representative|owner|advisor|contact)(?: ?(?:number|nr|no|num|address|code|1|2))?$/;

/** What no model is given. */
export interface Excluded {
  /** The label and the id. */
  readonly taken: ReadonlySet<string>;
  readonly departures: readonly Departure[];
  /** Names of protected characteristics that are given to the model all the same, since a person said so. */
  readonly useProtected: readonly string[];
}

/**
 * What a model may be given: the numbers and truths of the candidate, the other numbers, and, as 0 and 1, categories
 * of few values. Never the label, what is known too late, and what says who somebody is.
 */
export function proposeFeatures(
  profiles: readonly ColumnProfile[],
  mappings: readonly Mapping[],
  { taken, departures, useProtected }: Excluded,
  dialect: Dialect,
): { readonly features: readonly Feature[]; readonly leftOut: readonly LeftOut[] } {
  const features: Feature[] = [];
  const leftOut: LeftOut[] = [];
  const names = new Set<string>(
    [...CANDIDATE_COLUMNS, ...DERIVED_COLUMNS, ...LATER_COLUMNS]
      .map(({ name }) => name as string)
      .concat('file_row_number', REJECTED_BECAUSE, WARNED_BECAUSE),
  );
  for (const source of profiles) {
    if (taken.has(source.name)) continue;
    const departure = departures.find((one) => one.source.name === source.name && tellsWhoLeft(one));
    const reason =
      departure === undefined ? whyNot(source, useProtected) : 'says who has left, which nobody knows beforehand';
    if (reason !== undefined) {
      leftOut.push({ source, reason });
      continue;
    }
    const mapping = mappings.find((one) => one.source.name === source.name && isNumeric(one.column));
    const found = mapping === undefined ? ofColumn(source, dialect) : [fromMapping(mapping)];
    if (found.length === 0) leftOut.push({ source, reason: `no number, and ${source.distinct} different values` });
    for (const feature of found)
      features.push(feature.mapped ? feature : { ...feature, name: unused(feature.name, names) });
  }
  return { features, leftOut };
}

function whyNot(source: ColumnProfile, useProtected: readonly string[]): string | undefined {
  const { kind, distinct, rows, filled, personal, words, name, values, minimum, maximum, whole } = source;
  if (kind === 'empty') return 'empty';
  if (source.convention?.question !== undefined)
    return source.convention.open ?? OPEN[kind === 'date' ? 'date' : 'number'];
  if (PERSON.test(words) || personal > 0.2) return 'says who somebody is';
  if (protectedCharacteristic(words) !== undefined && !useProtected.includes(name))
    return 'a protected characteristic; to give one to the model all the same, name it with --use-protected COLUMN';
  if (isAfterwards(source)) return 'named like what is known only once somebody leaves';
  if (distinct <= 1 && filled === rows) return 'the same in every row';
  if (name.length > LONGEST_NAME || name.includes('\0')) return 'its name is too long';
  const counts = kind === 'number' && whole && distinct === filled && filled > 50;
  if (
    counts &&
    (maximum - minimum + 1 <= 1.5 * filled || /(?:^| )(?:id|no|nr|number|key|row|index|code|ref)(?: |$)/.test(words))
  ) {
    return 'numbers the rows';
  }
  if (values.some(({ value }) => value.length > LONGEST_CATEGORY)) return 'long texts';
  return undefined;
}

function isNumeric(column: string): boolean {
  return CANDIDATE_COLUMNS.some(({ name, type }) => name === column && (type === 'DOUBLE' || type === 'BOOLEAN'));
}

function fromMapping({ column, expression, source, dated }: Mapping): Feature {
  return { name: column, expression, source, dated, mapped: true };
}

function ofColumn(source: ColumnProfile, dialect: Dialect): Feature[] {
  const { kind, name, values, rows, filled } = source;
  const one = (feature: string, expression: string, dated = false): Feature => ({
    name: feature,
    expression,
    source,
    dated,
    mapped: false,
  });
  switch (kind) {
    case 'number':
    case 'boolean':
      return [one(slug(name), asNumber(source, dialect))];
    case 'date':
      return [one(`days_since_${slug(name, 52)}`, dialect.daysBetween(asDay(source, dialect), AS_OF), true)];
    case 'text': {
      if (values.length > FEW_CATEGORIES || (values.length === 1 && filled === rows)) return [];
      const known = values.map(({ value }) => literal(value)).join(', ');
      // The most frequent is what the others are compared with, where nothing is missing. A text that no row had is missing
      // too, or a column whose words have changed would be 0 throughout without a word.
      return values.slice(filled < rows ? 0 : 1).flatMap(({ value, rows: count }) => {
        if (count < Math.min(LEAST_ROWS, rows / 10)) return [];
        const text = asText(source);
        const is = `CASE WHEN ${text} = ${literal(value)} THEN 1 WHEN ${text} IN (${known}) THEN 0 END`;
        return [one(`${slug(name, 40)}_${slug(value, 22)}`, is)];
      });
    }
    case 'empty':
      return [];
  }
}

/** The name, with a number behind it when another feature, or Holdfast itself, has it. */
function unused(name: string, names: Set<string>): string {
  let free = name.startsWith('holdfast_') ? `own_${name}`.slice(0, 63) : name;
  for (let number = 2; names.has(free); number++) free = `${name.slice(0, 58)}_${number}`;
  names.add(free);
  return free;
}
