import { join } from 'node:path';
import { type Engine, identifier, literal } from '../../base/duckdb/engine.ts';
import { type ColumnShape, parquetColumns } from '../../base/duckdb/parquet.ts';
import { copyDoubles, texts } from '../../base/duckdb/vectors.ts';
import { HoldfastError } from '../../base/errors.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import { type Background, type Explainer, openExplainer } from '../../providers/models/explainer.ts';
import { featureExpressions } from '../../providers/models/feature-columns.ts';
import type { ModelManifest } from '../../providers/models/model.ts';

/** What one feature did to a customer's risk. */
export interface Reason {
  readonly feature: string;
  /** Null when it is missing. */
  readonly value: number | boolean | null;
  /** What is usual, see `measure`; null when nothing is. */
  readonly typical: number | boolean | null;
  /** Above 0 raises the risk; see `measure` for what it is an amount of. */
  readonly contribution: number;
}

/** Why the risk model gave a customer their score: each feature, the strongest first. */
export interface RiskReasons {
  readonly reasons: readonly Reason[];
  /** What contributions start from when they add up, and what they add up to. */
  readonly expected?: number;
  readonly margin?: number;
}

/** Says why the customers of a run got their scores. */
export interface Reasoner extends AsyncDisposable {
  readonly modelId: string;
  readonly method: Explainer['method'];
  /** What contributions are amounts of, and how they were found. */
  readonly measure: string;
  readonly features: readonly string[];
  /** The features as SQL over the candidates that the filters kept; missing values are NaN. */
  readonly expressions: readonly string[];
  /** What is usual of each feature, as in `Reason`. */
  readonly typical: readonly Reason['typical'][];
  /** A value of the feature at this place, as in `Reason`. */
  shown(feature: number, value: number | undefined): Reason['value'];
  /** @param features row-major, as the model takes them */
  explain(features: Float32Array, rows: number): Promise<RiskReasons[]>;
  /**
   * The same for many rows: of each the features that raised its risk, the strongest first, as places in `features`; row-major,
   * `rows × most`, NO_FEATURE where fewer did.
   */
  raising(features: Float32Array, rows: number, most: number): Promise<Int32Array>;
}

/** Where no further feature raised the risk. */
export const NO_FEATURE = -1;

/** Why there are no reasons, when there are none: a sentence. */
export interface NoReasons {
  readonly unavailable: string;
}

interface ReasonSource {
  readonly engine: Engine;
  readonly program: Pick<RetentionProgramSpec, 'scoringModels'>;
  /** The candidates that the filters kept. */
  readonly filtered: ArtifactReference;
  /** Folder that relative endpoints of models start from; undefined when it is not known any more. */
  readonly modelFolder: string | undefined;
  /** Whether no path of a model may lead out of it. */
  readonly confined?: boolean;
  readonly threads: number;
}

/** Most rows of a batch that stand for it where a model's trees must be counted anew. */
const BACKGROUND_ROWS = 50_000;

/**
 * Opens the model that a run was pinned to for its reasons. A model that is gone, was changed or cannot be explained
 * is no failure: what else is known of a customer can be said without it.
 */
export async function openReasoner(source: ReasonSource): Promise<Reasoner | NoReasons> {
  const { engine, program, filtered, modelFolder, confined, threads } = source;
  const { scoringModels } = program;
  if (modelFolder === undefined) {
    return { unavailable: 'it is not known where the models of this run lie; give their folder with --models' };
  }
  const file = join(filtered.folder, 'kept.parquet');
  try {
    const references = scoringModels.map((model) => ({ ...model, baseFolder: modelFolder, confined, threads }));
    const columns = await parquetColumns(engine, file);
    let expressions: readonly string[] = [];
    const explainer = await openExplainer(references, async (manifest) => {
      expressions = featureExpressions(manifest, columns);
      return backgroundOf(engine, file, manifest, expressions);
    });
    return reasonerOf(explainer, expressions, booleansOf(explainer.manifest, columns));
  } catch (error) {
    if (error instanceof HoldfastError && /^HF_(MODEL|PROVIDER|COLUMN)_/.test(error.code)) {
      return { unavailable: `${error.code}: ${error.message}` };
    }
    throw error;
  }
}

