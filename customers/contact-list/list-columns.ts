import { ordered, STORED_COLUMNS, type StoredCandidate, type StoredName } from '../columns/stored-columns.ts';
import { offerWords, reasonWords } from './words.ts';

type Value = StoredCandidate[StoredName];

/** A column of the list of whom to contact. */
export interface ListColumn {
  readonly name: string;
  /** As DuckDB calls it: what it is in Parquet. */
  readonly type: (typeof STORED_COLUMNS)[number]['type'];
  /** What it is, in a sentence; the documentation is generated from these. */
  readonly meaning: string;
  readonly valueOf: (candidate: StoredCandidate) => Value;
}

/** What is put into words for whoever contacts a customer. */
const IN_WORDS: readonly ListColumn[] = [
  {
    name: 'reasons',
    type: 'VARCHAR',
    meaning: 'Why, in words: the churn signals, then what raised the risk of the model most.',
    valueOf: reasonWords,
  },
  { name: 'offer', type: 'VARCHAR', meaning: 'What the customer is to get, in words.', valueOf: offerWords },
];

function stored(forAnalysis: boolean): readonly ListColumn[] {
  return STORED_COLUMNS.flatMap(({ name, type, description, stored: { list, ...stored } }) =>
    list === undefined || (stored.forAnalysis === true) !== forAnalysis
      ? []
      : [{ name, type, meaning: list.meaning ?? description, valueOf: (candidate) => candidate[name] }],
  );
}

/** Those of a list for whoever contacts customers, in order; names are those of the view, where it has them. */
export const LIST_COLUMNS: readonly ListColumn[] = ordered(
  [...IN_WORDS, ...stored(false)],
  [
    'customer_id',
    'risk_level',
    'risk_score',
    'reasons',
    'offer',
    'offer_tier',
    'offer_kind',
    'discount',
    'duration_months',
    'include_upgrade',
    'include_personal_call',
    'expires_at',
    'locale',
    'timezone',
    'marketplace',
    'currency',
    'lifetime_value',
    'subscription_tier',
    'segment',
    'churn_signals',
    'risk_reasons',
    'program',
    'run',
    'slot',
  ],
);

/** Further columns of a list for analysis: they tell that there is an experiment. */
export const ARM_COLUMNS: readonly ListColumn[] = stored(true);
