import { createHash } from 'node:crypto';
import type { Engine } from '../../base/duckdb/engine.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import { requiredFilterColumns } from '../../customers/filters/required.ts';
import { TOO_GOOD } from '../../customers/training/leaks.ts';
import { modelManifestText } from '../../providers/models/model-card.ts';
import { readingFrom } from '../../providers/warehouses/duckdb/failure.ts';
import { tableNameOf, tableParts } from '../../providers/warehouses/table-name.ts';
import { type CustomerFigures, type FilterChain, proposeFilters, signalCondition } from './filter-chain.ts';
import { TOLERATED_SHARE } from './identity.ts';
import { type Connector, manifestText, type Rejected } from './manifest.ts';
import { type MissingColumn, missingColumns } from './missing-columns.ts';
import { optionalSources, valueOfStayed } from './optional-columns.ts';
import { countDeparted, type Departed, PREPARED, type Proposal, STILL_HERE } from './proposal.ts';
import type { ProposedModel } from './proposed-model.ts';
import { needsLabel, programQuery, rejectedCounts } from './query.ts';
import { type Reach, reachOf } from './reach.ts';
import { type ProposedLevels, proposeLevels } from './risk-levels.ts';
import { CONNECTOR_ID } from './source.ts';
import { modelWords } from './transactions/words.ts';
import { shown } from './words.ts';

/** Where the program's parts lie. */
export interface ProgramPlaces {
  readonly programId: string;
  /** The file or table, for people. */
  readonly title: string;
  /** The model's file, relative to the manifest. */
  readonly modelFile: string;
  readonly connector: Connector;
}

/** A program, ready to be written. */
export interface ProposedProgram {
  readonly text: string;
  readonly query: string;
  readonly levels: ProposedLevels;
  readonly chain: FilterChain;
  readonly missing: readonly MissingColumn[];
  readonly reach: Reach;
  /** Who has left, by other columns than the label. */
  readonly departed: readonly Departed[];
  readonly warnings: readonly string[];
}

/** Writes a proposal down as a program. */
export async function writeProgram(
  engine: Engine,
  proposal: Proposal,
  model: ProposedModel,
  places: ProgramPlaces,
): Promise<ProposedProgram> {
  const { mappings, leftOut } = proposal;
  const { manifest, scores, leaking } = model;
  const chain = proposeFilters(mappings, await customerFigures(engine, proposal));
  const proposed = proposeLevels(scores, manifest.calibrated);
  const marketplaces = mappings.find(({ column }) => column === 'marketplace')?.values;
  const tiers = mappings.find(({ column }) => column === 'subscription_tier')?.values;
  const filtered = {
    marketplaces: [...(marketplaces ?? [proposal.plan.marketplace ?? ''])],
    subscriptionTiers: [...(tiers ?? [])],
  };
  const reach = await reachOf(engine, chain, filtered, scores, proposed.medium);
  const levels = { ...proposed, comment: `${proposed.comment} ${reachSentence(reach)}` };
  const missing = missingColumns(mappings.map(({ column }) => column));
  const used = new Set(manifest.features);
  const wanted = proposal.written.features.filter(({ name, mapped }) => mapped || used.has(name));
  const needed = new Set([...neededByFilters(chain, filtered), ...manifest.features].map((name) => name.toLowerCase()));
  const written = { ...proposal.written, features: wanted };
  const ofTransactions = proposal.transactions?.query(manifest.features, model.trained !== undefined);
  const optional =
    ofTransactions === undefined ? optionalSources(written, needed, await labelOfStayed(engine, proposal)) : [];
  const query = ofTransactions ?? programQuery({ ...written, optional });
  const rejected = ofTransactions === undefined ? await rejectedOf(engine, proposal) : undefined;
  const departed = await countDeparted(engine, proposal);
  const warnings = [
    ...warningsOf(proposal, model),
    ...departed.flatMap(noticeHasCome),
    ...nobodyLeft(reach),
    ...setApart(rejected),
  ];
  const text = manifestText({
    programId: places.programId,
    title: shown(places.title),
    marketplaces: filtered.marketplaces,
    marketplaceAssumed: marketplaces === undefined,
    connector: places.connector,
    query,
    optional: optional.map(({ source, without }) => ({
      table: tableNameOf(tableParts(written.table, CONNECTOR_ID)),
      column: source.name,
      without,
    })),
    model: {
      modelId: manifest.modelId,
      endpoint: `onnx://${encodeURI(places.modelFile)}`,
      sha256: manifest.sha256,
      manifestSha256: createHash('sha256').update(modelManifestText(manifest)).digest('hex'),
      features: manifest.features,
      comments: modelComments(proposal, model),
    },
    subscriptionTiers: tiers,
    levels,
    chain,
    missing,
    unused: unusedColumns([...leaking, ...leftOut]),
    rejected,
    warnings,
  });
  return { text, query, levels, chain, missing, reach, departed, warnings };
}

