import type { StoredCandidate } from '../../database/candidates/candidates.ts';
import { offerWords, reasonWords } from './words.ts';

type Value = string | number | boolean | Date | readonly string[] | null;

/** A column of the list of whom to contact. */
export interface ListColumn {
  readonly name: string;
  /** As DuckDB calls it: what it is in Parquet. */
  readonly type: 'VARCHAR' | 'DOUBLE' | 'INTEGER' | 'BOOLEAN' | 'TIMESTAMPTZ' | 'VARCHAR[]';
  /** What it is, in a sentence; the documentation is generated from these. */
  readonly meaning: string;
  readonly valueOf: (candidate: StoredCandidate) => Value;
}

function column(
  name: string,
  type: ListColumn['type'],
  meaning: string,
  valueOf: (candidate: StoredCandidate) => Value,
): ListColumn {
  return { name, type, meaning, valueOf };
}

/** Those of a list for whoever contacts customers, in order; names are those of the view, where it has them. */
export const LIST_COLUMNS: readonly ListColumn[] = [
  column('customer_id', 'VARCHAR', 'Who; joins with the table that the program reads.', (row) => row.customer_id),
  column('risk_level', 'VARCHAR', 'critical, high or medium.', (row) => row.risk_level),
  column('risk_score', 'DOUBLE', 'Risk that the customer leaves, from 0 to 1.', (row) => row.risk_score),
  column(
    'reasons',
    'VARCHAR',
    'Why, in words: the churn signals, then what raised the risk of the model most.',
    reasonWords,
  ),
  column('offer', 'VARCHAR', 'What the customer is to get, in words.', offerWords),
  column('offer_tier', 'VARCHAR', 'What the risk level gets, such as `premium`.', (row) => row.offer_tier),
  column('offer_kind', 'VARCHAR', 'What the second model recommends, such as `discount`.', (row) => row.offer_kind),
  column('discount', 'DOUBLE', 'Discount in per cent.', (row) => row.discount),
  column('duration_months', 'INTEGER', 'Months that the discount lasts.', (row) => row.duration_months),
  column('include_upgrade', 'BOOLEAN', 'Whether an upgrade is included.', (row) => row.include_upgrade),
  column('include_personal_call', 'BOOLEAN', 'Whether a call is included.', (row) => row.include_personal_call),
  column(
    'expires_at',
    'TIMESTAMPTZ',
    'Until when the customer may be contacted from this list.',
    (row) => row.expires_at,
  ),
  column('locale', 'VARCHAR', 'Language of a message, as in `en-US`.', (row) => row.locale),
  column('timezone', 'VARCHAR', 'Time zone of the customer (IANA), for the hour of a message.', (row) => row.timezone),
  column('marketplace', 'VARCHAR', 'Two letters.', (row) => row.marketplace),
  column('currency', 'VARCHAR', 'ISO 4217.', (row) => row.currency),
  column('lifetime_value', 'DOUBLE', 'Value of the customer so far.', (row) => row.lifetime_value),
  column('subscription_tier', 'VARCHAR', 'Such as `premium`.', (row) => row.subscription_tier),
  column('segment', 'VARCHAR', 'Segment of the newest published snapshot.', (row) => row.segment),
  column('churn_signals', 'VARCHAR[]', 'Names of the churn signals.', (row) => row.churn_signals),
  column(
    'risk_reasons',
    'VARCHAR[]',
    'What raised the risk of the model most, by feature; missing where it cannot be explained.',
    (row) => row.risk_reasons,
  ),
  column('program', 'VARCHAR', 'programId.', (row) => row.program),
  column('run', 'VARCHAR', 'The run that the batch is of.', (row) => row.run),
  column('slot', 'TIMESTAMPTZ', 'The instant that the batch is as of.', (row) => row.slot),
];

/** Further columns of a list for analysis: they tell that there is an experiment. */
export const ARM_COLUMNS: readonly ListColumn[] = [
  column(
    'arm',
    'VARCHAR',
    'treatment, or holdout: gets nothing, so that the effect can be measured.',
    (row) => row.arm,
  ),
  column('epoch', 'INTEGER', 'Number of the experiment that the arm belongs to.', (row) => row.epoch),
];
