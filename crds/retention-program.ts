import { type Static, type TSchema, Type } from 'typebox';
import {
  conditions,
  count,
  fields,
  fraction,
  instant,
  keyedBy,
  LABEL_NAME,
  labelValue,
  name,
  objectName,
  oneOf,
  quantity,
  rules,
  SET,
  secretKey,
  text,
} from '../base/schema/fields.ts';
import { TOKEN_ADDRESS } from '../contract/model-token.ts';
import { RISK_LEVELS } from '../customers/columns/risk-levels.ts';
import { type FilterType, OFFER_HISTORY_DAYS } from '../customers/filters/filter.ts';
import { FILTER_TYPES, parameterFields, parameterRules } from './filter-parameters.ts';
import { RUN_PHASES } from './run-phase.ts';
import { SCHEDULE } from './schedule-pattern.ts';
import { LARGEST_SPEC_BYTES } from './spec-size.ts';

/*
 * A property with a `default` is not Optional here: the schema fills it in, so inside Holdfast it is always
 * there. The generator leaves it out of `required`.
 */

/** Processes, or pods, that the work of a stage may be divided among. */
export const MOST_SHARDS = 64;

/** A field of a connector's `config` that only one type of connector reads. */
const onlyOf = (type: string, ...names: readonly string[]) =>
  names.map((field) => ({
    rule: `!has(self.config.${field}) || self.type == '${type}'`,
    message: `${field} is for connectors of type ${type} only`,
    fieldPath: `.config.${field}`,
  }));

const connector = fields(
  'A warehouse and what to read from it.',
  {
    connectorId: name('Name of the connector within the program.'),
    type: oneOf(['duckdb', 'postgres', 'snowflake'], 'Kind of warehouse.'),
    config: fields('Where the warehouse is and what to ask it.', {
      query: Type.String({
        pattern: '^[^\\x00]*$',
        meaning: 'text without NUL',
        minLength: 1,
        maxLength: 65_536,
        description:
          'One SELECT whose columns map to the candidate by name; columns of other names ride along as features.',
      }),
      path: Type.Optional(
        text('duckdb: a database file, or a Parquet, CSV, JSON or Excel file or glob; relative to the manifest.', 4096),
      ),
      table: Type.Optional(
        text('duckdb: name under which the query sees a file. Default: the name of the file without its ending.', 63),
      ),
      sheet: Type.Optional(text('duckdb: sheet of an Excel workbook. Default: the only one that is not hidden.', 31)),
      allVarchar: Type.Optional(
        Type.Boolean({
          description:
            'duckdb: columns of a CSV, JSON or Excel file reach the query as the texts that are written there. Without it the type of ' +
            'each column is guessed from each file anew.',
        }),
      ),
      sample: Type.Optional(
        fields('duckdb: a made-up subscription business instead of a file, to try things on.', {
          customers: Type.Integer({
            minimum: 100,
            maximum: 10_000_000,
            default: 10_000,
            description: 'Rows that the example query returns.',
          }),
          seed: Type.Integer({
            minimum: 0,
            maximum: 2_147_483_647,
            default: 1,
            description: 'Seed of the generator: same seed, same business.',
          }),
        }),
      ),
      connectionSecretRef: Type.Optional(
        secretKey(
          'postgres, on a cluster: the secret with the connection URL. On a laptop it is in the environment, as ' +
            'HOLDFAST_CONNECTION_ and the connectorId in capitals.',
          'url',
        ),
      ),
      statementTimeoutSeconds: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 86_400,
          description: 'postgres: longest time of the query, from its start to its last row. Default: 1800.',
        }),
      ),
      optionalColumns: Type.Optional(
        Type.Array(
          fields('A column that the source may lack, and what follows where it does: a run without it says so.', {
            table: text('Table or view that has it, as the query names it.', 255),
            column: text('Its name.', 255),
            without: text('What follows without it, for people.', 400),
          }),
          {
            minItems: 1,
            maxItems: 100,
            description:
              'Columns that the query can do without, such as one that says who left; how it does so is in the query. A ' +
              'run on a source that lacks one warns of it; any other that is missing is refused.',
          },
        ),
      ),
      account: Type.Optional(text('snowflake: account identifier.')),
      database: Type.Optional(text('snowflake: database.')),
      schema: Type.Optional(text('snowflake: schema.')),
    }),
  },
  rules(
    ...onlyOf('duckdb', 'path', 'table', 'sample'),
    ...onlyOf('postgres', 'connectionSecretRef', 'statementTimeoutSeconds'),
    ...onlyOf('snowflake', 'account', 'database', 'schema'),
    {
      rule: "self.type != 'duckdb' || has(self.config.path) != has(self.config.sample)",
      message: 'a duckdb connector needs exactly one of path and sample',
      fieldPath: '.config',
    },
    {
      rule: '!has(self.config.table) || !has(self.config.sample)',
      message: 'table names a file of path; the tables of a sample have names of their own',
      fieldPath: '.config.table',
    },
    {
      rule:
        "self.type != 'snowflake' || " +
        '(has(self.config.account) && has(self.config.database) && has(self.config.schema))',
      message: 'a snowflake connector needs account, database and schema',
      fieldPath: '.config',
    },
  ),
);

