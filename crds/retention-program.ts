import { type Static, type TSchema, Type } from 'typebox';
import {
  fields,
  fraction,
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
import { PIPELINES, type Pipelines, pipelinesOf } from '../contract/pipelines.ts';
import { RISK_LEVELS } from '../customers/columns/risk-levels.ts';
import { type FilterType, OFFER_HISTORY_DAYS } from '../customers/filters/filter.ts';
import { PROVIDERS, type Providers } from '../providers/registry.ts';
import { connector } from './connector.ts';
import { featureStore } from './feature-store.ts';
import { FILTER_TYPES, parameterFields, parameterRules } from './filter-parameters.ts';
import { SCHEDULE } from './schedule-pattern.ts';
import { scoringModel } from './scoring-model.ts';
import { LARGEST_SPEC_BYTES } from './spec-size.ts';

/*
 * A property with a `default` is not Optional here: the schema fills it in, so inside Holdfast it is always
 * there. The generator leaves it out of `required`.
 */

/** Processes, or pods, that the work of a stage may be divided among. */
export const MOST_SHARDS = 64;

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

/** Schedules of the pipelines that have theirs among `schedules`. */
function otherSchedules(pipelines: Pipelines): Readonly<Record<string, TSchema>> {
  const schedules = Object.entries(pipelinesOf('program', pipelines)).flatMap(([name, { schedule, ...definition }]) => {
    const [section, field] = schedule;
    if (section !== 'schedules' || field === undefined) return [];
    const unscheduled =
      definition.unscheduled === 'with-after' ? `the slots of ${definition.after}` : 'when a run asks for it';
    const description = `When ${name} runs, ${definition.description}. Default: ${unscheduled}.`;
    return [[field, Type.Optional(Type.String({ ...SCHEDULE, description }))]];
  });
  return Object.fromEntries(schedules);
}

/** The spec of a program, with what this version, or a test, has of providers and pipelines. */
export const retentionProgramSpec = (providers: Providers = PROVIDERS, pipelines: Pipelines = PIPELINES) =>
  fields(
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
      dataConnectors: Type.Array(connector(providers.warehouses), {
        minItems: 1,
        maxItems: 10,
        description: 'Warehouses that candidates are read from.',
        ...keyedBy('connectorId'),
        ...rules({
          rule: `self.map(item, size(item.config.query)).sum() <= ${LARGEST_SPEC_BYTES}`,
          message: `the queries have more than ${LARGEST_SPEC_BYTES} characters together, which is the most of a whole spec`,
        }),
      }),
      featureStore: Type.Optional(featureStore(providers.featureStores)),
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
      scoringModels: Type.Array(scoringModel(providers.models), {
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
        Type.Unsafe<Readonly<Record<string, string>>>(
          fields(
            'On a cluster: when the other pipelines run, in the same words as batchSchedule.',
            otherSchedules(pipelines),
          ),
        ),
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
        ['Forbid', 'Replace'],
        'On a cluster: what happens when a run is due while another goes on. `Forbid` lets it wait; `Replace` ends an older ' +
          'run of the schedule of the same pipeline, and is not for pipelines that reach people.',
        { default: 'Forbid' },
      ),
      runHistory: fields(
        'On a cluster: how many finished runs of the schedule are kept, with their Jobs and logs.',
        {
          successful: Type.Integer({ minimum: 1, maximum: 100, default: 3, description: 'Succeeded runs kept.' }),
          failed: Type.Integer({
            minimum: 1,
            maximum: 100,
            default: 3,
            description: 'Failed and cancelled runs kept.',
          }),
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
            objectName(
              'ServiceAccount of the pods, for its pull secrets: they get no token of it. Default: `default`.',
            ),
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
export type RetentionProgramSpec = Static<ReturnType<typeof retentionProgramSpec>>;
