import type { ColumnDefinition } from './column.ts';

/** Columns that `extract` adds to each candidate. */
export const DERIVED_COLUMNS = [
  {
    name: 'churn_signals',
    type: 'VARCHAR[]',
    unit: 'set',
    description: 'Names of the churn signals that the customer shows, sorted.',
    stored: {
      required: true,
      api: { name: 'churnSignals', meaning: 'What drew attention to the customer.' },
      list: { meaning: 'Names of the churn signals.' },
    },
  },
  {
    name: 'segment',
    type: 'VARCHAR',
    unit: '',
    description: "Segment in the newest published snapshot of the program's series.",
    stored: {
      api: { name: 'segment', meaning: 'Segment of the newest published snapshot.' },
      list: { meaning: 'Segment of the newest published snapshot.' },
    },
  },
  {
    name: 'segment_risk',
    type: 'DOUBLE',
    unit: '0–1',
    description: 'Proxy churn rate of that segment.',
    minimum: 0,
    maximum: 1,
  },
  { name: 'source', type: 'VARCHAR', unit: 'connectorId', description: 'The connector that the row came from.' },
  {
    name: 'extracted_at',
    type: 'TIMESTAMP',
    unit: 'UTC',
    description: 'The instant that the batch is as of: its slot.',
  },
] as const satisfies readonly ColumnDefinition[];

/**
 * Columns that later stages add, in their order. A query may not give them: one of its own under such a name would be
 * replaced without a word.
 */
export const LATER_COLUMNS = [
  {
    name: 'days_since_program_offer',
    type: 'INTEGER',
    unit: 'days',
    description: 'Whole days from the newest offer of this program to the slot; missing when there was none.',
  },
  {
    name: 'offers_rolling_quarter',
    type: 'INTEGER',
    unit: 'offers',
    description: 'Retention offers of all programs in the 90 days before the slot.',
  },
  {
    name: 'offers_calendar_quarter',
    type: 'INTEGER',
    unit: 'offers',
    description: "Retention offers of all programs since the calendar quarter began, in the program's zone.",
  },
  { name: 'filter_id', type: 'VARCHAR', unit: 'filterId', description: 'The filter that removed the customer.' },
  {
    name: 'risk_score',
    type: 'DOUBLE',
    unit: '0–1',
    description: 'Churn risk; a probability where the model is calibrated.',
    minimum: 0,
    maximum: 1,
    stored: {
      required: true,
      api: { name: 'riskScore', meaning: 'Risk that the customer leaves.' },
      list: { meaning: 'Risk that the customer leaves, from 0 to 1.' },
    },
  },
  {
    name: 'risk_level',
    type: 'VARCHAR',
    unit: 'critical, high, medium',
    description: 'Level, by `riskLevels`.',
    stored: {
      required: true,
      api: { name: 'riskLevel', meaning: 'Level of the risk: critical, high or medium.' },
      list: { meaning: 'critical, high or medium.' },
    },
  },
  {
    name: 'offer_kind',
    type: 'VARCHAR',
    unit: 'kind',
    description: 'The kind of offer that the second model recommends.',
    stored: {
      api: { name: 'offer.kind', meaning: 'What the second model recommends, such as `discount`.' },
      list: { meaning: 'What the second model recommends, such as `discount`.' },
    },
  },
  {
    name: 'offer_kind_score',
    type: 'DOUBLE',
    unit: 'of the model',
    description: 'What that model says the kind would add.',
  },
  {
    name: 'risk_reasons',
    type: 'VARCHAR[]',
    unit: 'up to 3',
    description:
      'What raised the risk most, the strongest first: features, and which side of typical they are on. Missing where the model cannot be explained.',
    stored: {
      api: {
        name: 'riskReasons',
        meaning:
          'What raised the risk of the model most, the strongest first; null where the model cannot be explained.',
      },
      list: { meaning: 'What raised the risk of the model most, by feature; missing where it cannot be explained.' },
    },
  },
  {
    name: 'offer_tier',
    type: 'VARCHAR',
    unit: 'offerType',
    description: 'What the risk level may get; missing where it has no terms, and nothing is offered.',
    stored: {
      api: {
        name: 'offer.tier',
        meaning:
          'What the risk level gets. Null where the program makes no offers, or, with `arm`, none to that level.',
      },
      list: { meaning: 'What the risk level gets, such as `premium`.' },
    },
  },
  {
    name: 'discount',
    type: 'DOUBLE',
    unit: 'per cent',
    description: 'Discount of the offer.',
    stored: {
      api: { name: 'offer.discountPercent', meaning: 'Discount in per cent.' },
      list: { meaning: 'Discount in per cent.' },
    },
  },
  {
    name: 'duration',
    type: 'INTEGER',
    unit: 'months',
    description: 'How long the offer lasts.',
    stored: {
      name: 'duration_months',
      api: { name: 'offer.durationMonths', meaning: 'How long the discount lasts.' },
      list: { meaning: 'Months that the discount lasts.' },
    },
  },
  {
    name: 'include_upgrade',
    type: 'BOOLEAN',
    unit: '',
    description: 'Whether the offer includes a higher tier.',
    stored: {
      api: { name: 'offer.upgrade', meaning: 'Whether an upgrade is included.' },
      list: { meaning: 'Whether an upgrade is included.' },
    },
  },
  {
    name: 'include_personal_call',
    type: 'BOOLEAN',
    unit: '',
    description: 'Whether the offer includes a call.',
    stored: {
      api: { name: 'offer.personalCall', meaning: 'Whether a personal call is included.' },
      list: { meaning: 'Whether a call is included.' },
    },
  },
  {
    name: 'arm',
    type: 'VARCHAR',
    unit: 'treatment, holdout',
    description: 'A held-out customer gets nothing, so that the effect can be measured.',
    values: ['treatment', 'holdout'],
    stored: {
      required: true,
      forAnalysis: true,
      api: {
        name: 'arm',
        meaning: 'Held-out customers get nothing, so that the effect can be measured. Only where `arm` is asked for.',
      },
      list: { meaning: 'treatment, or holdout: gets nothing, so that the effect can be measured.' },
    },
  },
  {
    name: 'epoch',
    type: 'INTEGER',
    unit: '',
    description: 'Number of the experiment that the arm belongs to.',
    minimum: 0,
    stored: {
      required: true,
      forAnalysis: true,
      api: { name: 'epoch', meaning: 'Epoch of the experiment. Only where `arm` is asked for.' },
      list: {},
    },
  },
] as const satisfies readonly ColumnDefinition[];