/** Characters of a URI, and those of one without user, query and fragment. */
const VISIBLE = '[^\\x00-\\x20\\x7f]';
const IN_URL = '[^\\x00-\\x20\\x7f?#@]';

const scoringModel = fields(
  'A model that scores candidates.',
  {
    modelId: text('Name of the model, as in the file beside it.', 63),
    endpoint: Type.String({
      pattern: `^((onnx|sagemaker)://${VISIBLE}+|https?://${IN_URL}+/v2/models/${IN_URL}+)$`,
      meaning: 'onnx://PATH, https://HOST/v2/models/NAME/versions/VERSION or sagemaker://ENDPOINT',
      maxLength: 2048,
      description:
        'Where the model is. onnx://PATH is a file relative to the folder of the manifest, onnx:///PATH an absolute one. ' +
        'https:// is a model on a server that speaks the Open Inference Protocol, version 2.',
    }),
    sha256: Type.Optional(
      Type.String({
        pattern: '^[0-9a-f]{64}$',
        meaning: 'a SHA-256 of 64 lower-case hexadecimal digits',
        maxLength: 64,
        description: 'SHA-256 of the model file, for https:// of its manifest: bytes other than these are refused.',
      }),
    ),
    manifestSha256: Type.Optional(
      Type.String({
        pattern: '^[0-9a-f]{64}$',
        meaning: 'a SHA-256 of 64 lower-case hexadecimal digits',
        maxLength: 64,
        description:
          'onnx://: SHA-256 of the JSON beside the model file, which says what its outputs mean, such as the order of ' +
          'the offer kinds. `holdfast models check` prints it.',
      }),
    ),
    manifest: Type.Optional(
      text(
        'https://: the JSON that says what the model predicts; a path relative to the folder of the manifest.',
        4096,
      ),
    ),
    cacheTTLHours: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 8760,
        description: 'https://: hours for which scores are kept and not asked for again. Default: 168. 0 keeps none.',
      }),
    ),
    tokenSecretRef: Type.Optional(
      secretKey('https://, on a cluster: Secret of the program’s namespace that holds the bearer token.', 'token'),
    ),
    features: Type.Array(text('Column of the candidate.', 63), {
      minItems: 1,
      maxItems: 256,
      description: 'Columns that the model is given, in its order.',
      ...SET,
    }),
    batchSize: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 1000,
      description: 'Candidates scored in one call.',
    }),
  },
  rules(
    {
      rule: "!self.endpoint.startsWith('http') || (has(self.manifest) && has(self.sha256))",
      message: 'a remote model needs its manifest and the sha256 of it (sha256sum FILE)',
      fieldPath: '.manifest',
    },
    ...['manifest', 'cacheTTLHours', 'tokenSecretRef'].map((field) => ({
      rule: `!has(self.${field}) || self.endpoint.startsWith('http')`,
      message: `${field} is for remote models (https://) only`,
      fieldPath: `.${field}`,
    })),
    {
      rule: `!has(self.tokenSecretRef) || self.endpoint.matches(r"${TOKEN_ADDRESS}")`,
      message:
        'a token is sent over https://, or over http:// to a Service of the cluster (NAME.NAMESPACE.svc) or to localhost',
      fieldPath: '.tokenSecretRef',
    },
    {
      rule: "!has(self.manifestSha256) || self.endpoint.startsWith('onnx://')",
      message: 'manifestSha256 is for onnx:// models; of a remote model sha256 pins its manifest',
      fieldPath: '.manifestSha256',
    },
    {
      rule: "!self.endpoint.startsWith('onnx://') || has(self.sha256)",
      message: 'an onnx:// model needs its sha256 (sha256sum FILE), so that nobody can swap the file',
      fieldPath: '.sha256',
    },
  ),
);

