import { identifier } from '../columns/engine.ts';
import { copyDoubles } from '../columns/vectors.ts';
import { auc } from '../math/auc.ts';
import { type Reliability, reliability } from '../math/reliability.ts';
import type { Model } from '../models/model.ts';
import { readingFrom } from '../warehouses/duckdb-failure.ts';
import { findLabel } from './label.ts';
import { AS_OF } from './mapping.ts';
import { profileColumns } from './profile.ts';
import { CONNECTOR_ID, openFile, type SourceOptions } from './source.ts';
import { unsuitable } from './unsuitable.ts';
import { shown } from './words.ts';

/** How well a model predicts what happened. */
export interface Measured {
  readonly label: string;
  readonly rows: number;
  /** Rows whose label is missing, which say nothing. */
  readonly unlabelled: number;
  readonly auc: number;
  readonly reliability: Reliability;
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
  options: SourceOptions & { readonly progress: (done: number, total: number) => void },
): Promise<Measured> {
  const { features, role } = model.manifest;
  if (role !== 'churn-risk')
    throw unsuitable(`A label says who left: it measures a model of the role churn-risk, not of ${role}.`);
  await using source = await openFile(file, undefined, options);
  const { engine, table, columns, rows } = source;
  const named = columns.filter(
    ({ name }) =>
      label === undefined ||
      name.toLowerCase() === label.replace(/=.*$/, '').toLowerCase() ||
      name.toLowerCase() === label.toLowerCase(),
  );
  const found = await readingFrom(CONNECTOR_ID, 'look at the label', async () =>
    findLabel(
      await profileColumns(engine, source.tableName, label === undefined ? likely(columns) : named, () => {}),
      label,
    ),
  );
  if (found === undefined) throw unsuitable('No column is named like what says who left: name it with --label COLUMN.');
  const numbers = featureColumns(features, columns);
  const every = Math.max(1, Math.ceil(rows / MOST_ROWS));
  const sampled = every === 1 ? table : `(SELECT *, row_number() OVER () AS holdfast_row FROM ${table})`;
  // Whoever measures a model does so afterwards.
  const outcome = found.expression.replaceAll(AS_OF, 'current_date');
  const query = `SELECT CAST(CAST(${outcome} AS INTEGER) AS DOUBLE), ${numbers.join(', ')} FROM ${sampled}
    ${every === 1 ? '' : `WHERE hash(holdfast_row) % ${every} = 0`}`;

  const scores: number[] = [];
  const labels: number[] = [];
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
          labels.push(outcome);
          scores.push(risks[row] as number);
        }
      }
      options.progress(labels.length + unlabelled, Math.ceil(rows / every));
    }
  });
  return measured(Float64Array.from(scores), Uint8Array.from(labels), unlabelled, shown(found.source.name), model);
}

/** Columns whose names could be those of a label, so that not all of a wide file are looked at. */
function likely<Column extends { readonly name: string }>(columns: readonly Column[]): readonly Column[] {
  return columns.filter(({ name }) =>
    /churn|exit|attrit|cancel|left|lost|laps|terminat|deactivat|defect|closed|status|target|label|outcome|^y$/i.test(
      name,
    ),
  );
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

function measured(
  scores: Float64Array,
  labels: Uint8Array,
  unlabelled: number,
  label: string,
  { manifest }: Model,
): Measured {
  const wrong = scores.filter((score) => !(score >= 0 && score <= 1)).length;
  if (wrong > 0) {
    throw unsuitable(
      `Model ${manifest.modelId} gave ${wrong} of ${scores.length} rows something other than a number from 0 to 1.`,
    );
  }
  const left = labels.reduce((sum, one) => sum + one, 0);
  if (left === 0 || left === labels.length) {
    throw unsuitable(
      `Of ${labels.length} rows with a label, ${left === 0 ? 'nobody' : 'everybody'} left: there is nothing to compare.`,
    );
  }
  return { label, rows: scores.length, unlabelled, auc: auc(scores, labels), reliability: reliability(scores, labels) };
}
