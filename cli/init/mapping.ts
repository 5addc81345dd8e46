import { CANDIDATE_COLUMNS } from '../../customers/columns/candidate.ts';
import type { ColumnDefinition } from '../../customers/columns/column.ts';
import { readCountries } from './countries.ts';
import { currencyOf } from './currency.ts';
import type { Dialect } from './dialect.ts';
import { asDay, asNumber, asText, asTruth, hasManyMisfits } from './expressions.ts';
import { type CandidateName, NAMING_RULES, type NamingRule } from './naming-rules.ts';
import type { ColumnProfile } from './profile.ts';
import { tierOrder } from './tiers.ts';

/** A column of the candidate, and how to have it from one of the file. */
export interface Mapping {
  readonly column: CandidateName;
  readonly source: ColumnProfile;
  /** SQL, without its name. */
  readonly expression: string;
  /** From 0 to 1. */
  readonly confidence: number;
  /** Why, for people. */
  readonly reason: string;
  /** Whether it reads `AS_OF`, the day that the file is of. */
  readonly dated: boolean;
  /** Subscription tiers in their order, or marketplaces. */
  readonly values?: readonly string[];
  /** What of its values is not understood, for people. */
  readonly warning?: string;
}

/** Name of what stands for the day that the file is of. */
export const AS_OF = 'as_of.holdfast_day';

/** The day that a clock of zero shows: it stands for never. */
const ZERO_DAY = "DATE '1970-01-01'";

const DAYS_PER_MONTH = 365.25 / 12;
/** A tenure without a unit that never passes this is taken for years. */
const MOST_YEARS = 10;
/** A recency without a unit that never passes this is taken for months. */
const MOST_MONTHS = 12;
const MOST_TIERS = 20;

/**
 * Proposes what each column of the candidate could be. The surest names choose first; each column of the file
 * serves one of the candidate's, and one whose values do not fit its name serves none.
 * @param taken columns that are something else, such as the label
 */
export function proposeMappings(
  profiles: readonly ColumnProfile[],
  taken: ReadonlySet<string>,
  idColumn: string | undefined,
  dialect: Dialect,
): Mapping[] {
  const proposals = profiles
    .filter(({ name }) => !taken.has(name) && name !== idColumn)
    .flatMap((source) =>
      NAMING_RULES.filter(({ column, pattern }) => column !== 'customer_id' && pattern.test(source.words)).flatMap(
        (rule) => mapped(rule, source, dialect) ?? [],
      ),
    )
    .sort((a, b) => b.confidence - a.confidence);
  const columns = new Set<string>();
  const sources = new Set<string>();
  const chosen = proposals.filter(({ column, source }) => {
    if (columns.has(column) || sources.has(source.name)) return false;
    columns.add(column);
    sources.add(source.name);
    return true;
  });
  const value = valueFromRate(profiles, taken, chosen, dialect);
  if (value !== undefined) chosen.push(value);
  const worth = chosen.filter(({ column }) => column === 'lifetime_value');
  chosen.push(...currencyOfAmounts(worth, chosen, dialect));
  const order = CANDIDATE_COLUMNS.map(({ name }) => name as string);
  return chosen.sort((a, b) => order.indexOf(a.column) - order.indexOf(b.column));
}

/** What candidates' currency is, where no column says it and the amounts do; one mapping or none. */
export function currencyOfAmounts(
  amounts: readonly Pick<Mapping, 'source' | 'confidence'>[],
  named: readonly Mapping[],
  dialect: Dialect,
): Mapping[] {
  if (named.some(({ column }) => column === 'currency')) return [];
  const places = named.find(({ column }) => column === 'marketplace')?.values ?? [];
  const found = amounts.flatMap(({ source, confidence }): Mapping[] => {
    const currency = currencyOf(source, places, dialect);
    return currency === undefined ? [] : [{ column: 'currency', source, ...currency, confidence, dated: false }];
  });
  return found.slice(0, 1);
}

const MONTHLY =
  /^(?:month(?:ly)?|mrr|arpu) ?(?:recurring )?(?:charges?|revenue|fees?|amount|spend(?:ing)?|price|bill|payment)?$/;

/** What a customer has paid so far, from what they pay a month and for how long, where no column says it. */
function valueFromRate(
  profiles: readonly ColumnProfile[],
  taken: ReadonlySet<string>,
  chosen: readonly Mapping[],
  dialect: Dialect,
): Mapping | undefined {
  const tenure = chosen.find(({ column }) => column === 'subscription_tenure');
  if (tenure === undefined || chosen.some(({ column }) => column === 'lifetime_value')) return undefined;
  const source = profiles.find(({ name, words, kind }) => !taken.has(name) && kind === 'number' && MONTHLY.test(words));
  if (source === undefined || chosen.some((one) => one.source.name === source.name)) return undefined;
  return {
    column: 'lifetime_value',
    source,
    expression: `${asNumber(source, dialect)} * (${tenure.expression})`,
    confidence: Number((0.7 * tenure.confidence).toFixed(2)),
    reason: 'named like what is paid a month; times the months of the tenure',
    dated: tenure.dated,
  };
}

/** How many values are not written like the others, where their rows are not set apart for it. */
function misfits(source: ColumnProfile): string | undefined {
  return hasManyMisfits(source)
    ? `${source.misfits} of ${source.filled} values looked at are not written so, and count as missing`
    : undefined;
}

type Read = Pick<Mapping, 'expression' | 'values' | 'warning'> & {
  readonly dated?: boolean;
  readonly doubt?: number;
  readonly note?: string;
};