const filter = fields(
  'A filter that each candidate must pass.',
  {
    filterId: name('Label of the filter, by which removals are counted and explained.'),
    type: oneOf(
      FILTER_TYPES as readonly FilterType[],
      'Kind of filter. The rules of business-rule are told apart by their parameters.',
    ),
    order: Type.Integer({ minimum: 0, maximum: 1000, description: 'Position in the chain; the lowest runs first.' }),
    parameters: Type.Optional(
      Type.Unsafe<Record<string, unknown>>({
        type: 'object',
        description: 'What the filter is to check. Each type, and each rule of business-rule, has its own parameters.',
        properties: parameterFields(),
      }),
    ),
  },
  rules(...parameterRules()),
);

const channel = fields('A way to reach customers.', {
  channelId: name('Name of the channel.'),
  type: oneOf(['email', 'phone', 'in-app', 'push'], 'Kind of channel.'),
  enabled: Type.Boolean({ default: true, description: 'Whether the channel is used.' }),
  priority: Type.Integer({ minimum: 1, maximum: 100, default: 1, description: 'The lowest is tried first.' }),
  config: Type.Optional(
    fields('How the channel behaves. Each type reads its own fields.', {
      templateId: Type.Optional(text('email: template of the message.')),
      sendTime: Type.Optional(
        Type.String({
          pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$',
          meaning: 'a time of day such as 10:00',
          maxLength: 5,
          description: 'email: time of day at which messages leave, HH:MM.',
        }),
      ),
      timezone: Type.Optional(text("email: zone of sendTime; `local` is the customer's own.", 64)),
      personalization: Type.Optional(
        oneOf(['none', 'low', 'medium', 'high'], 'email: how much of the customer the text may use.'),
      ),
      callType: Type.Optional(oneOf(['account-manager', 'agent'], 'phone: who calls.')),
      scheduleWithin: Type.Optional(
        Type.String({
          pattern: '^[1-9][0-9]{0,3}[mhd]$',
          meaning: 'a duration such as 30m, 24h or 7d',
          maxLength: 8,
          description: 'phone: how soon the call is to be made, such as 24h.',
        }),
      ),
      scriptId: Type.Optional(text('phone: script of the call.')),
      criticalRiskOnly: Type.Optional(Type.Boolean({ description: 'phone: call only customers at critical risk.' })),
      messageType: Type.Optional(text('in-app: kind of message.')),
      displayDuration: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 365, description: 'in-app: days for which the message is shown.' }),
      ),
    }),
  ),
});

const offerSegment = fields('What customers of one risk level get.', {
  riskLevel: oneOf(RISK_LEVELS, 'Risk level that this is for.'),
  offerType: oneOf(['premium', 'standard', 'engagement'], 'Tier of the offer.'),
  discount: Type.Number({ minimum: 0, maximum: 100, default: 0, description: 'Discount, in percent of the price.' }),
  duration: Type.Integer({ minimum: 1, maximum: 120, default: 1, description: 'How long the offer lasts, in months.' }),
  includeUpgrade: Type.Boolean({ default: false, description: 'Whether a free upgrade may be offered.' }),
  includePersonalCall: Type.Boolean({ default: false, description: 'Whether a personal call may be made.' }),
});

const offerStrategy = fields(
  'Which risk level gets which offer.',
  {
    enabled: Type.Boolean({
      default: true,
      description: 'Whether offers are decided; if not, candidates are only scored.',
    }),
    segmentedOffers: Type.Boolean({
      default: true,
      description: 'Whether each risk level has an offer of its own; if not, the one segment is for all.',
    }),
    segments: Type.Array(offerSegment, {
      maxItems: 3,
      default: [],
      description: 'Offers by risk level. A level without one gets no offer.',
      ...keyedBy('riskLevel'),
    }),
  },
  rules(
    {
      rule: '!self.enabled || !self.segmentedOffers || size(self.segments) > 0',
      message: 'an enabled strategy needs at least one segment',
      fieldPath: '.segments',
    },
    {
      rule: 'self.segmentedOffers || size(self.segments) == 1',
      message: 'segmentedOffers: false means one offer for all: give exactly one segment',
      fieldPath: '.segments',
    },
  ),
);

