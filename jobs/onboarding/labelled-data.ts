import { identifier } from '../columns/engine.ts';
import { copyDoubles } from '../columns/vectors.ts';
import { auc } from '../math/auc.ts';
import { type Reliability, reliability } from '../math/reliability.ts';
import type { Model } from '../models/model.ts';
import { OutputRange, riskScore } from '../models/risk-score.ts';
import { readingFrom } from '../warehouses/duckdb-failure.ts';
import { DUCKDB } from './dialect.ts';
import { cleaned, isRead, isText, MISSING, missingWords, read } from './expressions.ts';
import { findLabel, mayBeLabel } from './label.ts';
import { TOO_GOOD } from './leaks.ts';
import { AS_OF } from './mapping.ts';
import { type ColumnProfile, profileColumns } from './profile.ts';
import { countRows } from './proposal.ts';
import { CONNECTOR_ID, openFile, type SourceOptions } from './source.ts';
import { unsuitable } from './unsuitable.ts';
import { shown, wordsOf } from './words.ts';

/** How well a model predicts what happened. */
export interface Measured {
  readonly label: string;
  readonly rows: number;
  /** Rows whose label is missing, which say nothing. */
  readonly unlabelled: number;
  readonly auc: number;
  readonly reliability: Reliability;
  /** The same of the rows with and without missing features apart; undefined where no row has any. */
  readonly gaps: { readonly without: Figures; readonly with: Figures } | undefined;
  /** Why the figures, or the model, should not be trusted as they are. */
  readonly doubts: readonly string[];
}

/** NaN where a class is empty, or there is no row. */
export interface Figures {
  readonly rows: number;
  readonly auc: number;
  readonly brier: number;
}

const NUMERIC = /^(BOOLEAN|U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(.*\))$/;
const BLOCK = 10_000;
/** Rows that are scored of a larger file, evenly spread. */
const MOST_ROWS = 1_000_000;

/**
 * Scores the rows of a labelled file and compares.
 * @param label the column that says who left, or `COLUMN=VALUE`
 * @throws HF_SOURCE_UNSUITABLE when a feature is missing or no number, or the label cannot be told; HF_SCORE_OUT_OF_RANGE
 */
export async function measureModel(
  model: Model,
  file: string,
  label: string | undefined,
  options: SourceOptions & {
    readonly progress: (done: number, total: number) => void;
    /** Whether no node of the model's trees sends a missing value to its true branch. */
    readonly losesGaps: boolean;
  },
): Promise<Measured> {
  const { features, role } = model.manifest;
  if (role !== 'churn-risk')
    throw unsuitable(`A label says who left: it measures a model of the role churn-risk, not of ${role}.`);
  await using source = await openFile(file, undefined, false, options);
  const { engine, table, columns, rows } = source;
  const named = columns.filter(
    ({ name }) =>
      label === undefined ||
      name.toLowerCase() === label.replace(/=.*$/, '').toLowerCase() ||
      name.toLowerCase() === label.toLowerCase(),
  );
  const found = await readingFrom(CONNECTOR_ID, 'look at the label', async () =>
    findLabel(
      await profileColumns(
        engine,
        source.tableName,
        label === undefined ? likely(columns) : named,
        countRows(source),
        {},
        () => {},
      ),
      label,
    ),
  );
  if (found === undefined) throw unsuitable('No column is named like what says who left: name it with --label COLUMN.');
  const numbers = featureColumns(features, columns);
  const every = Math.max(1, Math.ceil(rows / MOST_ROWS));
  const from = isText(found.source) ? withLabel(table, found.source) : table;
  const sampled = every === 1 ? from : `(SELECT *, row_number() OVER () AS holdfast_row FROM ${from})`;
  // Whoever measures a model does so afterwards.
  const outcome = found.expression.replaceAll(AS_OF, 'current_date');
  const query = `WITH ${missingWords(DUCKDB)} SELECT CAST(CAST(${outcome} AS INTEGER) AS DOUBLE), ${numbers.join(', ')} FROM ${sampled}
    ${every === 1 ? '' : `WHERE hash(holdfast_row) % ${every} = 0`}`;

  const scores: number[] = [];
  const labels: number[] = [];
  const gaps: number[] = [];
  const seen = new OutputRange();
  let wrong = 0;
  let unlabelled = 0;
  const width = features.length;
  const block = new Float32Array(BLOCK * width);
  await readingFrom(CONNECTOR_ID, 'read its rows', async () => {
    for await (const chunk of engine.chunks(query)) {
      options.signal.throwIfAborted();
      const range = { start: 0, count: chunk.rowCount };
      const outcomes = new Float64Array(chunk.rowCount);
      copyDoubles(chunk, 0, range, outcomes, 0, 1);
      for (let feature = 0; feature < width; feature++) copyDoubles(chunk, 1 + feature, range, block, feature, width);
      const risks = await model.score(block, chunk.rowCount);
      for (const [row, outcome] of outcomes.entries()) {
        if (Number.isNaN(outcome)) unlabelled++;
        else {
          const output = risks[row] as number;
          const risk = riskScore(output);
          seen.add(output);
          if (Number.isNaN(risk)) wrong++;
          labels.push(outcome);
          scores.push(risk);
          gaps.push(block.subarray(row * width, (row + 1) * width).some(Number.isNaN) ? 1 : 0);
        }
      }
      options.progress(labels.length + unlabelled, Math.ceil(rows / every));
    }
  });
  if (wrong > 0) {
    throw unsuitable(
      `Model ${model.manifest.modelId} gave ${wrong} of ${scores.length} rows something other than a number from 0 to 1: ${seen.words}.`,
    );
  }
  const rowsSeen = {
    scores: Float64Array.from(scores),
    labels: Uint8Array.from(labels),
    gaps: Uint8Array.from(gaps),
  };
  return measured(rowsSeen, unlabelled, shown(found.source.name), options.losesGaps);
}