/** Rows of the source that a run sets apart; undefined where they are as few as a program allows by itself. */
async function rejectedOf(engine: Engine, { plan, identity, inSample }: Proposal): Promise<Rejected | undefined> {
  const [counts] = await readingFrom(CONNECTOR_ID, 'count the rows that a run sets apart', () =>
    engine.rows<{ total: string; rejected: string }>(rejectedCounts(plan)),
  );
  const rows = Number(counts?.total ?? 0);
  // Of a large table there is a part at hand, and customers were counted in all of it.
  const duplicates = plan.distinct ? 0 : Math.round((identity.duplicates * inSample) / Math.max(1, identity.rows));
  const count = Number(counts?.rejected ?? 0) + duplicates;
  if (count <= TOLERATED_SHARE * rows) return undefined;
  // Next week's file may have some more of them.
  return { count, rows, allowed: Math.min(1, Math.ceil((120 * count) / rows) / 100) };
}

function setApart(rejected: Rejected | undefined): string[] {
  if (rejected === undefined) return [];
  const { count, rows, allowed } = rejected;
  return [
    `a run sets ${count} of ${rows} rows apart as rejects, with the reasons: the program allows up to ${Math.round(100 * allowed)} % ` +
      '(quality.maxRejectedShare). Mend the source, and lower it.',
  ];
}

type Filtered = Pick<RetentionProgramSpec, 'marketplaces' | 'subscriptionTiers'>;

/** Columns that the filters read. */
function neededByFilters({ filters }: FilterChain, filtered: Filtered): Iterable<string> {
  const filterChain = filters.map(({ filter }, index) => ({ ...filter, order: index + 1 }));
  return requiredFilterColumns({ filterChain, ...filtered }).keys();
}

/** Where a row without a label is set apart, what a source without labels has for everybody. */
async function labelOfStayed(engine: Engine, { plan, label }: Proposal): Promise<string | undefined> {
  if (!needsLabel(label)) return undefined;
  return readingFrom(CONNECTOR_ID, 'look at the label', () => valueOfStayed(engine, plan, label));
}

/** Most columns that one line, or the list as a whole, names. */
const MOST_NAMED = 20;

/** Columns by the reason for which they are left out, a line each. */
export function unusedColumns(leftOut: Proposal['leftOut']): string[] {
  const byReason = new Map<string, string[]>();
  for (const { source, reason } of leftOut) {
    byReason.set(reason, [...(byReason.get(reason) ?? []), shown(source.name)]);
  }
  return [...byReason].slice(0, MOST_NAMED).map(([reason, names]) => {
    const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
    return `${names.slice(0, MOST_NAMED).join(', ')}${more}: ${reason}`;
  });
}

async function customerFigures(engine: Engine, { mappings }: Proposal): Promise<CustomerFigures> {
  const columns = new Set<string>(mappings.map(({ column }) => column));
  const signal = signalCondition(columns);
  const active = [
    ...(columns.has('account_status') ? ["account_status = 'active'"] : []),
    ...(columns.has('account_status') && columns.has('verified') ? ['verified'] : []),
  ];
  const selects = [
    `${columns.has('lifetime_value') ? 'quantile_cont(lifetime_value, 0.25)' : 'NULL'} AS value`,
    `${signal === undefined ? 'NULL' : `avg(CASE WHEN ${signal} THEN 1 ELSE 0 END)`} AS signal`,
    `${active.length === 0 ? 'NULL' : `avg(CASE WHEN ${active.join(' AND ')} THEN 1 ELSE 0 END)`} AS active`,
  ];
  const [found] = await engine.rows<Record<'value' | 'signal' | 'active', number | string | null>>(
    `SELECT ${selects.join(', ')} FROM ${PREPARED} WHERE ${STILL_HERE}`,
  );
  const number = (value: number | string | null | undefined) =>
    value === null || value === undefined ? undefined : Number(value);
  return {
    lowerQuarterOfValue: number(found?.value),
    shareWithSignal: number(found?.signal),
    shareActive: number(found?.active),
  };
}

