import { identifier } from '../../base/duckdb/engine.ts';
import { nearest } from '../../base/text/spelling.ts';
import { unsuitable } from '../../customers/training/unsuitable.ts';
import { NAMING_RULES } from './naming-rules.ts';
import type { ColumnProfile } from './profile.ts';
import type { Source } from './source.ts';
import { shown } from './words.ts';

/** The column that says who a customer is. */
export interface Identity {
  readonly source: ColumnProfile;
  readonly expression: string;
  readonly confidence: number;
  readonly reason: string;
  /** Rows of the whole file. */
  readonly rows: number;
  /** Rows beyond the first of their customer. */
  readonly duplicates: number;
  readonly missing: number;
}

/** Share of the values that must be different for a column to be thought an id. */
const NEARLY_ALL = 0.5;
/** Share of rows that `extract` may set apart by default. */
export const TOLERATED_SHARE = 0.01;

/**
 * Finds the column that says who a customer is.
 * @param count of the whole source, of which the profiles may know a sample only
 * @param wanted its name, where a person gave it
 * @throws HF_SOURCE_UNSUITABLE when there is none, or when it is that of events rather than of customers
 */
export async function findIdentity(
  count: Source['countCustomers'],
  profiles: readonly ColumnProfile[],
  wanted: string | undefined,
): Promise<Identity> {
  const chosen = wanted === undefined ? guess(profiles) : given(profiles, wanted);
  const { source } = chosen;
  const { total: rows, filled, customers } = await count(source.name);
  if (customers === 0)
    throw unsuitable(`The column ${shown(source.name)} is empty: name the one with the customers with --id COLUMN.`);
  if (customers < NEARLY_ALL * filled) {
    throw unsuitable(
      `The file has ${(filled / customers).toFixed(1)} rows for each ${shown(source.name)}: it holds events, not customers. ` +
        'Of purchases, call the day and the amount, or the invoice, such as order_date, amount and order_id; aggregate other ' +
        'events to one row for each customer first; or name another column with --id COLUMN.',
    );
  }
  return {
    ...chosen,
    expression: identifier(source.name),
    rows,
    duplicates: filled - customers,
    missing: rows - filled,
  };
}

type Chosen = Pick<Identity, 'source' | 'confidence' | 'reason'>;

function given(profiles: readonly ColumnProfile[], wanted: string): Chosen {
  return { source: columnNamed(profiles, wanted, '--id'), confidence: 1, reason: 'given by --id' };
}

/** The surest name whose values are mostly different; failing that, the surest, so that it is said what is wrong with it. */
function guess(profiles: readonly ColumnProfile[]): Chosen {
  const isDifferent = ({ source: { distinct, filled } }: Chosen) => distinct >= NEARLY_ALL * filled;
  const named = profiles
    .flatMap((source) => {
      const [rule] = NAMING_RULES.filter(
        ({ column, pattern }) => column === 'customer_id' && pattern.test(source.words),
      );
      if (rule === undefined || source.filled === 0) return [];
      return [{ source, confidence: rule.confidence, reason: `named like ${rule.like}` }];
    })
    .sort((a, b) => b.confidence - a.confidence || b.source.distinct - a.source.distinct);
  const best = named.find(isDifferent) ?? named[0];
  if (best !== undefined) return best;
  const unique = profiles.filter(({ distinct, rows, kind }) => distinct === rows && rows > 1 && kind !== 'date');
  const hint =
    unique.length === 0
      ? 'no column has another value in every row'
      : `each value is there once in ${unique
          .slice(0, 5)
          .map(({ name }) => shown(name))
          .join(', ')}`;
  throw unsuitable(
    `No column is named like a customer's id; name the one that is with --id COLUMN (${hint}). Where there is none, write ` +
      'one into the file: a key of several columns, or a row number (row_number() OVER () AS customer_id), which holds for ' +
      'this one file only, so that nobody is known again next week.',
  );
}

/**
 * The column of a name that a person gave, in whatever case.
 * @throws HF_SOURCE_UNSUITABLE
 */
export function columnNamed(profiles: readonly ColumnProfile[], wanted: string, option: string): ColumnProfile {
  const found =
    profiles.find(({ name }) => name === wanted) ??
    profiles.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
  if (found !== undefined) return found;
  const meant = nearest(
    wanted,
    profiles.map(({ name }) => name),
  );
  const hint = meant === undefined ? '' : ` (did you mean ${shown(meant)}?)`;
  throw unsuitable(`${option} ${shown(wanted)}: the file has no such column${hint}.`);
}