/** A reference to a connector, at `fieldPath`, that must exist. */
const connectorExists = (field: string) => ({
  rule: `!has(self.${field}) || self.dataConnectors.exists(connector, connector.connectorId == self.${field}.connectorId)`,
  message: `${field}.connectorId must be the connectorId of one of the dataConnectors`,
  fieldPath: `.${field}.connectorId`,
});

const tierIsUnknown =
  'has(item.parameters) && has(item.parameters.minSubscriptionTier) && ' +
  '!(item.parameters.minSubscriptionTier in self.subscriptionTiers)';

export const retentionProgramSpec = fields(
  'What to do, for whom, and when.',
  {
    programId: Type.String({
      ...name('Identity of the program, under which every row that it writes is kept. Immutable.', 40),
      ...rules({ rule: 'self == oldSelf', message: 'programId is immutable: make another program instead' }),
    }),
    programName: text('Name for people.'),
    enabled: Type.Boolean({
      default: true,
      description: 'Whether the program runs. Turning it off stops sending, too.',
    }),
    marketplaces: Type.Array(
      Type.String({
        pattern: '^[A-Z]{2}$',
        meaning: 'two capital letters',
        maxLength: 2,
        description: 'Code of a marketplace.',
      }),
      { minItems: 1, maxItems: 250, description: 'Marketplaces that the program serves.', ...SET },
    ),
    dataConnectors: Type.Array(connector, {
      minItems: 1,
      maxItems: 10,
      description: 'Warehouses that candidates are read from.',
      ...keyedBy('connectorId'),
      ...rules({
        rule: `self.map(item, size(item.config.query)).sum() <= ${LARGEST_SPEC_BYTES}`,
        message: `the queries have more than ${LARGEST_SPEC_BYTES} characters together, which is the most of a whole spec`,
      }),
    }),
    featureStore: Type.Optional(
      fields('Where columns come from that the query does not select and a filter or model needs.', {
        type: oneOf(['warehouse'], 'Kind of feature store. `warehouse` is a table of a connector.'),
        connectorId: name('Connector whose warehouse has the table.'),
        table: text('Table or view keyed by customer_id.', 255),
      }),
    ),
    offerHistory: Type.Optional(
      fields('Retention offers made before or beside Holdfast; caps and cooldowns count them.', {
        connectorId: name('Connector whose warehouse has the table.'),
        table: text('Table or view with customer_id, program_id and offered_at.', 255),
      }),
    ),
    quality: fields(
      'When an extract is too bad to go on with.',
      {
        maxRejectedShare: fraction('Largest share of rows that may be rejected.', { default: 0.01 }),
        minRowsVersusLastRun: fraction('Smallest extract, as a share of the last one.', { default: 0.5 }),
        acceptEmptyBatch: Type.Optional(
          Type.Boolean({
            description:
              'Whether a batch takes the place of the current one although a column that a filter reads is missing in ' +
              'nearly every row, or a filter that let many through lets hardly anybody through. Default: false.',
          }),
        ),
      },
      { default: {} },
    ),
    scoringModels: Type.Array(scoringModel, {
      minItems: 1,
      maxItems: 10,
      description: 'Models: one predicts the risk of churn, another may recommend the kind of offer.',
      ...keyedBy('modelId'),
    }),
    riskLevels: fields(
      'Least churn risk of each level. Below the lowest a candidate is counted and dropped.',
      {
        critical: fraction('Least risk of the critical level.', { default: 0.8 }),
        high: fraction('Least risk of the high level.', { default: 0.6 }),
        medium: fraction('Least risk of the medium level.', { default: 0.4 }),
      },
      {
        default: {},
        ...rules({
          rule: 'self.critical > self.high && self.high > self.medium',
          message: 'thresholds must fall: critical above high above medium',
        }),
      },
    ),
    subscriptionTiers: Type.Array(text('Name of a tier.', 63), {
      minItems: 1,
      maxItems: 20,
      default: ['basic', 'standard', 'premium', 'premium_plus'],
      description: 'Subscription tiers, lowest first.',
      ...SET,
    }),
    filterChain: Type.Array(filter, {
      maxItems: 50,
      default: [],
      description: 'Filters; a candidate is removed by the first that it fails, in their order.',
      ...keyedBy('filterId'),
      ...rules({
        rule: 'self.all(item, self.exists_one(other, other.order == item.order))',
        message: 'every filter needs an order of its own',
        detail:
          "self.filter(item, !self.exists_one(other, other.order == item.order)).map(item, item.filterId).join(', ')",
      }),
    }),
    channels: Type.Array(channel, {
      maxItems: 10,
      default: [],
      description: 'Ways to reach customers.',
      ...keyedBy('channelId'),
    }),
    offerStrategy,
    holdout: fields(
      'Candidates who get nothing, so that the effect of the others’ offers can be measured.',
      {
        share: fraction('Share of candidates held out.', { default: 0.1 }),
        epoch: Type.Integer({
          minimum: 1,
          maximum: 1_000_000,
          default: 1,
          description: 'Experiment epoch; a new one draws the held-out customers anew.',
        }),
        keySecretRef: Type.Optional(
          secretKey(
            'On a cluster: the key of the draw, so that nobody who knows the ids can tell who is held out. Default: the ' +
              'name of the program.',
            'key',
          ),
        ),
      },
      { default: {} },
    ),
    batchSchedule: Type.String({
      ...SCHEDULE,
      description: 'When the batch runs: five-field cron, or AWS cron(…) of six fields.',
    }),
    schedules: Type.Optional(
      fields('On a cluster: when the other pipelines run, in the same words as batchSchedule.', {
        prune: Type.Optional(
          Type.String({
            ...SCHEDULE,
            description:
              'When what the program no longer needs is deleted, such as daily. Default: when a run asks for it.',
          }),
        ),
      }),
    ),
    timeZone: Type.String({
      pattern: '^[A-Za-z][A-Za-z0-9_+/-]*$',
      meaning: 'an IANA time zone such as Europe/Berlin',
      maxLength: 64,
      default: 'UTC',
      description: 'IANA time zone of the schedules.',
    }),
    candidateTTLDays: Type.Integer({
      minimum: 1,
      maximum: 3650,
      default: 30,
      description: 'Days for which candidates are kept.',
    }),
    retention: fields(
      'What `prune` leaves of old runs. Candidates go when candidateTTLDays have passed; never those of the current batch.',
      {
        runs: Type.Integer({
          minimum: 1,
          maximum: 1000,
          default: 10,
          description: 'Newest succeeded runs of each pipeline whose artifacts are kept.',
        }),
        failedDays: Type.Integer({
          minimum: 0,
          maximum: 3650,
          default: 30,
          description: 'Days for which failed and interrupted runs are kept.',
        }),
        decisionDays: Type.Optional(
          Type.Integer({
            minimum: OFFER_HISTORY_DAYS,
            maximum: 36_500,
            description:
              'Days for which decisions are kept. Caps look back 184 days; a measurement needs those of its whole epoch. Default: for ever.',
          }),
        ),
      },
      { default: {} },
    ),
    startingDeadlineSeconds: Type.Integer({
      minimum: 1,
      maximum: 2_592_000,
      default: 43_200,
      description: 'On a cluster: how late a slot may still start, such as after an outage. Later ones are skipped.',
    }),
    concurrencyPolicy: oneOf(
      ['Forbid'],
      'On a cluster: what happens when a run is due while another goes on. `Forbid` lets it wait.',
      { default: 'Forbid' },
    ),
    runHistory: fields(
      'On a cluster: how many finished runs of the schedule are kept, with their Jobs and logs.',
      {
        successful: Type.Integer({ minimum: 1, maximum: 100, default: 3, description: 'Succeeded runs kept.' }),
        failed: Type.Integer({ minimum: 1, maximum: 100, default: 3, description: 'Failed and cancelled runs kept.' }),
      },
      { default: {} },
    ),
    execution: fields(
      'On a cluster: what each task of a run may use.',
      {
        deadlineSeconds: Type.Integer({
          minimum: 10,
          maximum: 604_800,
          default: 3600,
          description: 'Longest time of one task, with its retries and the wait for a node.',
        }),
        retries: Type.Integer({
          minimum: 0,
          maximum: 20,
          default: 3,
          description: 'Times that a task is tried again. Errors that trying again cannot mend end it at once.',
        }),
        cpu: quantity('Processors of a task, such as 500m or 2.', { default: '1' }),
        cpuLimit: Type.Optional(
          quantity('Most processors of a task. Default: that of the installation, or all that the node can spare.'),
        ),
        memory: quantity('Memory of a task, such as 2Gi; more ends it.', { default: '2Gi' }),
        scratch: quantity('Disk for what need not outlive a task, such as 10Gi.', { default: '10Gi' }),
        shards: Type.Integer({
          minimum: 1,
          maximum: MOST_SHARDS,
          default: 1,
          description:
            'Pods that the work of a stage is divided among, where it can be: the scoring. Each has what a task may use.',
        }),
        nodeSelector: Type.Optional(
          Type.Unsafe<Readonly<Record<string, string>>>({
            type: 'object',
            maxProperties: 16,
            additionalProperties: labelValue('Value of the label.'),
            description:
              'Labels of the nodes that tasks may run on, among those that the installation lets them run on.',
            ...rules({
              rule: `self.all(label, size(label) <= 316 && label.matches('${LABEL_NAME}'))`,
              message: 'a label of a node is named like kubernetes.io/arch or disk',
            }),
          }),
        ),
        serviceAccountName: Type.Optional(
          objectName('ServiceAccount of the pods, for its pull secrets: they get no token of it. Default: `default`.'),
        ),
      },
      { default: {} },
    ),
    storage: Type.Optional(
      fields(
        'On a cluster: where the program keeps things, in its own namespace, in place of what the operator has set.',
        {
          postgres: Type.Optional(
            fields('The database.', { secretRef: secretKey('Secret that holds its connection string.', 'url') }),
          ),
          artifacts: Type.Optional(
            fields('What stages hand on to each other.', {
              claimName: objectName('PersistentVolumeClaim; every node that runs a task must be able to mount it.'),
            }),
          ),
          files: Type.Optional(
            fields(
              'Models and warehouse files: the folder that relative paths of the program start from.',
              {
                claimName: Type.Optional(objectName('PersistentVolumeClaim, mounted read-only.')),
                configMapName: Type.Optional(
                  objectName('ConfigMap, each of whose keys is a file; it holds at most 1 MiB in all.'),
                ),
              },
              rules({
                rule: 'has(self.claimName) != has(self.configMapName)',
                message: 'files are either on a volume or in a ConfigMap: give claimName or configMapName',
              }),
            ),
          ),
        },
      ),
    ),
  } satisfies Record<string, TSchema>,
  rules(connectorExists('featureStore'), connectorExists('offerHistory'), {
    rule: `self.filterChain.all(item, !(${tierIsUnknown}))`,
    message: 'minSubscriptionTier must be one of subscriptionTiers',
    detail: `self.filterChain.filter(item, ${tierIsUnknown}).map(item, item.filterId).join(', ')`,
    fieldPath: '.filterChain',
  }),
);

