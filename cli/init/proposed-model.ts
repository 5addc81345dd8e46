import { createHash } from 'node:crypto';
import type { Engine } from '../../base/duckdb/engine.ts';
import type { RandomNumbers } from '../../base/math/random-numbers.ts';
import { LEAST_OF_EACH, leak, strength } from '../../customers/training/leaks.ts';
import { canMakeScorecard, makeScorecard, SCORECARD_COLUMNS, UNTRAINED } from '../../customers/training/scorecard.ts';
import { type Trained, train } from '../../customers/training/train.ts';
import { type NumberColumns, readNumbers } from '../../customers/training/training-rows.ts';
import { typicalOf } from '../../customers/training/typical.ts';
import { unsuitable } from '../../customers/training/unsuitable.ts';
import type { ModelManifest } from '../../providers/models/model.ts';
import { logisticOnnx, predict } from '../../providers/models/onnx/logistic-model.ts';
import { scorecardOnnx, scorecardRisk } from '../../providers/models/onnx/scorecard-model.ts';
import type { Feature, LeftOut } from './features.ts';
import { isLabelName } from './label.ts';
import type { ColumnProfile } from './profile.ts';
import { PREPARED, type Proposal, STILL_HERE } from './proposal.ts';
import { LABEL_COLUMN } from './query.ts';
import { type Later, laterFigures, measureAtLater } from './transactions/out-of-time.ts';
import { EARLIER } from './transactions/propose.ts';
import { shown } from './words.ts';

/** A model made for a file, ready to be written. */
export interface ProposedModel {
  readonly bytes: Buffer;
  readonly manifest: ModelManifest;
  /** How good it is; undefined for a scorecard, which nobody trained. */
  readonly trained: Trained | undefined;
  /** How good the same is out of time; undefined where it was not measured. */
  readonly later: Later | undefined;
  /** Features that know the answer, and so were left out. */
  readonly leaking: readonly LeftOut[];
  /** The column that tells most by itself, of those that the model is given. */
  readonly strongest: ColumnProfile | undefined;
  /** Why there is a scorecard in place of a trained model. */
  readonly why: string | undefined;
  /** Scores of the customers who have not left. */
  readonly scores: Float64Array;
}

/**
 * Trains a model where the file says who left, else makes a scorecard of what it says about recency, engagement and
 * use.
 * @throws HF_SOURCE_UNSUITABLE when neither can be had
 */
export async function proposeModel(
  engine: Engine,
  proposal: Proposal,
  modelId: string,
  random: RandomNumbers,
): Promise<ProposedModel> {
  const { label, features } = proposal;
  if (label !== undefined) {
    const labelled = await readLabelled(engine, features);
    const { left, stayed } = labelled;
    if (Math.min(left, stayed) >= LEAST_OF_EACH) return trainedModel(engine, proposal, labelled, modelId, random);
    return scorecard(
      engine,
      proposal,
      modelId,
      `${left} left and ${stayed} stayed: a model needs ${LEAST_OF_EACH} of each`,
    );
  }
  return scorecard(engine, proposal, modelId, whyNoLabel(proposal));
}

function whyNoLabel({ plan, possibleLabels }: Proposal): string {
  const constant = plan.departures.find(({ source }) => isLabelName(source.words) && source.values.length === 1);
  if (constant !== undefined) return `${shown(constant.source.name)} says the same of everybody`;
  return possibleLabels.length === 0 ? 'no column says who left' : 'no column says for sure who left';
}

interface Labelled {
  readonly data: NumberColumns;
  readonly labels: Uint8Array;
  readonly left: number;
  readonly stayed: number;
}

const ORDER = 'customer_id';

async function readLabelled(engine: Engine, features: readonly Feature[], table = PREPARED): Promise<Labelled> {
  const names = features.map(({ name }) => name);
  const order = ['customer_id', ...names.map((name) => `"${name}"`)].join(', ');
  const read = await readNumbers(engine, table, [LABEL_COLUMN, ...names], `${LABEL_COLUMN} IS NOT NULL`, order);
  const [outcome = new Float64Array(0), ...columns] = read.columns;
  const labels = Uint8Array.from(outcome);
  const left = labels.reduce((sum, value) => sum + value, 0);
  return { data: { names, columns, rows: read.rows }, labels, left, stayed: labels.length - left };
}