function backgroundOf(
  engine: Engine,
  file: string,
  { features }: ModelManifest,
  expressions: readonly string[],
): Background {
  const table = `read_parquet(${literal(file)})`;
  return {
    async medians() {
      const found = new Float32Array(features.length);
      // One at a time, since a median holds all values of its column in memory.
      for (const [index, sql] of expressions.entries()) {
        const [known, median] = [`FILTER (NOT isnan(${sql}))`, `median(${sql}) FILTER (NOT isnan(${sql}))`];
        // Between yes and no there is nothing.
        const query = `SELECT CASE WHEN bool_and(${sql} IN (0, 1)) ${known} THEN floor(${median}) ELSE ${median} END AS median FROM ${table}`;
        const [row] = await engine.rows<{ median: number | null }>(query);
        found[index] = row?.median ?? Number.NaN;
      }
      return found;
    },
    async rows() {
      const query = `SELECT ${expressions.join(', ')} FROM ${table}
        ORDER BY sha256(customer_id), customer_id LIMIT ${BACKGROUND_ROWS}`;
      const blocks: Float32Array[] = [];
      let count = 0;
      for await (const chunk of engine.chunks(query)) {
        blocks.push(featuresOf(chunk, 0, features.length));
        count += chunk.rowCount;
      }
      return { features: joined(blocks), count };
    },
  };
}

/** Rows of several blocks as one. */
export function joined(blocks: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let place = 0;
  for (const block of blocks) {
    all.set(block, place);
    place += block.length;
  }
  return all;
}

type Chunk = Parameters<typeof copyDoubles>[0];

/** Columns of doubles from `first` on as row-major features. */
export function featuresOf(chunk: Chunk, first: number, width: number): Float32Array {
  const features = new Float32Array(chunk.rowCount * width);
  for (let feature = 0; feature < width; feature++) {
    copyDoubles(chunk, first + feature, { start: 0, count: chunk.rowCount }, features, feature, width);
  }
  return features;
}

function booleansOf({ features }: ModelManifest, columns: readonly ColumnShape[]): boolean[] {
  const types = new Map(columns.map(({ name, type }) => [name.toLowerCase(), type]));
  return features.map((name) => types.get(name.toLowerCase()) === 'BOOLEAN');
}

function reasonerOf(explainer: Explainer, expressions: readonly string[], booleans: readonly boolean[]): Reasoner {
  const { manifest, method, typical } = explainer;
  const width = manifest.features.length;
  const shown = (feature: number, value: number | undefined): number | boolean | null => {
    if (value === undefined || Number.isNaN(value)) return null;
    // The shortest decimal that means the same float32.
    return booleans[feature] === true ? value >= 0.5 : Number(value.toPrecision(7));
  };
  return {
    modelId: manifest.modelId,
    method,
    measure: `${explainer.measure}; typical is ${explainer.typicalOf}`,
    features: manifest.features,
    expressions,
    typical: manifest.features.map((_, feature) => shown(feature, typical[feature])),
    shown,
    async raising(features, rows, most) {
      const { contributions } = await explainer.explain(features, rows);
      const strongest = new Int32Array(rows * most).fill(NO_FEATURE);
      for (let row = 0; row < rows; row++) {
        const own = contributions.subarray(row * width, (row + 1) * width);
        insertRaising(own, strongest.subarray(row * most, (row + 1) * most));
      }
      return strongest;
    },
    async explain(features, rows) {
      const { contributions, expected } = await explainer.explain(features, rows);
      return Array.from({ length: rows }, (_, row) => {
        const own = contributions.subarray(row * width, (row + 1) * width);
        const reasons = manifest.features.map((feature, index) => ({
          feature,
          value: shown(index, features[row * width + index]),
          typical: shown(index, typical[index]),
          contribution: own[index] ?? 0,
        }));
        reasons.sort((one, other) => Math.abs(other.contribution) - Math.abs(one.contribution));
        if (expected === undefined) return { reasons };
        return { reasons, expected, margin: own.reduce((sum, each) => sum + each, expected) };
      });
    },
    [Symbol.asyncDispose]: () => explainer.close(),
  };
}

