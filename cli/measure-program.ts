import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { RetentionProgramSpec } from '../crds/retention-program.ts';
import { REJECTED_BECAUSE } from '../jobs/columns/candidate.ts';
import { identifier, literal, openEngine } from '../jobs/columns/engine.ts';
import { parquetColumns } from '../jobs/columns/parquet.ts';
import { HoldfastError } from '../jobs/errors.ts';
import type { Model } from '../jobs/models/model.ts';
import { labelledQuery } from '../jobs/onboarding/labelled-query.ts';
import { type Measured, type MeasureOptions, measureRows } from '../jobs/onboarding/measured.ts';
import { LABEL_COLUMN } from '../jobs/onboarding/query.ts';
import type { SourceOptions } from '../jobs/onboarding/source.ts';
import { differences, type TrainingFigures, trainingFigures } from '../jobs/onboarding/training-figures.ts';
import { unsuitable } from '../jobs/onboarding/unsuitable.ts';
import { shown } from '../jobs/onboarding/words.ts';
import { featureExpressions } from '../jobs/retention/feature-columns.ts';
import { absentColumns } from '../jobs/retention/optional-columns.ts';
import { readingFrom } from '../jobs/warehouses/duckdb-failure.ts';
import { type DataConnector, openWarehouse } from '../jobs/warehouses/index.ts';
import { describeQuery } from '../jobs/warehouses/missing-column.ts';
import type { Warehouse } from '../jobs/warehouses/warehouse.ts';

/** A model of a program, measured on another file by the program's own query. */
export interface MeasuredLater extends Measured {
  /** Rows that the query sets apart, as a run would reject them. */
  readonly rejected: number;
  /** How good the model was when it was made, on rows held out then; undefined where its JSON does not say. */
  readonly training: TrainingFigures | undefined;
}

/**
 * Measures a model of a program that `init` wrote on a later file: features and label are what the program's query makes of
 * it, those who have left included.
 * @param file holds what happened, in the columns of the program's own source
 * @throws HF_USAGE where the program does not read one file; HF_SOURCE_UNSUITABLE where nobody knows yet who left, or the
 *   query does not say it; HF_COLUMN_MISSING, HF_WAREHOUSE_UNREADABLE
 */
export async function measureProgram(
  model: Model,
  program: RetentionProgramSpec,
  file: string,
  options: SourceOptions & MeasureOptions & { readonly baseFolder: string },
): Promise<MeasuredLater> {
  const connector = onlyFile(program);
  const { label } = model.manifest.training;
  const { baseFolder, scratchFolder, resources, signal } = options;
  await using engine = await openEngine({ ...resources, scratchFolder });
  const query = await labelledQuery(engine, connector.config.query, label);
  if (query === undefined) {
    throw unsuitable(
      `The query of ${connector.connectorId} does not say who left: it has no condition (…) IS NOT TRUE on ${label}, as init writes it for a model that it trained.`,
    );
  }
  const warehouse = await openWarehouse(connector, {
    baseFolder,
    source: resolve(file),
    sampleFolder: scratchFolder,
    asOf: new Date(0),
    scratchFolder,
    resources,
    signal,
  });
  const rows = join(scratchFolder, 'labelled.parquet');
  let absent: readonly string[];
  try {
    await requireLabel(warehouse, connector, label, file);
    absent = await absentColumns(warehouse, connector);
    await describeQuery(warehouse, connector.connectorId, connector.config.query);
    await warehouse.extract({ query }, rows, { signal });
  } finally {
    await warehouse.close();
  }
  const columns = await parquetColumns(engine, rows);
  const apart = columns.some(({ name }) => name.toLowerCase() === REJECTED_BECAUSE)
    ? `coalesce(CAST(${identifier(REJECTED_BECAUSE)} AS VARCHAR), '') <> ''`
    : 'false';
  const [counted] = await engine.rows<{ apart: string; kept: string }>(
    `SELECT count(*) FILTER (WHERE ${apart}) AS apart, count(*) FILTER (WHERE NOT ${apart}) AS kept FROM read_parquet(${literal(rows)})`,
  );
  const rejected = Number(counted?.apart ?? 0);
  const features = featureExpressions(model.manifest, columns);
  const select = `SELECT coalesce(CAST(CAST(${LABEL_COLUMN} AS INTEGER) AS DOUBLE), CAST('NaN' AS DOUBLE)), ${features.join(', ')}
    FROM read_parquet(${literal(rows)}) WHERE NOT ${apart}`;
  const kept = Number(counted?.kept ?? 0);
  if (kept === 0)
    throw unsuitable(`The query sets apart all ${rejected} rows of ${file}: a run of the program on it says why.`);
  const measured = await readingFrom(connector.connectorId, 'read its rows', () =>
    measureRows(model, { engine, query: select, total: kept, label }, options),
  );
  const training = trainingFigures(model.manifest);
  const doubts = [
    ...measured.doubts,
    ...absent,
    ...((await isSame(file, resolve(baseFolder, connector.config.path ?? '')))
      ? ['it is the file of the program: the model has seen most of these rows when it was trained']
      : differences(measured, training, model.manifest.calibrated)),
  ];
  return { ...measured, doubts, rejected, training };
}

/** @throws HF_USAGE */
function onlyFile({ dataConnectors, featureStore }: RetentionProgramSpec): DataConnector {
  const [connector, ...more] = dataConnectors;
  if (connector?.type === 'duckdb' && more.length === 0 && featureStore === undefined) return connector;
  throw new HoldfastError(
    'HF_USAGE',
    '--program with --data is for a program that reads one file; measure the models of others by a file with their features: holdfast models check MODEL --data FILE',
  );
}

/** @throws HF_SOURCE_UNSUITABLE where the file has no such column, so that the query would take everybody as still there */
async function requireLabel(warehouse: Warehouse, { config }: DataConnector, label: string, file: string) {
  const table = config.optionalColumns?.find(({ column }) => shown(column) === label)?.table ?? config.table;
  const columns = table === undefined ? undefined : await warehouse.describeTable(table);
  if (columns === undefined || columns.some(({ name }) => shown(name).toLowerCase() === label.toLowerCase())) return;
  throw unsuitable(
    `${file} has no column ${label}, so nobody knows yet who of its customers left: measure the model on it once that is known, with ${label} filled in.`,
  );
}

async function isSame(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map((path) => realpath(path).catch(() => path)));
  return first === second;
}
