import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Engine, identifier, literal, openEngine } from '../../base/duckdb/engine.ts';
import type { ColumnShape } from '../../base/duckdb/parquet.ts';
import { HoldfastError } from '../../base/errors.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import { REJECTED_BECAUSE } from '../../customers/columns/candidate.ts';
import { type Measured, type MeasureOptions, measureRows } from '../../customers/training/measured.ts';
import { UNTRAINED } from '../../customers/training/scorecard.ts';
import {
  differences,
  type OutOfTimeFigures,
  outOfTimeFigures,
  type TrainingFigures,
  trainingFigures,
} from '../../customers/training/training-figures.ts';
import { unsuitable } from '../../customers/training/unsuitable.ts';
import { featureExpressions } from '../../providers/models/feature-columns.ts';
import type { Model } from '../../providers/models/model.ts';
import { readingFrom } from '../../providers/warehouses/duckdb/failure.ts';
import { type DataConnector, openWarehouse } from '../../providers/warehouses/index.ts';
import { describeQuery } from '../../providers/warehouses/missing-column.ts';
import { absentColumns } from '../../providers/warehouses/optional-columns.ts';
import type { Warehouse } from '../../providers/warehouses/warehouse.ts';
import { labelledQuery, labelledText } from './labelled-query.ts';
import {
  type LabelledTransactions,
  labelledTransactions,
  mostFrequentReason,
  recencyAuc,
} from './labelled-transactions.ts';
import { LABEL_COLUMN } from './query.ts';
import type { SourceOptions } from './source.ts';
import { queryDays } from './transactions/query-as-of.ts';
import { shown } from './words.ts';

/** A model of a program, measured on another file by the program's own query. */
export interface MeasuredLater extends Measured {
  /** Rows that the query sets apart, as a run would reject them. */
  readonly rejected: number;
  /** How good the model was when it was made, on rows held out then; undefined where its JSON does not say. */
  readonly training: TrainingFigures | undefined;
  /** Of transactions, how good the same was at a later cut than it was trained at. */
  readonly outOfTime?: OutOfTimeFigures | undefined;
  /** Of transactions, the day up to which features are counted, and how well the days since the last purchase alone do. */
  readonly cut?: string;
  readonly horizon?: number;
  readonly recencyAuc?: number;
}

/** What a program is measured on. */
export interface LaterSource {
  /** A file in the place of the program's own. */
  readonly file: string | undefined;
  /** Sheet of a workbook. */
  readonly sheet: string | undefined;
  /** Where the program's connector reads, as the environment says. */
  readonly sources: Readonly<Record<string, string>>;
}

/**
 * Measures a model of a program that `init` wrote on a later file, or on its own source as it is by now: features and label
 * are what the program's query makes of it, those who have left included.
 * @throws HF_USAGE where the program does not read one source; HF_SOURCE_UNSUITABLE where nobody knows yet who left, or the
 *   query does not say it; HF_COLUMN_MISSING, HF_WAREHOUSE_UNREADABLE
 */
export async function measureProgram(
  model: Model,
  program: RetentionProgramSpec,
  { file, sheet, sources }: LaterSource,
  options: SourceOptions & MeasureOptions & { readonly baseFolder: string },
): Promise<MeasuredLater> {
  const own = onlyConnector(program, file);
  const connector = sheet === undefined ? own : { ...own, config: { ...own.config, sheet } };
  const { baseFolder, scratchFolder, resources, signal } = options;
  const source = file === undefined ? sources[connector.connectorId] : resolve(file);
  const place = source ?? resolve(baseFolder, connector.config.path ?? '');
  const name = file ?? (connector.type === 'duckdb' ? place : `The source of ${connector.connectorId}`);
  await using engine = await openEngine({ ...resources, scratchFolder });
  const found = await rowsOf(engine, connector, model, name);
  const warehouse = await openWarehouse(connector, {
    baseFolder,
    source,
    sampleFolder: scratchFolder,
    asOf: new Date(0),
    scratchFolder,
    resources,
    signal,
  });
  let absent: readonly string[];
  let rows: LabelledRows;
  try {
    absent = await absentColumns(warehouse, connector);
    await describeQuery(warehouse, connector.connectorId, connector.config.query);
    rows = await found(warehouse, { scratchFolder, signal });
  } finally {
    await warehouse.close();
  }
  const { select, label, transactions } = rows;
  const columns = await columnsOf(engine, select);
  const hasReasons = columns.some((column) => column.name.toLowerCase() === REJECTED_BECAUSE);
  const apart = hasReasons ? `coalesce(CAST(${identifier(REJECTED_BECAUSE)} AS VARCHAR), '') <> ''` : 'false';
  const [counted] = await engine.rows<{ apart: string; kept: string }>(
    `SELECT count(*) FILTER (WHERE ${apart}) AS apart, count(*) FILTER (WHERE NOT ${apart}) AS kept FROM (${select})`,
  );
  const [rejected, kept] = [Number(counted?.apart ?? 0), Number(counted?.kept ?? 0)];
  if (kept === 0) throw unsuitable(await nothingLeft(engine, rows, rejected, name));
  const features = featureExpressions(model.manifest, columns);
  const query = `SELECT coalesce(CAST(CAST(${LABEL_COLUMN} AS INTEGER) AS DOUBLE), CAST('NaN' AS DOUBLE)), ${features.join(', ')}
    FROM (${select}) WHERE NOT ${apart}`;
  const measured = await readingFrom(connector.connectorId, 'read its rows', () =>
    measureRows(model, { engine, query, total: kept, label }, options),
  );
  const training = trainingFigures(model.manifest);
  const outOfTime = transactions === undefined ? undefined : outOfTimeFigures(model.manifest);
  const seen =
    transactions === undefined
      ? (await isSame(place, resolve(baseFolder, connector.config.path ?? ''))) && connector.type === 'duckdb'
        ? 'it is the file of the program: the model has seen most of these rows when it was trained'
        : undefined
      : transactions.seen;
  const changed = differences(measured, outOfTime ?? training, model.manifest.calibrated);
  const doubts = [...measured.doubts, ...absent, ...(seen === undefined ? changed : [seen])];
  if (transactions === undefined) return { ...measured, doubts, rejected, training };
  const { cut, horizon } = transactions;
  const recency = await recencyAuc(engine, select, apart);
  return { ...measured, doubts, rejected, training, outOfTime, cut, horizon, recencyAuc: recency };
}

