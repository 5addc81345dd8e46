import { type Static, type TSchema, Type } from 'typebox';
import { count, fields, fraction, oneOf, text } from '../../base/schema/fields.ts';
import { RISK_LEVELS } from '../../customers/columns/risk-levels.ts';
import { moment, orNull } from './words.ts';

/** What the API answers with. The document at /openapi.json is made from these, and so are the types. */

const stage = fields('What a stage reported.', {
  name: Type.String({ description: 'Such as `filter`.' }),
  rowsIn: count('Rows that it read.'),
  rowsOut: count('Rows that it passed on.'),
  seconds: Type.Number({ minimum: 0, description: 'How long it took.' }),
  counts: Type.Record(Type.String(), Type.Unknown(), { description: 'Further counts, such as `removed`.' }),
  warnings: Type.Array(Type.String(), {
    description: 'What it warned of, in words; `warnings` of the run have codes.',
  }),
  reusedFrom: Type.Optional(Type.String({ description: 'Run that did it, where a retry did not do it again.' })),
});

export const run = fields('One run of a program.', {
  name: Type.String({ description: 'Name of the run.' }),
  program: Type.String({ description: 'Name of the program.' }),
  namespace: Type.String({ description: 'Its namespace.' }),
  pipeline: Type.String({ description: 'What was run.' }),
  phase: oneOf(['Running', 'Succeeded', 'Failed', 'Interrupted'], 'How far it has come.'),
  trigger: oneOf(['schedule', 'manual', 'backfill', 'retry'], 'Why there is this run.'),
  retryOf: orNull(Type.String(), 'Name of the run that it is a retry of; null where it is none.'),
  slot: moment('The instant that it is as of.'),
  sequence: count('Grows with every run of the program.'),
  attempt: count('Attempt, from 1.'),
  revision: Type.String({ description: 'SHA-256 of the program that it is pinned to.' }),
  startedAt: moment('When it began.'),
  finishedAt: orNull(Type.String({ format: 'date-time' }), 'When it ended.'),
  seconds: orNull(
    Type.Number({ minimum: 0 }),
    'How long it took; null while it runs, and where it was cut off, so that nobody knows.',
  ),
  publishedAt: orNull(Type.String({ format: 'date-time' }), 'When its batch became the current one.'),
  discardedAt: orNull(
    Type.String({ format: 'date-time' }),
    'When somebody discarded its batch, which was never sent: what it decided is no offer.',
  ),
  stages: Type.Array(stage, { description: 'The stages that are done, in order.' }),
  warnings: Type.Array(
    fields('Something that a person should know, and that stopped nothing.', {
      stage: orNull(Type.String(), 'Stage that warned; null where it is of none, such as one of the manifest.'),
      code: Type.String({ description: 'See docs/errors.md.' }),
      message: Type.String({ description: 'In words.' }),
    }),
    { description: 'In the order in which they came, those of stages that a retry reused as well.' },
  ),
  error: orNull(
    fields('A failure.', {
      code: Type.String({ description: 'See docs/errors.md.' }),
      message: Type.String({ description: 'What went wrong and what to do.' }),
    }),
    'Why it failed.',
  ),
});
export type Run = Static<typeof run>;

const runSummary = orNull(
  fields('A run, in short; `…/runs/{run}` has it whole.', {
    name: run.properties.name,
    phase: run.properties.phase,
    slot: run.properties.slot,
    startedAt: run.properties.startedAt,
    publishedAt: run.properties.publishedAt,
  }),
  'A run, or null before the first.',
);

export const program = fields('A program that has run.', {
  name: run.properties.program,
  namespace: run.properties.namespace,
  currentBatch: runSummary,
  newestRun: runSummary,
});
export type Program = Static<typeof program>;

/** A list, whole. */
export function listOf<Item extends TSchema>(item: Item, description: string) {
  return fields(description, { items: Type.Array(item, { description: 'In order.' }) });
}

/** A list in pages. */
export function pageOf<Item extends TSchema>(item: Item, description: string) {
  return fields(description, {
    items: Type.Array(item, { description: 'In order.' }),
    nextCursor: orNull(Type.String(), 'For the next page; null on the last.'),
  });
}

/** Query parameters of everything that comes in pages. */
const paging = {
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Most items in the page.' }),
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 1024,
      description: '`nextCursor` of the page before, with the same query.',
    }),
  ),
};

const word = (description: string) => text(description, 64);

/** Without it whom to contact is shown, as the view for outreach has it, and nothing of whoever is shown tells that there is an experiment. */
const arm = Type.Optional(
  oneOf(
    ['treatment', 'holdout', 'all'],
    'For analysis: the arm of the experiment, which is then shown. Without it only whom to contact.',
  ),
);

export const candidateQuery = Type.Object({
  riskLevel: Type.Optional(oneOf(RISK_LEVELS, 'Level of the risk.')),
  minScore: Type.Optional(fraction('Least risk, included.')),
  offerKind: Type.Optional(word('What the second model recommends: `discount`, `upgrade`, `personal_call`.')),
  offerTier: Type.Optional(word('What the risk level gets: `premium`, `standard`, `engagement`.')),
  since: Type.Optional(
    moment('With `offerKind`: all batches from this slot on, by date, instead of the current batch by risk.'),
  ),
  before: Type.Optional(moment('With `since`: only slots before this one.')),
  arm,
  ...paging,
});
export type CandidateQuery = Static<typeof candidateQuery>;

/** What a whole list may be narrowed to. */
export const downloadQuery = Type.Object({
  riskLevel: candidateQuery.properties.riskLevel,
  minScore: candidateQuery.properties.minScore,
  offerKind: candidateQuery.properties.offerKind,
  offerTier: candidateQuery.properties.offerTier,
  arm,
});

export const customerQuery = Type.Object({ arm });

export const runQuery = Type.Object(paging);

export const noQuery = Type.Object({});