/** What every row of a batch shares, which is stored with each. */
export const BATCH_COLUMNS = [
  {
    name: 'namespace',
    type: 'VARCHAR',
    unit: '',
    description: 'Namespace of the program: "default" on a laptop.',
    stored: { required: true },
  },
  {
    name: 'program',
    type: 'VARCHAR',
    unit: 'programId',
    description: 'The program. Give namespace and program, and an index finds the rows.',
    stored: { required: true, list: { meaning: 'programId.' } },
  },
  {
    name: 'run',
    type: 'VARCHAR',
    unit: '',
    description: 'The run that published the batch.',
    stored: {
      required: true,
      api: { name: 'run', meaning: 'Run that the candidate is of.' },
      list: { meaning: 'The run that the batch is of.' },
    },
  },
  {
    name: 'slot',
    type: 'TIMESTAMPTZ',
    unit: '',
    description: 'The instant that the batch is as of.',
    stored: { required: true, api: { name: 'slot', meaning: 'The instant that its batch is as of.' }, list: {} },
  },
  {
    name: 'created_at',
    type: 'TIMESTAMPTZ',
    unit: '',
    description: 'When the batch was stored.',
    stored: { required: true, api: { name: 'createdAt', meaning: 'When it was stored.' } },
  },
  {
    name: 'expires_at',
    type: 'TIMESTAMPTZ',
    unit: '',
    description: 'From then on the view does not show the row.',
    stored: {
      required: true,
      api: { name: 'expiresAt', meaning: 'From when on it is no longer shown.' },
      list: { meaning: 'Until when the customer may be contacted from this list.' },
    },
  },
] as const satisfies readonly ColumnDefinition[];