function warningsOf(
  { identity, plan, notLookedAt, possibleLabels, warnings: unread }: Proposal,
  { manifest, trained, strongest, why }: ProposedModel,
): string[] {
  const warnings: string[] = [];
  warnings.push(...possibleLabels);
  if (trained === undefined) {
    warnings.push(
      `the model is a scorecard that nobody trained, since ${why}. It ranks customers by the mean percentile of ` +
        `${manifest.features.join(', ')}. Its scores are no probabilities of leaving, and nobody has measured how well they rank.`,
    );
  } else if (!manifest.calibrated) {
    warnings.push('the scores of the model are not close enough to probabilities, or were measured on too few rows.');
  }
  if (trained !== undefined && trained.auc >= TOO_GOOD) {
    const column = strongest === undefined ? 'one of its columns' : shown(strongest.name);
    warnings.push(
      `almost too good: does ${column} know afterwards who left? The area under the curve is ${trained.auc.toFixed(3)}, and of ` +
        'all columns it tells most. Take out of the file what is known only once somebody leaves.',
    );
  }
  if (trained !== undefined && trained.auc < 0.6) {
    warnings.push(
      `the model hardly tells who leaves: its area under the curve is ${trained.auc.toFixed(2)}, and guessing has 0.5.`,
    );
  }
  if (plan.distinct) {
    warnings.push(`${identity.duplicates} rows share their customer with another row; the query takes one of each.`);
  } else if (identity.duplicates > 0) {
    warnings.push(
      `${identity.duplicates} rows share their customer with another row; a run sets them apart as rejects.`,
    );
  }
  if (identity.missing > 0)
    warnings.push(`${identity.missing} rows have no customer; a run sets them apart as rejects.`);
  warnings.push(...unread);
  if (notLookedAt > 0) warnings.push(`the source has very many columns: ${notLookedAt} of them were not looked at.`);
  return warnings;
}

/** What a person may expect of the first run. */
function reachSentence({ customers, medium, candidates }: Reach): string {
  return `Of ${customers} customers looked at, ${medium} reach medium, and the filters below leave ${candidates} of them.`;
}

function nobodyLeft({ medium, candidates }: Reach): string[] {
  return candidates > 0 || medium === 0
    ? []
    : [`the filters leave none of the ${medium} customers who reach medium: a run would have no candidate.`];
}

function noticeHasCome({ source, come }: Departed): string[] {
  if (come === 0) return [];
  return [
    `${shown(source.name)} has a day that has come by now, but after the newest day of the file, in ${come} rows: they count ` +
      'as still there. Export the file anew, or count to SELECT current_date in the query.',
  ];
}

function modelComments(
  { label, features, transactions }: Proposal,
  { trained, later, manifest }: ProposedModel,
): string[] {
  if (trained === undefined) {
    return [
      'A scorecard: the mean of the percentiles of the figures below, each counted so that more is worse. Not trained, not calibrated, not measured.',
    ];
  }
  const { auc, reliability, trainingRows, holdoutRows } = trained;
  const dropped = features.length - manifest.features.length;
  return [
    `A logistic regression that holdfast init trained on ${trainingRows} rows of the file to predict ${shown(label?.source.name ?? '')}. On ${holdoutRows} other rows: area under the curve ${auc.toFixed(3)}, Brier score ${reliability.brier.toFixed(4)}, calibration error ${reliability.calibrationError.toFixed(3)}, of them left ${(100 * reliability.baseRate).toFixed(1)} %.`,
    ...(transactions === undefined
      ? ['Rows were held out at random, from the same time: on the customers of a later time it will do worse.']
      : modelWords(transactions, later)),
    ...(dropped > 0
      ? [`Of ${features.length} numbers that could be had it was given those that tell most by themselves.`]
      : []),
  ];
}