/** A program's spec after the schema has filled in its defaults. */
export type RetentionProgramSpec = Static<typeof retentionProgramSpec>;

const followed = (description: string) =>
  fields(description, {
    schedule: text('The schedule and its zone, as last seen.', 400),
    since: instant('When it took effect: slots before are never run.'),
    lastSlot: Type.Optional(instant('The newest slot that was dealt with, whether it was run or skipped.')),
    skippedSlots: Type.Optional(count('Slots for which no run was made.')),
  });

export const retentionProgramStatus = fields('What the operator last saw. Written by the operator only.', {
  observedGeneration: Type.Optional(count('Generation of the spec that this is about.')),
  conditions: Type.Optional(conditions()),
  lastRun: Type.Optional(
    fields('The newest batch that is, or was, to become the current one: no dry run, and no backfill.', {
      name: text('Name of the RetentionRun.'),
      slot: instant('Slot that it is for.'),
      phase: oneOf(RUN_PHASES, 'How far it has come.'),
      startTime: Type.Optional(instant('When it began.')),
      completionTime: Type.Optional(instant('When it ended.')),
      candidates: Type.Optional(count('Candidates stored.')),
    }),
  ),
  nextSlot: Type.Optional(instant('When the next batch is due.')),
  batch: Type.Optional(followed('How far the schedule of the batch has been followed.')),
  prune: Type.Optional(followed('How far the schedule of prune has been followed.')),
});

export type RetentionProgramStatus = Static<typeof retentionProgramStatus>;