function mapped(rule: NamingRule, source: ColumnProfile, dialect: Dialect): Mapping | undefined {
  const read = readAs(rule, source, dialect);
  if (read === undefined) return undefined;
  const { expression, values, warning, dated = false, doubt = 1, note } = read;
  const definition = CANDIDATE_COLUMNS.find(({ name }) => name === rule.column) as ColumnDefinition;
  const bounded = definition.type === 'DOUBLE' ? withinBounds(expression, definition, source, rule) : { expression };
  const notes = [`named like ${rule.like}`, note, source.convention?.note, misfits(source), bounded.note].filter(
    (part) => part !== undefined,
  );
  return {
    column: rule.column,
    source,
    expression: bounded.expression,
    confidence: Number((rule.confidence * doubt * (source.convention?.sureness ?? 1)).toFixed(2)),
    reason: notes.join('; '),
    dated,
    ...(values === undefined ? {} : { values }),
    ...(warning === undefined ? {} : { warning }),
  };
}

function readAs({ reading, column }: NamingRule, source: ColumnProfile, dialect: Dialect): Read | undefined {
  const { kind, values, maximum } = source;
  switch (reading.as) {
    case 'number':
      return kind === 'number' ? { expression: times(asNumber(source, dialect), reading.factor ?? 1) } : undefined;
    case 'share':
    case 'change':
      return kind === 'number' ? fraction(reading.as, asNumber(source, dialect), source) : undefined;
    case 'tenure': {
      if (kind !== 'number') return undefined;
      const years = maximum <= MOST_YEARS;
      const note = years
        ? `no unit in the name and no more than ${maximum}, so taken as years`
        : 'no unit in the name, taken as months';
      return { expression: times(asNumber(source, dialect), years ? 12 : 1), doubt: years ? 0.7 : 1, note };
    }
    case 'recency': {
      if (kind !== 'number') return undefined;
      const months = maximum <= MOST_MONTHS;
      const note = months
        ? `no unit in the name and no more than ${maximum}, so taken as months; change the query if they are days`
        : 'no unit in the name, taken as days';
      return {
        expression: times(asNumber(source, dialect), months ? DAYS_PER_MONTH : 1),
        doubt: months ? 0.5 : 1,
        note,
      };
    }
    case 'days-since':
      return kind === 'date'
        ? { expression: dialect.daysBetween(`nullif(${asDay(source, dialect)}, ${ZERO_DAY})`, AS_OF), dated: true }
        : undefined;
    case 'months-since': {
      if (kind !== 'date') return undefined;
      const days = dialect.daysBetween(asDay(source, dialect), AS_OF);
      return { expression: `${days} / ${DAYS_PER_MONTH}`, dated: true };
    }
    case 'truth': {
      const truth = asTruth(source);
      if (truth === undefined) return undefined;
      return {
        expression: column === 'engagement_score' ? `CAST(CAST(${truth} AS INTEGER) AS ${dialect.double})` : truth,
      };
    }
    case 'country': {
      const countries = readCountries(source);
      if (countries === undefined) return undefined;
      const { marketplaces, known, ...read } = countries;
      return { ...read, values: marketplaces, doubt: known };
    }
    case 'tier': {
      const order =
        kind === 'text' && values.length <= MOST_TIERS ? tierOrder(values.map(({ value }) => value)) : undefined;
      if (order === undefined) return undefined;
      return { expression: `lower(${asText(source)})`, values: order };
    }
    case 'status': {
      const active = values.find(({ value }) => value.toLowerCase() === 'active');
      return active === undefined ? undefined : { expression: `lower(${asText(source)})` };
    }
    case 'id':
    case 'text':
      return kind === 'text' ? { expression: asText(source) } : undefined;
  }
}

/** Shares and changes are fractions in the candidate; in percent they are divided, and otherwise not understood. */
function fraction(
  as: 'share' | 'change',
  number: string,
  { minimum, maximum, percent }: ColumnProfile,
): Read | undefined {
  const least = as === 'share' ? 0 : -1;
  const most = as === 'share' ? 1 : 10;
  if (percent !== true && minimum >= least && maximum <= most) return { expression: number };
  const isPercent = minimum >= 100 * least && maximum <= (as === 'share' ? 100 : 1000);
  return isPercent ? { expression: times(number, 0.01), note: 'in percent' } : undefined;
}

/** Where the sample shows values out of the candidate's bounds, those count as missing: extract would reject the rows. */
function withinBounds(
  expression: string,
  { minimum, maximum }: ColumnDefinition,
  source: ColumnProfile,
  rule: NamingRule,
) {
  const dated = rule.reading.as === 'days-since' || rule.reading.as === 'months-since';
  const factor = rule.reading.as === 'number' ? (rule.reading.factor ?? 1) : 1;
  const below = minimum !== undefined && (dated || source.minimum * factor < minimum);
  const above = maximum !== undefined && (dated || (rule.reading.as === 'number' && source.maximum * factor > maximum));
  if (!below && !above) return { expression };
  const test = below && above ? `BETWEEN ${minimum} AND ${maximum}` : below ? `>= ${minimum}` : `<= ${maximum}`;
  const note = dated ? undefined : 'values out of bounds count as missing';
  return { expression: `CASE WHEN ${expression} ${test} THEN ${expression} END`, note };
}

function times(expression: string, factor: number): string {
  if (factor === 1) return expression;
  return factor < 1 ? `${expression} / ${decimal(1 / factor)}` : `${expression} * ${factor}`;
}

/** A number with a point: elsewhere a whole number divided by another loses what is left over. */
function decimal(value: number): string {
  const digits = String(Number(value.toPrecision(6)));
  return digits.includes('.') ? digits : `${digits}.0`;
}
