import { Type, type Static, type TSchema } from 'typebox';

/** One of a closed list of words. */
function oneOf<const Words extends readonly string[]>(words: Words, options: object = {}) {
  return Type.Unsafe<Words[number]>({ type: 'string', enum: [...words], ...options });
}

/** Kubernetes' own name pattern: what may become part of an object's name. */
const NAME = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$';
const name = (description: string, maxLength = 63) => Type.String({ pattern: NAME, minLength: 1, maxLength, description });
const text = (description: string, maxLength = 253) => Type.String({ minLength: 1, maxLength, description });
const fraction = (description: string, options: object = {}) => Type.Number({ minimum: 0, maximum: 1, description, ...options });

/*
 * A property with a `default` is not Optional here: the schema fills it in, so inside Holdfast it is always
 * there. The generator leaves it out of `required`.
 */
const connector = Type.Object({
  connectorId: name('Name of the connector within the program.'),
  type: oneOf(['duckdb', 'snowflake'], { description: 'Warehouse to read.' }),
  config: Type.Object({
    query: text('One SELECT whose columns map to the candidate by name.', 65_536),
    path: Type.Optional(text('duckdb: a database file, or a Parquet or CSV file or glob; relative to the manifest.', 4096)),
    table: Type.Optional(text('duckdb: name under which a Parquet or CSV file is queried (default: its stem).', 63)),
    sample: Type.Optional(
      Type.Object({
        customers: Type.Integer({ minimum: 100, maximum: 10_000_000, default: 10_000, description: 'Rows that the example query returns.' }),
        seed: Type.Integer({ minimum: 0, maximum: 2_147_483_647, default: 1, description: 'Same seed, same business.' }),
      }),
    ),
    account: Type.Optional(text('snowflake: account identifier.')),
    database: Type.Optional(text('snowflake: database.')),
    schema: Type.Optional(text('snowflake: schema.')),
  }),
});

const scoringModel = Type.Object({
  modelId: text('Name of the model.', 63),
  endpoint: Type.String({ pattern: '^(onnx|sagemaker)://.+', maxLength: 2048 }),
  sha256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$', maxLength: 64 })),
  features: Type.Array(text('Column name.', 63), { minItems: 1, maxItems: 256 }),
  batchSize: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1000 }),
});

const filter = Type.Object({
  filterId: name('Label of the filter.'),
  type: oneOf(['trust', 'business-rule', 'eligibility', 'expression']),
  order: Type.Integer({ minimum: 0, maximum: 1000 }),
  // Replaced by the union of the parameter schemas of jobs/filters.
  parameters: Type.Optional(Type.Unsafe<Record<string, unknown>>({ type: 'object' })),
});

const channel = Type.Object({
  channelId: name('Name of the channel.'),
  type: oneOf(['email', 'phone', 'in-app', 'push']),
  enabled: Type.Boolean({ default: true }),
  priority: Type.Integer({ minimum: 1, maximum: 100, default: 1 }),
  config: Type.Optional(
    Type.Object({
      templateId: Type.Optional(text('')),
      sendTime: Type.Optional(Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$', maxLength: 5 })),
      timezone: Type.Optional(text('', 64)),
      personalization: Type.Optional(oneOf(['none', 'low', 'medium', 'high'])),
      callType: Type.Optional(oneOf(['account-manager', 'agent'])),
      scheduleWithin: Type.Optional(Type.String({ pattern: '^[0-9]+[mhd]$', maxLength: 8 })),
      scriptId: Type.Optional(text('')),
      criticalRiskOnly: Type.Optional(Type.Boolean()),
      messageType: Type.Optional(text('')),
      displayDuration: Type.Optional(Type.Integer({ minimum: 1, maximum: 365 })),
    }),
  ),
});

export const RISK_LEVELS = ['critical', 'high', 'medium'] as const;
export type RiskLevel = (typeof RISK_LEVELS)[number];

const offerSegment = Type.Object({
  riskLevel: oneOf(RISK_LEVELS),
  offerType: oneOf(['premium', 'standard', 'engagement']),
  discount: Type.Number({ minimum: 0, maximum: 100, default: 0 }),
  duration: Type.Integer({ minimum: 1, maximum: 120, default: 1 }),
  includeUpgrade: Type.Boolean({ default: false }),
  includePersonalCall: Type.Boolean({ default: false }),
});

export const retentionProgramSpec = Type.Object({
  programId: name('Identity of the program; keys every row it writes. Immutable.', 40),
  programName: text('Name for people.'),
  enabled: Type.Boolean({ default: true }),
  marketplaces: Type.Array(Type.String({ pattern: '^[A-Z]{2}$', maxLength: 2 }), { minItems: 1, maxItems: 250 }),
  dataConnectors: Type.Array(connector, { minItems: 1, maxItems: 10 }),
  featureStore: Type.Optional(
    Type.Object({ type: oneOf(['warehouse']), connectorId: name('Connector whose warehouse has the table.'), table: text('Table or view keyed by customer_id.', 255) }),
  ),
  offerHistory: Type.Optional(
    Type.Object({ connectorId: name('Connector whose warehouse has the table.'), table: text('Past retention offers: customer_id, program_id, offered_at.', 255) }),
  ),
  quality: Type.Object(
    { maxRejectedShare: fraction('', { default: 0.01 }), minRowsVersusLastRun: fraction('', { default: 0.5 }) },
    { default: {} },
  ),
  scoringModels: Type.Array(scoringModel, { minItems: 1, maxItems: 10 }),
  riskLevels: Type.Object(
    { critical: fraction('', { default: 0.8 }), high: fraction('', { default: 0.6 }), medium: fraction('', { default: 0.4 }) },
    { default: {} },
  ),
  subscriptionTiers: Type.Array(text('', 63), { minItems: 1, maxItems: 20, default: ['basic', 'standard', 'premium', 'premium_plus'] }),
  filterChain: Type.Array(filter, { maxItems: 50, default: [] }),
  channels: Type.Array(channel, { maxItems: 10, default: [] }),
  offerStrategy: Type.Object({
    enabled: Type.Boolean({ default: true }),
    segmentedOffers: Type.Boolean({ default: true }),
    segments: Type.Array(offerSegment, { maxItems: 3, default: [] }),
  }),
  holdout: Type.Object({ share: fraction('', { default: 0.1 }), epoch: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1 }) }, { default: {} }),
  batchSchedule: text('Five-field cron or AWS cron(…).', 128),
  timeZone: Type.String({ maxLength: 64, default: 'UTC' }),
  candidateTTLDays: Type.Integer({ minimum: 1, maximum: 3650, default: 30 }),
} satisfies Record<string, TSchema>);

/** A program's spec after the schema has filled in its defaults. */
export type RetentionProgramSpec = Static<typeof retentionProgramSpec>;