/** The table with its label as the expressions of a label want it. */
function withLabel(table: string, label: ColumnProfile): string {
  const texts = `(SELECT * REPLACE (${cleaned(label, DUCKDB)}) FROM ${table} CROSS JOIN ${MISSING})`;
  return isRead(label) ? `(SELECT * REPLACE (${read(label, DUCKDB)}) FROM ${texts})` : texts;
}

/** Columns whose names could be those of a label, so that not all of a wide file are looked at. */
function likely<Column extends { readonly name: string }>(columns: readonly Column[]): readonly Column[] {
  return columns.filter(({ name }) => mayBeLabel(wordsOf(name.slice(0, 400))));
}

function featureColumns(
  features: readonly string[],
  columns: readonly { readonly name: string; readonly type: string }[],
): string[] {
  const byName = new Map(columns.map((column) => [column.name.toLowerCase(), column]));
  const missing = features.filter((name) => !byName.has(name.toLowerCase()));
  if (missing.length > 0) {
    throw unsuitable(
      `The file has no column ${missing.join(', ')}: it must hold the features under the names that the model has for them.`,
    );
  }
  const texts = features.filter((name) => !NUMERIC.test(byName.get(name.toLowerCase())?.type ?? ''));
  if (texts.length > 0) throw unsuitable(`Features that are not numbers in the file: ${texts.join(', ')}.`);
  return features.map((name) => {
    const column = identifier(byName.get(name.toLowerCase())?.name ?? name);
    return `coalesce(CAST(${column} AS DOUBLE), CAST('NaN' AS DOUBLE))`;
  });
}

interface Scored {
  readonly scores: Float64Array;
  /** 1 for those who left. */
  readonly labels: Uint8Array;
  /** 1 for rows with a missing feature. */
  readonly gaps: Uint8Array;
}

function measured({ scores, labels, gaps }: Scored, unlabelled: number, label: string, losesGaps: boolean): Measured {
  const left = labels.reduce((sum, one) => sum + one, 0);
  if (left === 0 || left === labels.length) {
    throw unsuitable(
      `Of ${labels.length} rows with a label, ${left === 0 ? 'nobody' : 'everybody'} left: there is nothing to compare.`,
    );
  }
  const figures = (gap: number): Figures => {
    const [own, truth] = [scores.filter((_, row) => gaps[row] === gap), labels.filter((_, row) => gaps[row] === gap)];
    const brier = own.reduce((sum, score, row) => sum + (score - (truth[row] as number)) ** 2, 0) / own.length;
    return { rows: own.length, auc: auc(own, truth), brier };
  };
  const withGaps = figures(1);
  const area = auc(scores, labels);
  const doubts: string[] = [];
  if (area < 0.5 - CHANCE_SIGMAS * chanceDeviation(left, labels.length - left)) {
    doubts.push('the score falls where people leave: is it the probability of staying?');
  }
  if (area >= TOO_GOOD) doubts.push('almost too good: does a feature know afterwards who left?');
  if (losesGaps && withGaps.rows > 0) {
    doubts.push(
      `no node of its trees sends a missing value to its true branch, though ${withGaps.rows} rows have missing values: ` +
        'a conversion may have lost where the training sent them',
    );
  }
  return {
    label,
    rows: scores.length,
    unlabelled,
    auc: area,
    reliability: reliability(scores, labels),
    gaps: withGaps.rows === 0 ? undefined : { without: figures(0), with: withGaps },
    doubts,
  };
}

/** An area this many standard deviations under one half is no accident. */
const CHANCE_SIGMAS = 3;

/** Standard deviation of the area under the curve of a score that says nothing (Mann and Whitney 1947). */
function chanceDeviation(positives: number, negatives: number): number {
  return Math.sqrt((positives + negatives + 1) / (12 * positives * negatives));
}