/** Rows of which it is known who left, as a SELECT of DuckDB. */
interface LabelledRows {
  readonly select: string;
  readonly label: string;
  readonly transactions?: LabelledTransactions;
}

type ReadRows = (
  warehouse: Warehouse,
  options: { readonly scratchFolder: string; readonly signal: AbortSignal },
) => Promise<LabelledRows>;

/**
 * How to read them, by how the query was made.
 * @throws HF_SOURCE_UNSUITABLE where it does not say who left
 */
async function rowsOf(engine: Engine, connector: DataConnector, model: Model, name: string): Promise<ReadRows> {
  const { label } = model.manifest.training;
  const { query } = connector.config;
  const days = queryDays(query);
  if (days !== undefined) {
    return async (warehouse, options) => {
      const source = { engine, warehouse, query, days, trainedOn: label, name, ...options };
      const transactions = await labelledTransactions(source);
      return { ...transactions, transactions };
    };
  }
  const labelled =
    connector.type === 'postgres' ? labelledText(query, label) : await labelledQuery(engine, query, label);
  if (labelled === undefined && model.manifest.training.label === UNTRAINED) {
    throw unsuitable(
      `The model is a scorecard that nobody trained, and the query of ${connector.connectorId} names no column that says who left: the program cannot be measured by itself. Measure the scorecard by a file that has its features (${model.manifest.features.join(', ')}) and who left: \`holdfast models check MODEL --data FILE --label COLUMN\`.`,
    );
  }
  if (labelled === undefined) {
    throw unsuitable(
      `The query of ${connector.connectorId} does not say who left: it is not that of transactions, as init writes it, and has no condition (…) IS NOT TRUE on the label of the model (${shown(label)}).`,
    );
  }
  return async (warehouse, { scratchFolder, signal }) => {
    await requireLabel(warehouse, connector, label, name);
    const file = join(scratchFolder, 'labelled.parquet');
    await warehouse.extract({ query: labelled }, file, { signal });
    return { select: `SELECT * FROM read_parquet(${literal(file)})`, label };
  };
}

async function columnsOf(engine: Engine, select: string): Promise<ColumnShape[]> {
  const columns = await engine.rows<{ column_name: string; column_type: string }>(`DESCRIBE ${select}`);
  return columns.map(({ column_name: name, column_type: type }) => ({ name, type }));
}

async function nothingLeft(
  engine: Engine,
  { select, transactions }: LabelledRows,
  rejected: number,
  name: string,
): Promise<string> {
  if (transactions === undefined)
    return `The query sets apart all ${rejected} rows of ${name}: a run of the program on it says why.`;
  const reason = rejected === 0 ? 'nobody bought before it' : ((await mostFrequentReason(engine, select)) ?? '');
  return `${name} cannot be measured at the cut ${transactions.cut}, ${transactions.horizon} days before its newest purchase: ${reason}.`;
}

/** @throws HF_USAGE */
function onlyConnector(
  { dataConnectors, featureStore }: RetentionProgramSpec,
  file: string | undefined,
): DataConnector {
  const [connector, ...more] = dataConnectors;
  if (connector === undefined || more.length > 0 || featureStore !== undefined) {
    throw new HoldfastError(
      'HF_USAGE',
      'a program is measured where it has one connector and no feature store; measure the models of others by a file with their features: `holdfast models check MODEL --data FILE`',
    );
  }
  if (connector.type !== 'duckdb' && file !== undefined) {
    throw new HoldfastError(
      'HF_USAGE',
      `the query of ${connector.connectorId} is that of a server, which reads no file: measure it on the server's rows, as they are by now, with --measure in place of --data`,
    );
  }
  return connector;
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
