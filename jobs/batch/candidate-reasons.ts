import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { literal } from '../../base/duckdb/engine.ts';
import { writeParquet } from '../../base/duckdb/parquet.ts';
import { ColumnAppender, copyDoubles } from '../../base/duckdb/vectors.ts';
import { printable } from '../../base/text/printable.ts';
import { CANDIDATE_COLUMNS } from '../../customers/columns/candidate.ts';
import {
  featuresOf,
  joined,
  NO_FEATURE,
  type NoReasons,
  openReasoner,
  type Reasoner,
} from '../../customers/explanations/reasons.ts';
import { inputOf } from '../run/parts.ts';
import type { BatchContext } from './batch-stage.ts';
import type { RowByRow } from './row-by-row.ts';

/** Reasons of a candidate that are kept: as many as `explain` shows. */
const KEPT = 3;

/** Numbers that a block of rows holds, and as many contributions. */
const BLOCK_VALUES = 400_000;

const NO_WORD = -1;

/** SQL of the reasons in words, of a row of the table `reasons`. */
export interface CandidateReasons {
  readonly sql: string;
}

/**
 * Explains the candidates, and nobody else, into the table `reasons` of the sink: what raised the risk of each most. The
 * words have no value of a customer in them, only the side of what is typical that it is on.
 * @param candidates a SELECT in the sink of `row_number`, the candidates' places in the file
 * @throws HF_DISK_FULL, HF_INTERRUPTED
 */
export async function explainCandidates(
  context: BatchContext,
  engines: RowByRow,
  candidates: string,
): Promise<CandidateReasons | NoReasons> {
  const { spec: program, baseFolder, confined, resources, scratchFolder, signal } = context;
  const { source, sink } = engines;
  const wanted = join(scratchFolder, 'explained.parquet');
  try {
    const count = await writeParquet(sink, candidates, wanted);
    using codes = await ColumnAppender.create(sink, 'reasons', REASON_COLUMNS);
    if (count === 0) return { sql: 'CAST([] AS VARCHAR[])' };
    const opened = await openReasoner({
      engine: source,
      program,
      filtered: inputOf(context, 'filter'),
      modelFolder: baseFolder,
      confined,
      threads: resources.threads,
    });
    if ('unavailable' in opened) return opened;
    await using reasoner = opened;
    const words = new Words(reasoner, await binaryFeatures(engines, reasoner));
    for await (const { places, features } of blocks(engines, reasoner, wanted)) {
      signal.throwIfAborted();
      const strongest = await reasoner.raising(features, places.length, KEPT);
      const columns = Array.from({ length: KEPT }, () => new Int32Array(places.length));
      for (const [at, column] of columns.entries()) {
        for (let row = 0; row < column.length; row++) {
          const feature = strongest[row * KEPT + at] as number;
          column[row] = words.codeOf(feature, features[row * reasoner.features.length + feature]);
        }
      }
      codes.append([places, ...columns], places.length);
    }
    return { sql: words.sql() };
  } finally {
    await rm(wanted, { force: true });
  }
}

const REASON_COLUMNS = {
  row_number: 'INTEGER',
  ...Object.fromEntries(Array.from({ length: KEPT }, (_, at) => [`reason_${at}`, 'INTEGER'] as const)),
} as const;

/** What is said of a feature. */
const WORDINGS: readonly ((feature: string) => string)[] = [
  (feature) => `${feature} missing`,
  (feature) => feature,
  (feature) => `not ${feature}`,
  (feature) => `${feature} typical`,
  (feature) => `${feature} above typical`,
  (feature) => `${feature} below typical`,
];

/** Words of reasons, each once. */
class Words {
  readonly #reasoner: Pick<Reasoner, 'features' | 'typical' | 'shown'>;
  readonly #isBinary: readonly boolean[];
  readonly #words: string[] = [];
  /** By feature and wording; NO_WORD where it has not been said yet. */
  readonly #codes: Int32Array;