async function trainedModel(
  engine: Engine,
  { features, label, transactions }: Proposal,
  { data, labels }: Labelled,
  modelId: string,
  random: RandomNumbers,
): Promise<ProposedModel> {
  const bySource = Map.groupBy(features.keys(), (index) => (features[index] as Feature).source);
  const numbersOf = (indices: readonly number[]) => indices.map((index) => data.columns[index] as Float64Array);
  const leaking: LeftOut[] = [];
  const strengths: { readonly source: ColumnProfile; readonly strength: number }[] = [];
  for (const [source, indices] of bySource) {
    // What is of days up to the cut cannot know what came after it.
    const reason = transactions === undefined ? leak(numbersOf(indices), labels) : undefined;
    if (reason === undefined) strengths.push({ source, strength: strength(numbersOf(indices), labels) });
    else leaking.push({ source, reason });
  }
  const leaks = new Set(leaking.map(({ source }) => source));
  const kept = features.flatMap(({ source }, index) => (leaks.has(source) ? [] : [index]));
  if (kept.length === 0) {
    throw unsuitable(
      'No column is left to predict from: all others are empty, texts, or known only once somebody has left.',
    );
  }
  const names = kept.map((index) => data.names[index] as string);
  const trained = train(
    { names, columns: kept.map((index) => data.columns[index] as Float64Array), rows: data.rows },
    labels,
    random,
  );
  const later =
    transactions?.atEarlier === undefined ? undefined : await measureLater(engine, features, { data, labels }, random);
  const bytes = logisticOnnx(trained.model);
  const { auc, reliability } = trained;
  const figures = {
    auc,
    brier: reliability.brier,
    logLoss: reliability.logLoss,
    calibrationError: reliability.calibrationError,
    // Of the same rows as the other figures.
    baseRate: reliability.baseRate,
    holdoutRows: trained.holdoutRows,
    ...(later === undefined ? {} : laterFigures(later)),
  };
  const manifest = modelManifest(modelId, bytes, trained.model.features, {
    calibrated: trained.calibrated && later?.calibrated !== false,
    rows: trained.trainingRows,
    label: shown(label?.source.name ?? ''),
    columns: trained.model.features.map((name) => data.columns[data.names.indexOf(name)] as Float64Array),
    figures,
  });
  const scores = await scoresOf(engine, trained.model.features, (row) => predict(trained.model, row));
  const [strongest] = strengths.toSorted((one, other) => other.strength - one.strength);
  return { bytes, manifest, trained, later, leaking, strongest: strongest?.source, why: undefined, scores };
}

/** Trains the same on the customers of an earlier cut, and measures it on those of the cut. */
async function measureLater(
  engine: Engine,
  features: readonly Feature[],
  later: Pick<Labelled, 'data' | 'labels'>,
  random: RandomNumbers,
): Promise<Later | undefined> {
  const earlier = await readLabelled(engine, features, EARLIER);
  if (Math.min(earlier.left, earlier.stayed) < LEAST_OF_EACH) return undefined;
  return measureAtLater(train(earlier.data, earlier.labels, random).model, later.data, later.labels);
}

async function scorecard(
  engine: Engine,
  { mappings, label, plan, possibleLabels }: Proposal,
  modelId: string,
  why: string,
): Promise<ProposedModel> {
  const columns = mappings.map(({ column }) => column as string).filter((column) => SCORECARD_COLUMNS.includes(column));
  if (!canMakeScorecard(columns)) {
    throw unsuitable(
      `Nothing to score customers by: ${why}, and no column says when a customer was last seen, or how engaged they are. ` +
        (label === undefined
          ? `Name the column that says who left with --label COLUMN, or rename one to such as last_login or last_purchase.${possibleLabels.map((one) => ` ${one}.`).join('')}`
          : 'Give a file with more customers.'),
    );
  }
  const data = await readNumbers(engine, PREPARED, columns, STILL_HERE, ORDER);
  if (data.rows === 0) {
    const columnsOfLeaving = [...(label === undefined ? [] : [label]), ...plan.departures];
    throw unsuitable(
      `By ${columnsOfLeaving.map(({ source }) => shown(source.name)).join(', ')}, everybody in it has left, and nobody is there to be kept: ` +
        'give a file with the customers who are still there.',
    );
  }
  const card = makeScorecard(data);
  if (card.figures.length === 0)
    throw unsuitable(`Nothing to score customers by: ${columns.join(', ')} have no values.`);
  const features = card.figures.map(({ feature }) => feature);
  const bytes = scorecardOnnx(card);
  const manifest = modelManifest(modelId, bytes, features, {
    calibrated: false,
    rows: data.rows,
    label: UNTRAINED,
    columns: features.map((name) => data.columns[data.names.indexOf(name)] as Float64Array),
    figures: {},
  });
  const scores = await scoresOf(engine, features, (row) => scorecardRisk(card, row));
  return { bytes, manifest, trained: undefined, later: undefined, leaking: [], strongest: undefined, why, scores };
}

function modelManifest(
  modelId: string,
  bytes: Buffer,
  features: readonly string[],
  {
    calibrated,
    rows,
    label,
    columns,
    figures,
  }: Pick<ModelManifest, 'calibrated' | 'figures'> & {
    rows: number;
    label: string;
    /** What the features were in training. */
    columns: readonly Float64Array[];
  },
): ModelManifest {
  const typical = typicalOf(columns);
  return {
    modelId,
    role: 'churn-risk',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    features,
    calibrated,
    training: { from: 'unknown', to: 'unknown', rows, label },
    ...(typical === undefined ? {} : { typical }),
    figures: Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Number(value.toPrecision(6))])),
  };
}

async function scoresOf(
  engine: Engine,
  features: readonly string[],
  score: (row: readonly number[]) => number,
): Promise<Float64Array> {
  const { columns, rows } = await readNumbers(engine, PREPARED, features, STILL_HERE, ORDER);
  return Float64Array.from({ length: rows }, (_, row) => score(columns.map((column) => column[row] as number)));
}
