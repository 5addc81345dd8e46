import type { Engine } from '../../base/duckdb/engine.ts';
import { copyDoubles } from '../../base/duckdb/vectors.ts';
import { auc } from '../../base/math/auc.ts';
import { type Reliability, reliability } from '../../base/math/reliability.ts';
import type { Model } from '../../providers/models/model.ts';
import { OutputRange, riskScore } from '../../providers/models/risk-score.ts';
import { TOO_GOOD } from './leaks.ts';
import { unsuitable } from './unsuitable.ts';

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

const BLOCK = 10_000;

/** Rows to be scored. */
export interface Labelled {
  readonly engine: Engine;
  /** A SELECT of doubles: the label as 0, 1 or NaN, then the model's features in its order. */
  readonly query: string;
  /** About how many rows it gives. */
  readonly total: number;
  /** Name of the label, for people. */
  readonly label: string;
}

export interface MeasureOptions {
  readonly signal: AbortSignal;
  readonly progress: (done: number, total: number) => void;
  /** Whether no node of the model's trees sends a missing value to its true branch. */
  readonly losesGaps: boolean;
}

/**
 * Scores rows of which it is known who left, and compares.
 * @throws HF_SOURCE_UNSUITABLE when there is nothing to compare, or an output is no risk
 */
export async function measureRows(model: Model, labelled: Labelled, options: MeasureOptions): Promise<Measured> {
  const { engine, query, total, label } = labelled;
  const scores: number[] = [];
  const labels: number[] = [];
  const gaps: number[] = [];
  const seen = new OutputRange();
  let wrong = 0;
  let unlabelled = 0;
  const width = model.manifest.features.length;
  const block = new Float32Array(BLOCK * width);
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
    options.progress(labels.length + unlabelled, total);
  }
  if (wrong > 0) {
    throw unsuitable(
      `Model ${model.manifest.modelId} gave ${wrong} of ${scores.length} rows something other than a number from 0 to 1: ${seen.words}.`,
    );
  }
  const rowsSeen = { scores: Float64Array.from(scores), labels: Uint8Array.from(labels), gaps: Uint8Array.from(gaps) };
  return compared(rowsSeen, unlabelled, label, options.losesGaps);
}

interface Scored {
  readonly scores: Float64Array;
  /** 1 for those who left. */
  readonly labels: Uint8Array;
  /** 1 for rows with a missing feature. */
  readonly gaps: Uint8Array;
}

function compared({ scores, labels, gaps }: Scored, unlabelled: number, label: string, losesGaps: boolean): Measured {
  const left = labels.reduce((sum, one) => sum + one, 0);
  if (labels.length === 0) {
    throw unsuitable(`No row says in ${label} whether somebody left: there is nothing to compare yet.`);
  }
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