  constructor(reasoner: Pick<Reasoner, 'features' | 'typical' | 'shown'>, binary: ReadonlySet<string>) {
    this.#reasoner = reasoner;
    this.#isBinary = reasoner.features.map((name) => binary.has(name));
    this.#codes = new Int32Array(reasoner.features.length * WORDINGS.length).fill(NO_WORD);
  }

  /** The word for a value of a feature. */
  codeOf(feature: number, value: number | undefined): number {
    if (feature === NO_FEATURE) return NO_WORD;
    const wording = this.#wordingOf(feature, value);
    const place = feature * WORDINGS.length + wording;
    if (this.#codes[place] === NO_WORD) {
      this.#codes[place] = this.#words.length;
      this.#words.push(printable(WORDINGS[wording]?.(this.#reasoner.features[feature] ?? '') ?? ''));
    }
    return this.#codes[place] as number;
  }

  /** Place in WORDINGS. */
  #wordingOf(feature: number, value: number | undefined): number {
    const shown = this.#reasoner.shown(feature, value);
    const typical = this.#reasoner.typical[feature];
    if (shown === null) return 0;
    if (this.#isBinary[feature] === true || typeof shown === 'boolean') return Number(shown) === 1 ? 1 : 2;
    if (typical === null) return 1;
    if (shown === typical) return 3;
    return shown > Number(typical) ? 4 : 5;
  }

  sql(): string {
    const list = `CAST([${this.#words.map(literal).join(', ')}] AS VARCHAR[])`;
    // Lists count from 1, and nothing is at their place 0.
    const words = Array.from({ length: KEPT }, (_, at) => `(${list})[reasons.reason_${at} + 1]`);
    return `list_filter([${words.join(', ')}], lambda word: word IS NOT NULL)`;
  }
}

/** Numbers of the candidate's own: they may be 0 or 1 in every row of a small batch, and are no yes or no. */
const NUMBERS: ReadonlySet<string> = new Set(
  CANDIDATE_COLUMNS.flatMap(({ name, type }) => (type === 'DOUBLE' ? [name] : [])),
);

/** Features that are yes or no in every row, whatever their type. */
async function binaryFeatures(
  { source, table }: RowByRow,
  { features, expressions }: Reasoner,
): Promise<ReadonlySet<string>> {
  const checks = expressions.map((sql, at) => `bool_and(${sql} IN (0, 1) OR isnan(${sql})) AS b${at}`);
  const [row] = await source.rows<Record<string, boolean | null>>(`SELECT ${checks.join(', ')} FROM ${table}`);
  return new Set(features.filter((name, at) => row?.[`b${at}`] === true && !NUMBERS.has(name)));
}

/** Places in the file and features of the rows that a file lists. */
async function* blocks({ source, table }: RowByRow, { features, expressions }: Reasoner, wanted: string) {
  const query = `SELECT CAST(file_row_number AS DOUBLE), ${expressions.join(', ')} FROM ${table}
    WHERE file_row_number IN (SELECT row_number FROM read_parquet(${literal(wanted)})) ORDER BY file_row_number`;
  const most = BLOCK_VALUES / features.length;
  let waiting: { readonly places: Float64Array; readonly features: Float32Array }[] = [];
  const block = () => ({
    places: waiting.flatMap(({ places }) => [...places]),
    features: joined(waiting.map((chunk) => chunk.features)),
  });
  for await (const chunk of source.chunks(query)) {
    const places = new Float64Array(chunk.rowCount);
    copyDoubles(chunk, 0, { start: 0, count: chunk.rowCount }, places, 0, 1);
    waiting.push({ places, features: featuresOf(chunk, 1, features.length) });
    if (waiting.reduce((rows, each) => rows + each.places.length, 0) < most) continue;
    yield block();
    waiting = [];
  }
  if (waiting.length > 0) yield block();
}
