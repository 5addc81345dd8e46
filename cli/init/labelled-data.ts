import { identifier } from '../../base/duckdb/engine.ts';
import { type Measured, type MeasureOptions, measureRows } from '../../customers/training/measured.ts';
import { unsuitable } from '../../customers/training/unsuitable.ts';
import { isFeatureType } from '../../providers/models/feature-columns.ts';
import type { Model } from '../../providers/models/model.ts';
import { readingFrom } from '../../providers/warehouses/duckdb/failure.ts';
import { DUCKDB } from './dialect.ts';
import { cleaned, isRead, isText, MISSING, missingWords, read } from './expressions.ts';
import { findLabel, mayBeLabel } from './label.ts';
import { AS_OF } from './mapping.ts';
import { type ColumnProfile, profileColumns } from './profile.ts';
import { countRows } from './proposal.ts';
import { CONNECTOR_ID, openFile, type SourceOptions } from './source.ts';
import { shown, wordsOf } from './words.ts';

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
  { label, sheet }: { readonly label: string | undefined; readonly sheet: string | undefined },
  options: SourceOptions & MeasureOptions,
): Promise<Measured> {
  const { features, role } = model.manifest;
  if (role !== 'churn-risk')
    throw unsuitable(`A label says who left: it measures a model of the role churn-risk, not of ${role}.`);
  await using source = await openFile(file, sheet, false, options);
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

  const labelled = { engine, query, total: Math.ceil(rows / every), label: shown(found.source.name) };
  return await readingFrom(CONNECTOR_ID, 'read its rows', () => measureRows(model, labelled, options));
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
      `The file has no column ${missing.join(', ')}: it must hold the features under the names that the model has for them. Where the query of a program makes them: \`holdfast models check --program FILE --data FILE\`.`,
    );
  }
  const texts = features.filter((name) => !isFeatureType(byName.get(name.toLowerCase())?.type ?? ''));
  if (texts.length > 0) throw unsuitable(`Features that are not numbers in the file: ${texts.join(', ')}.`);
  return features.map((name) => {
    const column = identifier(byName.get(name.toLowerCase())?.name ?? name);
    return `coalesce(CAST(${column} AS DOUBLE), CAST('NaN' AS DOUBLE))`;
  });
}