/** Fills places with the greatest contributions above 0, in falling order; of equal ones the first feature comes first. */
function insertRaising(contributions: Float64Array, places: Int32Array): void {
  for (let feature = 0; feature < contributions.length; feature++) {
    const contribution = contributions[feature] as number;
    if (!(contribution > 0)) continue;
    let place = places.length;
    for (; place > 0; place--) {
      const before = places[place - 1] as number;
      if (before !== NO_FEATURE && (contributions[before] as number) >= contribution) break;
      if (place < places.length) places[place] = before;
    }
    if (place < places.length) places[place] = feature;
  }
}

/** A scored customer. */
export interface ScoredCustomer {
  readonly customer: string;
  readonly risk: number;
  /** Null below the lowest risk level. */
  readonly level: string | null;
  /** Null for who is no candidate. */
  readonly arm: string | null;
}

/** Some scored customers and why they got their scores. */
export interface ReasonedBlock {
  readonly customers: readonly ScoredCustomer[];
  readonly reasons: readonly RiskReasons[];
}

/**
 * Scored customers with their reasons, a few thousand at a time.
 * @param scored a SELECT of customer_id, risk_score, risk_level and arm, in order
 */
export async function* reasonedBlocks(
  engine: Engine,
  reasoner: Reasoner,
  filtered: ArtifactReference,
  scored: string,
): AsyncGenerator<ReasonedBlock> {
  const kept = `(SELECT customer_id, ${reasoner.expressions
    .map((sql, index) => `${sql} AS ${identifier(`feature ${index}`)}`)
    .join(', ')} FROM read_parquet(${literal(join(filtered.folder, 'kept.parquet'))}))`;
  const columns = reasoner.features.map((_, index) => `kept.${identifier(`feature ${index}`)}`);
  const query = `SELECT scored.customer_id, risk_level, arm, CAST(risk_score AS DOUBLE), ${columns.join(', ')}
    FROM (SELECT *, row_number() OVER () AS place FROM (${scored})) AS scored
    JOIN ${kept} AS kept USING (customer_id) ORDER BY place`;
  let waiting: Chunk[] = [];
  let rows = 0;
  for await (const chunk of engine.chunks(query)) {
    waiting.push(chunk);
    rows += chunk.rowCount;
    if (rows < BLOCK_ROWS) continue;
    yield reasonedBlock(reasoner, waiting, rows);
    [waiting, rows] = [[], 0];
  }
  if (rows > 0) yield reasonedBlock(reasoner, waiting, rows);
}

/** The reasons of one customer; undefined when the filters did not keep them. */
export async function reasonsOf(
  engine: Engine,
  reasoner: Reasoner,
  filtered: ArtifactReference,
  customer: string,
): Promise<RiskReasons | undefined> {
  const scored = `SELECT ${literal(customer)} AS customer_id, 0.0 AS risk_score,
    NULL::VARCHAR AS risk_level, NULL::VARCHAR AS arm`;
  for await (const { reasons } of reasonedBlocks(engine, reasoner, filtered, scored)) return reasons[0];
  return undefined;
}

const BLOCK_ROWS = 16_384;

async function reasonedBlock(reasoner: Reasoner, chunks: readonly Chunk[], rows: number): Promise<ReasonedBlock> {
  const features = joined(chunks.map((chunk) => featuresOf(chunk, 4, reasoner.features.length)));
  const customers = chunks.flatMap((chunk) => {
    const [ids, levels, arms] = [texts(chunk, 0), texts(chunk, 1), texts(chunk, 2)];
    const risks = new Float64Array(chunk.rowCount);
    copyDoubles(chunk, 3, { start: 0, count: chunk.rowCount }, risks, 0, 1);
    return Array.from(risks, (risk, row) => ({
      customer: ids[row] ?? '',
      risk,
      level: levels[row] ?? null,
      arm: arms[row] ?? null,
    }));
  });
  return { customers, reasons: await reasoner.explain(features, rows) };
}
